"""A fine-tune of a project's model: started, watched, stopped and gone on with, as a job around its own process.

Knows the training program's command line, progress lines and output folder, and what becomes of them: a model of the
project. Knows no PyTorch and none of the program's code; another program with the same options may be named in
RR_TRAINER ("/path/of/python -m models.training.run": an environment of its own for the heavy packages).
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from core import finetune_rows, installed, paths, tomlfile
from core.engine import gguf_header
from core.errors import Problem
from core.finetune_rows import Row
from core.project import Project, editing
from core.project.sets import LONGEST_NAME
from core.project.values import MOST_MODELS
from core.text import one_line
from core.weights import catalog

if TYPE_CHECKING:
    from core.jobs import Job, JobContext
    from core.runtime import Runtime

KIND: Final = "finetune"
ARCHITECTURES: Final = ("llama", "qwen2", "gemma3")  # those whose layers the training program can name
NEEDS: Final = ("torch", "transformers", "peft")
INSTALL: Final = "python -m pip install -r models/training/requirements.txt"
MOST_PASSES: Final = 100
LARGE: Final = 300e6  # weights; above, a lower learning rate
CHECKPOINT_EVERY: Final = 5  # steps: the most that a stop loses
TOKENS_PER_STEP: Final = 300  # few rows make few steps: smaller ones teach more
CALM: Final = {"OMP_WAIT_POLICY": "PASSIVE"}  # threads that wait leave the processor to the app's own workers
POLL_S: Final = 0.3
LINE: Final = re.compile(
    r"step (\d+)/(\d+)  loss (\S+)  (\d+) tokens/s  ([\d.]+) minutes left"
    r"|held out \(exact, loss\): .*\[([\d.]+), (\S+)\]"
)
ID: Final = re.compile(r"[0-9a-f]{12}")
PLAN, DISCARD, LOG, ADAPTER, CHECKPOINT = "plan.json", "discard", "log.txt", "adapter.gguf", "checkpoint.pt"


@dataclass(frozen=True)
class Plan:
    """What one fine-tune is made of. `base`: the project's model, `file` its GGUF and `path` where that lies.

    `rows`, `held`: how many are trained on and set aside; `source`: the question set or file they came from.
    """

    id: str
    project: str
    base: str
    file: str
    path: str
    title: str
    source: str
    rows: int
    held: int
    passes: int
    learning_rate: float


@dataclass(frozen=True)
class Training:
    """A plan and how it stands. `folder`: what the program writes; `resumable`: stopped after a first checkpoint."""

    plan: Plan
    job: "Job"
    folder: Path

    @property
    def resumable(self) -> bool:
        """Whether it can go on: it ended before it was done."""
        return self.job.state != "done" and (not self.job.active or self.job.stale)


def base(project: Project, model_id: str) -> tuple[Path, int]:
    """The GGUF of a model that can be trained, and its weights' number. Raises Problem; reads no more than a header."""
    from core.runtime import spec

    model, found = project.model(model_id), spec(project, model_id)
    if found.adapter:
        raise Problem(f"'{model.title}' is an adapter over a base already: pick the base itself.")
    stamp = found.path.stat()
    architecture, has_template, weights = _header(found.path, stamp.st_size, stamp.st_mtime_ns)
    if architecture not in ARCHITECTURES:
        kind = one_line(architecture, 40) or "unknown"
        raise Problem(f"'{model.title}' is a {kind} model: bases of {', '.join(ARCHITECTURES)} can be trained.")
    if not has_template:
        raise Problem(f"The file of '{model.title}' has no chat template of its own: it cannot be trained on chats.")
    return found.path, weights


@lru_cache(maxsize=32)
def _header(path: Path, size: int, mtime_ns: int) -> tuple[str, bool, int]:
    """Architecture, whether there is a chat template, number of weights, of one version of a file."""
    header = gguf_header.read(path)
    has_template = bool(header.values.get("tokenizer.chat_template"))
    return header.architecture, has_template, sum(tensor.elements for tensor in header.tensors)


def bases(project: Project) -> tuple[dict[str, str], dict[str, str]]:
    """The models that can be trained, id -> title; and title -> why another one cannot."""
    good, bad = {}, {}
    for model in project.models:
        try:
            base(project, model.id)
            good[model.id] = model.title
        except Problem as problem:
            bad[model.title] = problem.message
    return good, bad


def command() -> tuple[str, ...]:
    """How the training program is called."""
    named = shlex.split(os.environ.get("RR_TRAINER", ""))
    return tuple(named) or (sys.executable, "-m", "models.training.run")


def lacking() -> str | None:
    """What to say when this environment cannot train; None when it can, or when RR_TRAINER names a program."""
    missing = [name for name in NEEDS if not installed.there(name, name)]
    if os.environ.get("RR_TRAINER") or not missing:
        return None
    return f"Training needs {', '.join(missing)}, not installed here: {INSTALL}"


def start(
    here: "Runtime",
    project: Project,
    base_id: str,
    rows: Sequence[Row],
    source: str,
    *,
    held: float = 0.1,
    passes: int = 16,
    title: str = "",
) -> "Job":
    """Set rows aside, write what the program reads, and begin. Raises Problem, leaving nothing, on what cannot run."""
    if project.bundled:
        raise Problem(f"'{project.title}' is bundled and read-only: duplicate it, and fine-tune for the copy.")
    path, weights = base(project, base_id)
    if not 1 <= passes <= MOST_PASSES:
        raise Problem(f"Between 1 and {MOST_PASSES} passes can be made, not {passes}.")
    if len(project.models) >= MOST_MODELS:
        raise Problem(f"A project has at most {MOST_MODELS} models: remove one first.")
    trained, aside = finetune_rows.split(rows, held)
    model = project.model(base_id)
    plan = Plan(
        id=uuid.uuid4().hex[:12],
        project=project.id,
        base=base_id,
        file=str(path) if model.file in catalog.DEFAULT else model.file,  # a role may be played by another file later
        path=str(path),
        title=one_line(title.strip() or f"{model.title}, fine-tuned", 80),
        source=one_line(source, 80),
        rows=len(trained),
        held=len(aside),
        passes=passes,
        learning_rate=5e-4 if weights > LARGE else 1e-3,
    )
    _free(here)
    folder = paths.training_dir() / plan.id
    folder.mkdir(mode=0o700)
    try:
        (folder / "rows.jsonl").write_text(finetune_rows.dumps(project, trained), encoding="utf-8")
        (folder / "held.jsonl").write_text(finetune_rows.dumps(project, aside), encoding="utf-8")
        asked = [row.source.row() for row in aside if row.source]
        (folder / "held-questions.json").write_text(json.dumps(asked), encoding="utf-8")
        _write_plan(folder, plan)
        return _begin(here, plan, folder)
    except BaseException:
        shutil.rmtree(folder)
        raise


def resume(here: "Runtime", project: Project, training_id: str) -> "Job":
    """Go on from the last checkpoint. Raises Problem when there is nothing to go on with."""
    found = training(here, project, training_id)
    if not found.resumable:
        raise Problem(f"The fine-tune '{found.plan.title}' is {found.job.state}: there is nothing to go on with.")
    _free(here)
    return _begin(here, found.plan, found.folder)


def stop(here: "Runtime", project: Project, training_id: str) -> None:
    """End the program; what it has learned up to its last checkpoint stays, to go on with."""
    here.jobs.cancel(training(here, project, training_id).job.id)


def discard(here: "Runtime", project: Project, training_id: str) -> None:
    """Cancel, leaving nothing. Raises Problem when a model of the project is made of it."""
    from core import jobs

    found = training(here, project, training_id)
    if any(model.adapter == str(found.folder / ADAPTER) for model in here.projects.get(project.id).models):
        raise Problem(f"The model '{found.plan.title}' is made of this fine-tune: remove the model first.")
    (found.folder / DISCARD).touch()  # whichever process runs it takes the folder away
    here.jobs.cancel(found.job.id)
    if not here.jobs.wait(found.job.id, 15).active:
        shutil.rmtree(found.folder, ignore_errors=True)
        here.store.write(lambda db: jobs.erase(db, "training", training_id))


def trainings(here: "Runtime", project: Project) -> list[Training]:
    """The project's fine-tunes, newest first, each with its latest job."""
    made: dict[str, Training] = {}
    for job in here.jobs.list(KIND):
        name = str(job.parameters.get("training"))
        folder = paths.training_dir() / name
        known = job.parameters.get("project") == project.id and ID.fullmatch(name) and name not in made
        if known and (folder / PLAN).is_file() and not (folder / DISCARD).exists():
            made[name] = Training(_plan(folder), job, folder)
    return list(made.values())


def training(here: "Runtime", project: Project, training_id: str) -> Training:
    """One fine-tune, by its id or the id of a job of it. Raises Problem."""
    for found in trainings(here, project):
        if training_id in (found.plan.id, found.job.id):
            return found
    raise Problem(f"This project has no fine-tune '{one_line(training_id, 40)}'.")


def erase(project_id: str, left: Sequence[Project]) -> None:
    """Remove the folders of an erased project's fine-tunes. `left`: all others, deleted ones that can come back too.

    An adapter that a model of theirs is made of (a duplicate's) stays, and from now on belongs to that project.
    """
    for file in paths.training_dir().glob(f"*/{PLAN}"):
        folder = file.parent
        with suppress(Problem):  # a plan that cannot be read: nobody knows whose it was
            plan = _plan(folder)
            adapter = str(folder / ADAPTER)
            heir = next((one for one in left if any(model.adapter == adapter for model in one.models)), None)
            if plan.project == project_id and heir:
                _write_plan(folder, replace(plan, project=heir.id))
            elif plan.project == project_id:
                shutil.rmtree(folder, ignore_errors=True)


def progress(here: "Runtime", found: Training) -> list[dict[str, Any]]:
    """What its jobs reported: step, steps, loss, tokens_per_s, minutes_left; held_out_exact, held_out_loss."""
    jobs = [job for job in here.jobs.list(KIND) if job.parameters.get("training") == found.plan.id]
    return [row for job in reversed(jobs) for row in here.jobs.rows(job.id)]


def work(here: "Runtime", job: "JobContext", folder: Path) -> dict[str, Any]:
    """The job itself: run the program to its end and take up what it made. Raises Problem."""
    plan, begun = _plan(folder), time.monotonic()
    try:
        _run(job, plan, folder)
        minutes = round((time.monotonic() - begun) / 60, 2)
        return {} if job.cancelled else _adopt(here, plan, folder) | {"minutes": minutes}
    finally:
        if (folder / DISCARD).exists():
            shutil.rmtree(folder, ignore_errors=True)


def _begin(here: "Runtime", plan: Plan, folder: Path) -> "Job":
    if problem := lacking():
        raise Problem(problem)
    parameters = {"project": plan.project, "training": plan.id, "base": plan.base, "source": plan.source}
    job = here.jobs.start(KIND, lambda job: work(here.machine, job, folder), key="machine", parameters=parameters)
    if job.parameters["training"] != plan.id:
        raise Problem(BUSY)
    return job


BUSY: Final = "A fine-tune is running on this machine already: wait for it, or stop it."


def _free(here: "Runtime") -> None:
    if any(job.active and not job.stale for job in here.machine.jobs.list(KIND)):
        raise Problem(BUSY)


def _run(job: "JobContext", plan: Plan, folder: Path) -> None:
    """Start the program, report its lines until it ends, and end it when asked to. Raises Problem when it fails."""
    options = ["--base", plan.path, "--data", str(folder / "rows.jsonl"), "--held-out", str(folder / "held.jsonl")]
    options += ["--out", str(folder), "--passes", str(plan.passes), "--learning-rate", str(plan.learning_rate)]
    options += ["--tokens-per-step", str(TOKENS_PER_STEP), "--checkpoint-every", str(CHECKPOINT_EVERY)]
    options += ["--adapter-only", "--with-parent", *["--resume"] * (folder / CHECKPOINT).is_file()]
    job.progress(0.0, "Loading the base")
    with (folder / LOG).open("wb") as log, (folder / LOG).open("rb") as read:
        try:
            process = (
                subprocess.Popen(  # its standard input stays open as long as this process lives: see --with-parent
                    [*command(), *options], cwd=paths.ROOT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=log
                )
            )
        except OSError as error:
            raise Problem(f"The training program cannot be started: {error.strerror}.") from error
        try:
            last = ""
            while True:
                ended = process.poll() is not None
                for line in _lines(read):
                    last = line
                    _report(job, line)
                if ended or job.cancelled:
                    break
                time.sleep(POLL_S)
        finally:
            _end(process)
    if not job.cancelled and process.returncode:
        raise Problem(f"The training ended: {_why(process.returncode, last)}")


def _why(status: int, last: str) -> str:
    """Why the program ended. One that was killed did not come to say it: its last line is just how far it was."""
    if status < 0:
        return f"it was killed (signal {-status}), as when memory runs out. It goes on from its last checkpoint."
    return one_line(last.removeprefix("error: "), 400) or f"exit status {status}"


def _lines(file: IO[bytes]) -> Iterator[str]:
    """The whole lines that were added since the last call."""
    while raw := file.readline():
        if not raw.endswith(b"\n"):
            file.seek(-len(raw), os.SEEK_CUR)
            return
        if line := raw.decode("utf-8", "replace").rsplit("\r", 1)[-1].strip():
            yield line


def _report(job: "JobContext", line: str) -> None:
    found = LINE.search(line)
    if found is None:
        return
    if found[6] is not None:
        job.append({"held_out_exact": float(found[6]), "held_out_loss": float(found[7])})
        return
    step, steps, minutes = int(found[1]), int(found[2]), float(found[5])
    row = {
        "step": step,
        "steps": steps,
        "loss": float(found[3]),
        "tokens_per_s": int(found[4]),
        "minutes_left": minutes,
    }
    job.append(row)
    job.progress(step / steps, f"Step {step} of {steps}, loss {found[3]}, about {minutes:.1f} minutes left")


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdin:
        process.stdin.close()


def _adopt(here: "Runtime", plan: Plan, folder: Path) -> dict[str, Any]:
    """Make the adapter a model of the project, its base linked, with its first arms; keep the questions set aside."""
    adapter, project = folder / ADAPTER, here.projects.get(plan.project)
    if not adapter.is_file() or not catalog.is_adapter(adapter):
        raise Problem("The training program ended without an adapter.")
    if not any(model.adapter == str(adapter) for model in project.models):
        project.model(plan.base)
        project = here.projects.save(
            editing.with_model(project, plan.file, plan.title, base=plan.base, adapter=str(adapter))
        )
    model = next(model for model in project.models if model.adapter == str(adapter))
    kept = ""
    if asked := json.loads((folder / "held-questions.json").read_text(encoding="utf-8")):
        from core.evaluation import questions

        kept = f"{plan.source[: LONGEST_NAME - 11]} (held out)"
        here.questions.save(project, kept, questions.from_rows(asked))
    (folder / CHECKPOINT).unlink(missing_ok=True)
    arms = [arm.name for arm in project.arms if arm.model == model.id]
    return {"model": model.id, "base": plan.base, "arms": arms, "adapter": str(adapter), "held_out_set": kept}


def _write_plan(folder: Path, plan: Plan) -> None:
    written = folder / f".{PLAN}.part"
    written.write_text(json.dumps(asdict(plan)), encoding="utf-8")
    written.replace(folder / PLAN)


def _plan(folder: Path) -> Plan:
    try:
        raw = json.loads((folder / PLAN).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Problem(f"The plan of the fine-tune {folder.name} cannot be read.") from error
    return tomlfile.build(raw, Plan, f"The fine-tune {folder.name}")

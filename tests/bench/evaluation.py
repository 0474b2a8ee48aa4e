"""The evaluation's speed: `python tests/bench/evaluation.py [--only a,b,c] [--pair small] [--questions N] ...`.

    a  an evaluation against a plain loop over Llama.create_chat_completion, same prompts   at least 1.7 times as fast
    b  a sweep of 40 retrieval settings over 200 questions of the demo                      at most 60 s
    c  the page with 5,000 rows, until its first table                                      at most 1.5 s

(a) The plain loop reads the model files as they are shipped, one answer after the other, with the passages that the
evaluation found; it is spared retrieval and scoring, and writes at most as many tokens as ours did. Both sides run the
pair asked for, whichever this machine would choose. (c) is a session
of the app in a browser (Chromium, see tests/browser/conftest.py) on an evaluation made of scripted replies over the
demo's own documents: from the address to the frame in which the first table is seen, by the browser's own clock (a
look from outside comes up to half a second late). The first visit reads the report that the run's end kept (where it
was kept by another version of the program it is scored anew), later ones find it in the process. For comparison a page
without a table, what turning to the replies takes, and visits by a browser that has nothing of the app's code yet.
Nothing else should run. Models come from the state folder (RR_HOME), and are made there when missing.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from core import evaluate, runtime, sweep  # noqa: E402
from core.evaluation.run import Options  # noqa: E402
from core.evaluation.sweeps import Grid  # noqa: E402
from core.jobs import Job, insert_ended  # noqa: E402
from core.project import bundled  # noqa: E402
from core.runtime import Runtime  # noqa: E402
from core.weights import catalog, choice, manifest  # noqa: E402
from core.weights.catalog import Pair  # noqa: E402

RESULT = Path(__file__).with_name("evaluation.json")
SETS = ("static", "changed")
PORT = 8597
TABLE = '[data-testid="stMarkdown"] td'
REPLIES = '[data-testid="stDataFrame"] canvas'  # its cells are drawn; those in closed views are not there to be seen
FIRST = """((wanted) => {  // the frame in which each of them is seen, in milliseconds since the address was opened
  window.seen = {};
  const look = (now) => {
    for (const one of wanted)
      if (!(one in window.seen) && document.querySelector(one)?.checkVisibility()) window.seen[one] = now;
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})(%s)"""
PASSAGE = 700  # characters, about 160 tokens


def say(what: str) -> None:
    """Progress, on standard error."""
    print(f"load {os.getloadavg()[0]:.1f}  {what}", file=sys.stderr, flush=True)


def against_a_plain_loop(here: Runtime, questions: int, pair: Pair) -> dict[str, Any]:
    """(a)"""
    import llama_cpp

    models = manifest.load().models
    assert pair.fine_tuned is not None
    adapter = next(manifest.PATH.parent.glob(models[pair.fine_tuned].adapter or ""))
    project = here.projects.get("brightwater")
    here.prepare(project, project.arms, lambda _done, _text: None, lambda: False)
    asked = [question for name in SETS for question in here.questions.read(project, name)]
    few = evaluate.limited(asked, max(1, questions // len(SETS)), 0)
    options = Options(project.arms, "today")
    _done(here, evaluate.start(here, project, few[:1], options, fresh=True))  # models loaded, the first passages read
    began = time.perf_counter()
    job = _done(here, evaluate.start(here, project, few, options, fresh=True))
    ours = time.perf_counter() - began
    rows = here.jobs.rows(job.id)
    say(f"a: ours {ours:.1f} s for {len(rows)} replies")
    failed = [row for row in rows if row["problem"]]
    assert not failed, failed[0]["problem"]
    base = catalog.spec(pair.base)
    threads = here.engine.load(base)["threads"]
    here.engine.close()
    shipped = base.path.parent / models[pair.base].source.files[0].name
    plain = {
        model: llama_cpp.Llama(
            str(shipped), n_ctx=2048, n_threads=threads, n_threads_batch=threads, lora_path=lora, verbose=False
        )
        for model, lora in (("base", None), ("fine-tuned", str(adapter)))
    }
    arms = {arm.name: arm for arm in project.arms}
    theirs, written = 0.0, [0, 0]
    for place, row in enumerate(rows):
        arm, question = arms[row["arm"]], few[row["number"]]
        texts = [passage["text"] for passage in row["passages"]]
        messages = project.instruction_for(question.cls).messages(question.question, texts, arm=arm, pinned=None)
        began = time.perf_counter()
        made = plain[arm.model].create_chat_completion(
            list(messages), max_tokens=max(1, row["tokens"]["output"]), temperature=0.0
        )
        spent = time.perf_counter() - began
        theirs += spent
        written[0] += row["tokens"]["output"]
        written[1] += made["usage"]["completion_tokens"]
        say(f"a: plain, {place + 1} of {len(rows)}: {spent:.2f} s")
    ratio = theirs / ours
    return {
        "pair": pair.id,
        "questions": len(few),
        "replies": len(rows),
        "ours, s": round(ours, 2),
        "plain loop, s": round(theirs, 2),
        "times as fast": round(ratio, 2),
        "output tokens, ours and plain": written,
        "met (1.7)": ratio >= 1.7,
    }


def sweep_seconds(here: Runtime) -> dict[str, Any]:
    """(b)"""
    project = here.projects.get("brightwater")
    here.prepare_documents(project, lambda _done, _text: None, lambda: False)
    asked = [question for name in SETS for question in here.questions.read(project, name)]
    few = evaluate.limited(asked, 100, 0)
    grid = Grid()
    began = time.perf_counter()
    job = _done(here, sweep.start(here, project, few, grid, sweep.arm_of(project)))
    seconds = time.perf_counter() - began
    found = sweep.result(here, job.id)
    say(f"b: {seconds:.1f} s")
    return {
        "settings": len(found.scored),
        "questions": found.questions,
        "texts embedded": job.result["embedded"],
        "s": round(seconds, 1),
        "met (60 s)": seconds <= 60,
    }


def page_seconds(rows: int) -> dict[str, Any]:
    """(c)"""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as home:
        job_id = _filled(Path(home), rows)
        seconds = []
        with _app(home), sync_playwright() as play:
            chromium = os.environ.get("RR_CHROMIUM", "/usr/bin/chromium")
            browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = _page(browser)
            page.goto(f"http://127.0.0.1:{PORT}/")
            page.get_by_role("heading", level=1).first.wait_for()  # imports and state are warm
            empty = _timed(page, "projects", "h1")
            say(f"c: {empty} s for a page without a table")
            for _ in range(4):
                seconds.append(_timed(page, f"evaluation?evaluation={job_id}", TABLE))
                say(f"c: {seconds[-1]} s")
            began = time.perf_counter()
            page.get_by_role("tab", name="Replies").click()
            page.get_by_text(f"{rows} replies.").wait_for()
            page.locator(REPLIES).first.wait_for()
            turned = round(time.perf_counter() - began, 2)
            fresh = []
            for place, wanted in (("projects", "h1"), (f"evaluation?evaluation={job_id}", TABLE)) * 3:
                other = _page(browser)  # a context of its own, so nothing is kept
                fresh.append(_timed(other, place, wanted))
                other.context.close()
            browser.close()
    return {
        "rows": rows,
        "first visit, s": seconds[0],
        "again, s": seconds[1:],
        "a page without a table, s": empty,
        "turned to the replies, s": turned,
        "a browser without the app's code, s": fresh[1::2],
        "the same, a page without a table, s": fresh[::2],
        "met (1.5 s)": max(seconds) <= 1.5,
    }


def _page(browser: Any) -> Any:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(120_000)
    page.add_init_script(FIRST % json.dumps(["h1", TABLE]))
    return page


def _timed(page: Any, place: str, wanted: str) -> float:
    """Seconds from an address to the frame in which something is seen."""
    page.goto(f"http://127.0.0.1:{PORT}/{place}")
    page.wait_for_function("wanted => wanted in (window.seen ?? {})", arg=wanted)
    return round(page.evaluate("wanted => window.seen[wanted]", wanted) / 1000, 2)


def _filled(home: Path, rows: int) -> str:
    """A state folder with one finished evaluation of so many rows; its id."""
    os.environ["RR_HOME"] = str(home)
    here = Runtime()
    project = bundled.all_bundled()["brightwater"]
    asked = [question for name in SETS for question in here.questions.read(project, name)]
    many = [replace(asked[n % len(asked)], fact=f"fact {n}") for n in range(-(-rows // len(project.arms)))]
    texts = {path.name: path.read_text() for path in sorted((ROOT / project.folder / "today").rglob("*.md"))}
    pieces = [
        {"document": name, "title": name, "heading": "", "text": text[at : at + PASSAGE]}
        for name, text in texts.items()
        for at in range(0, len(text), PASSAGE)
    ]
    made = [
        {
            "number": number,
            "arm": arm.name,
            "reply": f"It is {question.answer if (number + place) % 3 else 'not known to me'}, as far as I can see.",
            "passages": [pieces[(7 * number + at) % len(pieces)] for at in range(3)] if arm.retrieves else [],
            "problem": None,
            "finish": "stop",
            "timing": {"ttft_total": 100.0, "total": 400.0 + number % 7},
            "tokens": {"prompt": 300, "output": 20},
            "model": "scripted",
        }
        for number, question in enumerate(many)
        for place, arm in enumerate(project.arms)
    ][:rows]
    options = Options(project.arms, "today")
    parameters = {
        "project": project.id,
        "name": "bench",
        "questions": [question.row() for question in many],
        "options": evaluate.records.plain(options),
        "before": [],
    }
    now = time.time()
    job = Job("bench0000000", evaluate.KIND, None, "done", 1.0, "", now, now, "bench", parameters, {"rows": rows})
    here.store.write(lambda db: insert_ended(db, job, made))
    evaluate.result(here, job.id)  # as at the end of any run: its report is kept
    here.close()
    return job.id


@contextmanager
def _app(home: str) -> Iterator[None]:
    command = [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={PORT}", "--server.headless=true"]
    environment = os.environ | {"RR_HOME": home, "PIP_NO_INDEX": "1"}
    with tempfile.TemporaryFile() as log:
        app = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            _answers(f"http://127.0.0.1:{PORT}/_stcore/health")
            yield
        finally:
            app.terminate()
            app.wait()


def _answers(address: str) -> None:
    import urllib.error
    import urllib.request

    until = time.monotonic() + 300
    while True:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def _done(here: Runtime, job: Job) -> Job:
    job = here.jobs.wait(job.id)
    assert job.state == "done", job.message
    return job


def main() -> None:
    """Run what is asked for and print it; with --write keep it beside this file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="a,b,c")
    parser.add_argument("--questions", type=int, default=40)
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--pair", choices=("small", "standard"), default="small")
    given = parser.parse_args()
    pair = catalog.default().pair(given.pair)
    assert pair is not None and pair.fine_tuned is not None
    os.environ |= {choice.VARIABLES["base"]: pair.base, choice.VARIABLES["fine-tuned"]: pair.fine_tuned}
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "a": lambda: against_a_plain_loop(runtime.get(), given.questions, pair),
        "b": lambda: sweep_seconds(runtime.get()),
        "c": lambda: page_seconds(given.rows),
    }
    found: dict[str, Any] = {"load before": round(os.getloadavg()[0], 1), "processors": os.cpu_count()}
    for name, measure in parts.items():
        if name in given.only:
            found[name] = measure()
            runtime.close()
    text = json.dumps(found, indent=2)
    print(text)
    if given.write:
        RESULT.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

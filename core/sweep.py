"""Retrieval settings over a question set as a background job, for page and command alike. Knows the runtime's parts.

Each way of splitting is a throw-away base beside the project's own, which is only read. A passage's text is embedded
once for all of them, a question once; top-k, mode, weight and threshold only rank again. A row of the job is one
setting's outcome, so a sweep that was stopped goes on with the ways of splitting it has not tried.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

import msgspec

from core import arms, evaluate
from core.arms import Arm, Search
from core.errors import Problem
from core.evaluation import hits, questions, sweeps
from core.evaluation.questions import Question
from core.evaluation.run import Options
from core.evaluation.sweeps import Grid, Measure, Outcome, Setting, Sweep
from core.evaluation.variants import Variant
from core.project import Project
from core.retrieval.rankings import ALIKE
from core.retrieval.values import BUNDLED, CURRENT, Embedding

if TYPE_CHECKING:
    from core.jobs import Job, JobContext
    from core.retrieval.index import Hit
    from core.retrieval.rankings import Rankings
    from core.runtime import Runtime

KIND: Final = "sweep"
FEW: Final = 40  # questions put to the model where two settings differ


class Stopped(Exception):
    """The job was asked to stop."""


def arm_of(project: Project, name: str = "") -> Arm:
    """The arm whose search is the present one: that of the name, else the project's first that retrieves."""
    if name:
        arm = project.arm(name)
        if not arm.retrieves:
            raise Problem(f"'{project.title_of(arm)}' does not retrieve: choose an arm that does.")
        return arm
    found = next((arm for arm in project.arms if arm.retrieves), None)
    return found or Arm(project.models[0].id if project.models else "base", "retrieval")


def present(here: "Runtime", project: Project, arm: Arm) -> Setting:
    """What an arm searches with now."""
    return Setting.of(arm.search, here.knowledge(project).settings)


def start(
    here: "Runtime",
    project: Project,
    asked: Sequence[Question],
    grid: Grid,
    arm: Arm,
    snapshot: str | None = None,
) -> "Job":
    """Begin in the background; the present setting is tried beside the grid's. Raises Problem on what cannot be run."""
    chosen, now = sweeps.asked(asked), present(here, project, arm)
    own = here.knowledge(project).embedding
    named = replace(grid, embedder=tuple("" if _is(own, name) else name for name in grid.embedder))
    settings = tuple(dict.fromkeys((now, *named.settings(now.overlap))))
    if snapshot is not None and snapshot not in project.snapshots:
        known = ", ".join(project.snapshots) or "none in this project"
        raise Problem(f"Unknown snapshot '{snapshot[:40]}'. Snapshots: {known}.")
    if not here.knowledge(project).count(snapshot or CURRENT):
        raise Problem("There are no documents to search: add some on Documents first.")
    parameters = {
        "project": project.id,
        "questions": [question.row() for question in chosen],
        "settings": msgspec.to_builtins(settings),
        "present": msgspec.to_builtins(now),
        "arm": arm.name,
        "search": msgspec.to_builtins(arm.search),
        "snapshot": snapshot,
    }
    state = (parameters, here.knowledge(project).generation)
    key = hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()[:16]
    return here.jobs.start(KIND, lambda job: work(here.machine, job), key=key, parameters=parameters)


def jobs(here: "Runtime", project: Project) -> "list[Job]":
    """The project's sweeps, newest first."""
    return [job for job in here.jobs.list(KIND) if job.parameters["project"] == project.id]


def work(here: "Runtime", job: "JobContext") -> dict[str, Any]:
    """The job itself. Gives how many texts were embedded for it."""
    from core.retrieval.trial import embedder_of, split_otherwise

    given = job.parameters
    asked, settings = questions.from_rows(given["questions"]), _settings(given)
    knowledge, snapshot = here.knowledge(here.projects.get(given["project"])), given["snapshot"]
    tried = {sweeps.outcome(row).setting for row in job.rows()}
    left = sorted((one for one in settings if one not in tried), key=_split)
    embedders = {name: embedder_of(knowledge, name) for name in dict.fromkeys(["", *(one.embedder for one in left)])}
    if embedders[""] is None and any(one.mode != "sparse" and not one.embedder for one in left):
        raise Problem("The embedder is not fetched yet: sweep words alone (sparse), or fetch it on Model files first.")
    paths = [document.path for document in knowledge.documents(snapshot or CURRENT)]
    ways = [(split, list(of)) for split, of in groupby(left, key=_split)]
    steps = _Steps(job, len(ways) * (len(paths) + len(asked)))
    filters = msgspec.convert(given["search"], Search).filters
    try:
        for _, of in ways:
            splitting, embedder = of[0].split, embedders[of[0].embedder]
            named = f"{splitting.splitter} of {splitting.chunk_size} tokens"
            read = steps.each(f"Splitting and embedding by {named}")
            with split_otherwise(knowledge, splitting, paths, snapshot, embedder=embedder, added=read) as other:
                embed = None if embedder is None else embedder.embed
                rankings, ranked = other.rankings(filters), steps.each(f"Ranking by {named}")
                for outcome in outcomes(rankings, asked, of, embed, snapshot, ranked):
                    job.append(sweeps.row(outcome))
    except Stopped:
        return {"embedded": sum(one.made for one in embedders.values() if one)}
    job.progress(1.0, f"{len(settings)} settings over {len(asked)} questions")
    return {"embedded": sum(one.made for one in embedders.values() if one)}


def outcomes(
    rankings: "Rankings",
    asked: Sequence[Question],
    settings: Sequence[Setting],
    embed: Callable[[str], Any] | None,
    snapshot: str | None,
    done: Callable[[str], None] = lambda _question: None,
) -> Iterator[Outcome]:
    """What settings of one way of splitting find, each question searched once for all of them."""
    made: dict[Setting, list[tuple[bool, int, int]]] = {setting: [] for setting in settings}
    passages = rankings.passages
    sizes = {max(setting.k, ALIKE) for setting in settings}
    vectors = embed is not None and any(setting.mode != "sparse" for setting in settings)
    for question in asked:
        text = question.question.strip()
        vector = embed(text) if vectors and embed else None
        found = {size: rankings.found(text, vector, size) for size in sizes}
        accepted = question.expected(snapshot)
        held: dict[int, bool] = {}
        ranked: dict[tuple[str, float, int], list[Hit]] = {}
        for setting in settings:
            way = (setting.mode, setting.weight, max(setting.k, ALIKE))
            if way not in ranked:
                ranked[way] = rankings.ranked(found[way[-1]], setting.mode, setting.k, setting.weight)
            chunks = rankings.chunks(ranked[way], setting.k, setting.threshold)
            for chunk in chunks:
                if chunk not in held:
                    held[chunk] = hits.stands_here(question, passages[chunk], accepted)
            rank = next((place for place, chunk in enumerate(chunks, 1) if held[chunk]), 0)
            whole = bool(rank)
            if hits.by_place(question):
                whole = hits.hit(question, [passages[chunk] for chunk in chunks], accepted)
            made[setting].append((whole, rank, sum(passages[chunk].tokens for chunk in chunks)))
        done(text)
    for setting, each in made.items():
        yield Outcome(setting, *(tuple(part) for part in zip(*each, strict=True)))


def result(here: "Runtime", job_id: str, measure: Measure = "hit") -> Sweep:
    """The settings tried so far, ranked."""
    job = _job(here, job_id)
    tried = [sweeps.outcome(row) for row in here.jobs.rows(job_id)]
    return sweeps.summed(tried, questions.from_rows(job.parameters["questions"]), _present(job), measure)


def as_json(here: "Runtime", job_id: str, measure: Measure = "hit") -> dict[str, Any]:
    """A sweep as the command prints it."""
    job, found = here.jobs.get(job_id), result(here, job_id, measure)
    made: dict[str, Any] = msgspec.to_builtins(found)
    head = {"id": job_id, "project": job.parameters["project"], "state": job.state, "arm": job.parameters["arm"]}
    return {**head, "snapshot": job.parameters["snapshot"], "sentence": found.sentence, **made}


def apply(here: "Runtime", project: Project, setting: Setting) -> "Job | None":
    """Make a setting that of the project's arms with retrieval, and of its documents where it splits them otherwise:
    then a job indexes them again. Raises Problem on a bundled project."""
    here.projects.change(project.id, arms=tuple(setting.into(arm) if arm.retrieves else arm for arm in project.arms))
    knowledge = here.knowledge(project)
    now = knowledge.settings
    wanted = replace(now, splitter=setting.splitter, chunk_size=setting.chunk_size, overlap=setting.overlap)
    if wanted == now and not setting.embedder:
        return None
    if setting.embedder:
        knowledge.choose_embedding(knowledge.plan_embedding(_embedding(setting.embedder))[0])
    knowledge.configure(wanted)
    return here.jobs.start(
        "index",
        lambda job: knowledge.catch_up(job.progress, lambda: job.cancelled),
        parameters={"project": project.id},
    )


def differing(here: "Runtime", job_id: str, setting: Setting) -> tuple[Question, ...]:
    """The questions whose answer only one of a setting and the present one finds, at most FEW."""
    job = _job(here, job_id)
    tried = {found.setting: found for found in map(sweeps.outcome, here.jobs.rows(job_id))}
    now = _present(job)
    if setting not in tried or now not in tried:
        raise Problem("That setting has not been tried in this sweep.")
    asked = questions.from_rows(job.parameters["questions"])
    return tuple(asked[place] for place in sweeps.differing(tried[now], tried[setting])[:FEW])


def ask_model(here: "Runtime", project: Project, job_id: str, setting: Setting, name: str = "") -> "Job":
    """An evaluation of the arm with the present setting beside the same arm with another one, on the questions where
    the two differ. Raises Problem when there are none."""
    asked = differing(here, job_id, setting)
    if not asked:
        raise Problem("The two settings find the answer to the same questions: there is nothing to ask the model.")
    job = _job(here, job_id)
    arm, now = project.arm(job.parameters["arm"]), _present(job)
    two = tuple(
        replace(one.into(arm), label=f"{arm.name}: {word}") for word, one in (("present", now), ("swept", setting))
    )
    base = here.knowledge(project).settings
    variants = tuple(
        Variant(each.name, split=one.split, embedder=one.embedder)
        for each, one in zip(two, (now, setting), strict=True)
        if one.embedder or (one.splitter, one.chunk_size, one.overlap) != (base.splitter, base.chunk_size, base.overlap)
    )
    arms.check(two)
    options = Options(two, job.parameters["snapshot"], variants=variants)
    return evaluate.start(here, project, asked, options, name=name or "where two retrieval settings differ")


class _Steps:
    """Progress in steps, and the look whether to stop, which raises Stopped."""

    def __init__(self, job: "JobContext", total: int) -> None:
        self._job, self._total, self._done = job, max(1, total), 0

    def each(self, text: str) -> Callable[[str], None]:
        """What to call after each step."""

        def step(_what: str) -> None:
            if self._job.cancelled:
                raise Stopped
            self._done += 1
            self._job.progress(self._done / self._total, text)

        return step


def _split(setting: Setting) -> tuple[str, int, int, str]:
    """What takes a base of its own."""
    return setting.splitter, setting.chunk_size, setting.overlap, setting.embedder


def _embedding(name: str) -> Embedding:
    return Embedding("" if name == BUNDLED else name)


def _is(own: Embedding, name: str) -> bool:
    """Whether that is what the base has anyway."""
    return not own.url and own.file == _embedding(name).file


def _settings(given: dict[str, Any]) -> tuple[Setting, ...]:
    return msgspec.convert(given["settings"], tuple[Setting, ...])


def _present(job: "Job") -> Setting:
    return msgspec.convert(job.parameters["present"], Setting)


def _job(here: "Runtime", job_id: str) -> "Job":
    job = here.jobs.get(job_id)
    if job.kind != KIND:
        raise Problem("That job is no sweep.")
    return job

"""Proposals as a background job, for page and command alike. Knows the runtime's parts; the rules are elsewhere.

The job's rows are every question that was written, with why it was refused; what is proposed goes into a question set
of the project, marked as not reviewed. When its process ends on the way the next one keeps what the rows propose, and
goes on with the candidates that were not tried.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from core.engine import Request, Sampling
from core.errors import Problem
from core.evaluation import proposing
from core.evaluation.proposing import Candidate, Written
from core.evaluation.questions import Question
from core.project import Project
from core.project.instruction import Message
from core.project.sets import LONGEST_NAME

if TYPE_CHECKING:
    from core.engine import Generation, ModelSpec
    from core.jobs import Job, JobContext
    from core.runtime import Runtime

KIND: Final = "propose"
SET: Final = "proposals"
MOST: Final = 500
WRITING: Final = Sampling(max_tokens=48, stop=("\n",))
CLOSED: Final = Sampling(max_tokens=48)
POLL_S: Final = 0.1
AHEAD: Final = 2  # questions written at a time: as many as a model computes together


class Stopped(Exception):
    """Somebody cancelled the job; what was proposed before is kept."""


def start(here: "Runtime", project: Project, model: str, wanted: int = 50, name: str = SET) -> "Job":
    """Begin in the background. Raises Problem on what cannot be run."""
    check(project, model, wanted, name)
    parameters = {"project": project.id, "model": model, "wanted": wanted, "set": name}
    return here.jobs.start(KIND, lambda job: work(here.machine, job), key=project.id, parameters=parameters)


def check(project: Project, model: str, wanted: int, name: str) -> None:
    """Raises Problem on what cannot be run, before anything is loaded."""
    if project.bundled:
        raise Problem(f"'{project.title}' is bundled and has its questions: duplicate it, and propose for the copy.")
    project.model(model)
    if not 1 <= wanted <= MOST:
        raise Problem(f"Between 1 and {MOST} proposals can be asked for, not {wanted}.")
    if not name.strip() or len(name) > LONGEST_NAME:
        raise Problem(f"A question set needs a name of at most {LONGEST_NAME} characters.")


def jobs(here: "Runtime", project: Project) -> "list[Job]":
    """The project's proposal jobs, newest first."""
    return [job for job in here.jobs.list(KIND) if job.parameters.get("project") == project.id]


def work(here: "Runtime", job: "JobContext") -> dict[str, Any]:
    """The job itself. Gives how many were proposed and refused. Raises Problem when there is nothing to ask about."""
    given = job.parameters
    project, name = here.projects.get(str(given["project"])), str(given["set"])
    earlier = here.jobs.rows(job.id)  # of a process that ended
    made = [_question(row) for row in earlier if not row["refused"]]
    _keep(here, project, name, made)
    knowledge = here.knowledge(project)
    documents = {document.path: knowledge.chunks(document.path) for document in knowledge.documents()}
    if not documents:
        raise Problem("There are no documents to ask about: add some first.")
    found = proposing.candidates(documents)
    if not found:
        raise Problem("No sentence of the documents holds a short answer (a number, a name, a piece of code).")
    there = tuple(question for each in here.questions.names(project) for question in here.questions.read(project, each))
    done = {(row["document"], row["fact"], row["answer"]) for row in earlier}
    left = [one for one in found if (one.place, one.fact, one.answer) not in done]
    wanted, tried = int(given["wanted"]), len(earlier)
    try:
        for tried, written in enumerate(
            _written(here, project, job, left, (*there, *made), wanted - len(made)), len(earlier) + 1
        ):
            job.append(
                {
                    "question": written.question,
                    "answer": written.candidate.answer,
                    "document": written.candidate.place,
                    "fact": written.candidate.fact,
                    "refused": written.refused,
                }
            )
            if not written.refused:
                made.append(written.as_question())
            share = max(len(made) / wanted, tried / len(found))
            job.progress(share, f"{len(made)} of {wanted} proposed; {tried} of {len(found)} tried")
    except Stopped:
        pass
    finally:
        _keep(here, project, name, made)
    return {"proposed": len(made), "refused": tried - len(made), "candidates": len(found), "set": name}


def _written(
    here: "Runtime",
    project: Project,
    job: "JobContext",
    found: Sequence[Candidate],
    known: Sequence[Question],
    wanted: int,
) -> Iterator[Written]:
    parts, model = here.parts(project), project.model(str(job.parameters["model"]))
    writer, base = parts.spec(model.id), parts.spec(model.base or model.id)
    ahead: dict[Candidate, Generation] = {}

    def submit(spec: "ModelSpec", chat: tuple[Message, ...], sampling: Sampling) -> "Generation":
        return parts.engine.submit(Request(spec, (chat,), sampling, owner=f"propose {project.id}", background=True))

    def wait(generation: "Generation") -> str:
        while not job.cancelled:
            with suppress(TimeoutError):
                return generation.wait(POLL_S).text
        for one in (generation, *ahead.values()):
            one.cancel()
        raise Stopped

    def write(candidate: Candidate) -> str:
        place = found.index(candidate)
        for one in found[place : place + AHEAD]:
            if one not in ahead:
                ahead[one] = submit(writer, proposing.chat(one), WRITING)
        text = wait(ahead[candidate])
        del ahead[candidate]
        return text

    def knows(question: str) -> str:
        return wait(submit(base, project.instruction.messages(question), CLOSED))

    return proposing.propose(found, known, wanted, write, knows)


def _question(row: Mapping[str, Any]) -> Question:
    """What a row of the job proposes."""
    return proposing.proposal(str(row["question"]), str(row["answer"]), str(row["document"]))


def _keep(here: "Runtime", project: Project, name: str, made: Sequence[Question]) -> None:
    """Add the proposals to the set, beside what a person has there by now; one that is there stays as it is."""
    there = here.questions.read(project, name) if name in here.questions.names(project) else ()
    known = {question.question for question in there}
    if new := [question for question in made if question.question not in known]:
        here.questions.save(project, name, (*there, *new))

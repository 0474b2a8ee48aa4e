"""Proposals: what the rules find, refuse and let through; the job with a scripted engine; three with the real base."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import propose, runtime, schema
from core.__main__ import main
from core.arms import Arm
from core.ask import Parts
from core.engine import Generation, ModelSpec, Request, Result
from core.errors import Problem
from core.evaluation import proposing, scoring
from core.evaluation.proposing import Candidate, alike, answers, candidates, refusal, sentences, tidy
from core.project import Model, Project
from core.retrieval import Chunk
from core.runtime import Runtime

ROOT = Path(__file__).resolve().parents[2]
PUMP = "# Torrent pump\n\n## Size\n\nThe Torrent pump holds 3 litres and weighs 7 kg. It is built in Malmo by hand.\n"
LAMP = "# Dusk lamp\n\n## Cleaning\n\nTo clean the Dusk lamp, run `dusk wipe` once. It was designed by Ada Brook.\n"
HOUSE = "# Rowan house\n\nThe Rowan house opens at 9:30 and keeps 12 rooms for guests of the valley.\n"
BOOKS = {"pump.md": PUMP, "lamp.md": LAMP, "house.md": HOUSE}


def one(**changes: str) -> Candidate:
    fact = "The Torrent pump holds 3 litres and weighs 7 kg."
    return replace(Candidate("pump.md#size", "Torrent pump > Size", fact, "3 litres", fact), **changes)


def test_answers_stand_in_the_passage_and_say_their_place() -> None:
    chunk = Chunk("Torrent pump", "Size", PUMP.split("## Size")[1], 0, 1, 9)
    found = candidates({"pump.md": [chunk, chunk], "empty.md": []})
    assert {c.answer for c in found} == {"3 litres", "7 kg", "Malmo"}
    assert all(c.answer in c.passage and c.place == "pump.md#size" for c in found)


def test_documents_take_turns() -> None:
    chunks = {path: [Chunk(path, "", text, 0, 1, 9)] for path, text in BOOKS.items()}
    assert [c.place for c in candidates(chunks)][:3] == ["pump.md", "lamp.md", "house.md"]


def test_only_prose_is_asked_about() -> None:
    text = (
        "# 3 heads\n\n[![Badge 7](x.png)](y)\n\n| a 5 | b |\n\n```\nprint(9)\n```\n\n"
        "See https://x.y/3 for 4 more words.\n\n"
        "- The **tool** keeps [12 logs](z) for a week.\n- Short one."
    )
    assert list(sentences(text)) == ["The tool keeps 12 logs for a week."]


@pytest.mark.parametrize(
    ("fact", "wanted"),
    [
        ("Set `--depth` to 12 if you like.", ["--depth", "12"]),
        ('It says "not today" at noon.', ["not today"]),
        ("It costs $3.50 or 40% of that.", ["$3.50", "40%"]),
        ("The last one made for Python 2 was 7.", ["7", "Python 2"]),
        ("It was drawn by Ada Brook in March.", ["Ada Brook", "March"]),
        ("Nothing of it can be named here.", []),
    ],
)
def test_what_can_be_an_answer(fact: str, wanted: list[str]) -> None:
    assert answers(fact, fact, "Subject")[:2] == wanted


@pytest.mark.parametrize(
    ("question", "why"),
    [
        ("How much does the Torrent pump hold?", ""),
        ("How much does the Torrent pump hold", "no question"),
        ("How much " + "very " * 30 + "does the Torrent pump hold?", "too long"),
        ("Does the Torrent pump hold 3 litres?", "holds its answer"),
        ("How much does this pump hold?", "points at"),
        ("How much does it hold?", "name its subject"),
        ("How much Torrent pump?", "ask for the fact"),
        ("What is the purpose of what the Torrent pump holds?", "no short answer"),
        ("Which Spanish wizard weighs the Torrent pump holds?", "passage does not"),
        ("Who holds the Torrent pump?", "another kind"),
        ("How much does a Torrent pump hold?", ""),
    ],
)
def test_rules_refuse_with_a_reason(question: str, why: str) -> None:
    found = refusal(one(), question, [])
    assert (why in found) if why else not found


def test_near_duplicates_and_foreign_answers_are_refused() -> None:
    asked = ["How much do the Torrent pumps hold?"]
    assert "already" in refusal(one(), "How much does a Torrent pump hold?", asked)
    assert "does not stand" in refusal(one(answer="4 litres"), "How much does the Torrent pump hold?", [])


@given(st.text(max_size=200))
def test_a_question_is_like_itself_and_tidied_once(text: str) -> None:
    assert tidy(tidy(text)) == tidy(text)
    assert not proposing.content(text) or alike(text, text)


@given(st.text(max_size=400), st.text(max_size=20))
def test_whatever_a_document_holds_its_answers_stand_in_it(text: str, title: str) -> None:
    for c in candidates({"a.md": [Chunk(title, "", text, 0, 1, 9)]}):
        assert c.answer and c.answer in text and len(c.answer) <= proposing.LONGEST_ANSWER


def test_what_the_base_knows_is_not_proposed_and_enough_is_enough() -> None:
    found = [one(), one(answer="7 kg", passage=one().passage)]
    write = {"3 litres": "How much does the Torrent pump hold?", "7 kg": "How much weighs the Torrent pump?"}
    known = list(proposing.propose(found, [], 5, lambda c: write[c.answer], lambda _: "It is 3 litres, I think."))
    assert [w.refused for w in known] == ["the model knows it without the documents", ""]
    assert len(list(proposing.propose(found, [], 1, lambda c: write[c.answer], lambda _: "No idea."))) == 1
    question = known[1].as_question()
    assert (question.reviewed, question.origin, question.documents) == (False, "proposed", ("pump.md#size",))


@dataclass
class Writer:
    """An engine that writes a question from the fact it is shown, and knows nothing closed book."""

    requests: list[Request] = field(default_factory=list)

    def load(self, spec: ModelSpec) -> dict[str, Any]:
        return {}

    def rows(self, spec: ModelSpec) -> int:
        return 1

    def submit(self, request: Request) -> Generation:
        self.requests.append(request)
        text = request.alternatives[0][-1]["content"]
        lines = dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)
        reply = "I do not know."
        if "Fact" in lines:
            words = [w for w in lines["Fact"].rstrip(".").split() if w not in lines["Answer"].split()]
            reply = f"What of {' '.join(words)} is it with {lines['Subject'].split(' > ')[0]}?"
        made = Generation(request)
        timing = {"ttft_engine": 1.0, "queue": 0.0, "total": 2.0}
        made.finish(Result(reply, "stop", text, 0, timing, {"prompt": 9, "output": 3}, {}, {"file_sha256": "x"}))
        return made


def scripted(writer: Writer) -> Callable[[Runtime, Project], Parts]:
    """What a runtime answers with instead of models."""

    def parts(here: Runtime, project: Project) -> Parts:
        return Parts(
            project, writer, lambda: here.knowledge(project), lambda model: ModelSpec(model, Path("none.gguf"))
        )

    return parts


@pytest.fixture
def mine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A project with three short documents, one model, and the scripted writer."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setattr(Runtime, "parts", scripted(Writer()))
    yield prepared("base")
    runtime.close()


def prepared(file: str) -> Project:
    here = runtime.get()
    made = here.projects.create("Mine")
    made = here.projects.save(replace(made, models=(Model("base", "Base", file),), arms=(Arm("base"),)))
    for path, text in BOOKS.items():
        here.knowledge(made).add(path, text)
    return made


def test_the_job_fills_a_set_that_nobody_has_reviewed(mine: Project) -> None:
    here = runtime.get()
    job = here.jobs.wait(propose.start(here, mine, "base", 4).id, 60)
    assert job.state == "done" and job.result["proposed"] == 4, job.message
    made = here.questions.read(mine, propose.SET)
    assert len(made) == 4 and not any(one.reviewed for one in made)
    texts = {path: here.knowledge(mine).text(path) for path in BOOKS}
    assert all(one.answer in texts[one.documents[0].split("#")[0]] for one in made)
    again = here.jobs.wait(propose.start(here, mine, "base", 50).id, 60)
    assert any("already" in row["refused"] for row in here.jobs.rows(again.id))  # what is there is not asked twice
    kept = here.questions.read(mine, propose.SET)
    assert kept[:4] == made and len({one.question for one in kept}) == len(kept)


def test_a_stopped_job_keeps_what_it_has(mine: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    here, submit = runtime.get(), Writer.submit

    def stopping(self: Writer, request: Request) -> Generation:
        if len(self.requests) == 6:
            here.jobs.cancel(propose.jobs(here, mine)[0].id)
        return submit(self, request)

    monkeypatch.setattr(Writer, "submit", stopping)
    job = here.jobs.wait(propose.start(here, mine, "base").id, 60)
    assert job.state == "cancelled"
    proposed = [row for row in here.jobs.rows(job.id) if not row["refused"]]
    assert 0 < len(proposed) == len(here.questions.read(mine, propose.SET))


KILLED = """
import os
from core import propose, runtime
from tests.evaluation.test_proposing import Writer, scripted
runtime.Runtime.parts, asked, submit = scripted(Writer()), [], Writer.submit
def killing(self, request):
    asked.append(request)
    return os.kill(os.getpid(), 9) if len(asked) == 9 else submit(self, request)
Writer.submit = killing
here = runtime.get()
here.jobs.wait(propose.start(here, here.projects.get("mine"), "base", 5).id)
"""


def test_what_was_proposed_before_a_kill_is_there_at_the_next_start(mine: Project) -> None:
    runtime.close()
    killed = subprocess.run([sys.executable, "-c", KILLED], cwd=ROOT, check=False)
    assert killed.returncode == -signal.SIGKILL
    here = runtime.get()
    (job,) = propose.jobs(here, mine)
    before = [row for row in here.jobs.rows(job.id) if not row["refused"]]
    assert job.stale and before and here.questions.names(mine) == []
    runtime.close()
    here = Runtime(resume=True)
    try:
        done = here.jobs.wait(job.id, 60)
        rows, kept = here.jobs.rows(job.id), here.questions.read(mine, propose.SET)
    finally:
        here.close()
    assert done.state == "done" and done.result["proposed"] == len(kept) == 5, done.message
    assert [one.question for one in kept[: len(before)]] == [row["question"] for row in before]
    assert not any(one.reviewed for one in kept) and len({one.question for one in kept}) == 5
    tried = [(row["document"], row["fact"], row["answer"]) for row in rows]
    assert len(set(tried)) == len(tried) == done.result["proposed"] + done.result["refused"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--model", "other"], "no model"),
        (["--wanted", "0"], "Between 1"),
        (["--set", " "], "name"),
        (["--project", "brightwater"], "bundled"),
        (["--project", "nowhere"], "no project"),
    ],
)
def test_the_command_says_what_is_wrong(
    arguments: list[str], says: str, mine: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["propose", "--project", mine.id, *arguments]) == 2
    shown = capsys.readouterr()
    assert says in shown.err and not shown.out


def test_a_project_without_documents_says_so(mine: Project) -> None:
    here = runtime.get()
    for path in BOOKS:
        here.knowledge(mine).delete(path)
    job = here.jobs.wait(propose.start(here, mine, "base").id, 60)
    assert job.state == "failed" and "no documents" in job.message
    with pytest.raises(Problem, match="no question set"):
        here.questions.read(mine, propose.SET)


@pytest.mark.real
def test_the_small_base_proposes_three_of_three_short_documents(
    real_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RR_HOME", str(tmp_path))
    (tmp_path / "models").symlink_to(real_home / "models")
    made = prepared("base")
    runtime.close()
    assert main(["propose", "--project", made.id, "--wanted", "3", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator(schema.schema("propose")).validate(found)
    assert found["proposed"] == 3, found
    for row in (row for row in found["rows"] if not row["refused"]):
        text = BOOKS[row["document"].split("#")[0]]
        assert row["answer"] in text and row["question"].endswith("?")
        assert not scoring.holds(row["question"], [row["answer"]])

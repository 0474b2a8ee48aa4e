"""Votes by hand: kept once a person and thing, taken along, refused when hostile; strengths recovered."""

import csv
import io
import json
import math
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from core import runtime, votes
from core.__main__ import main
from core.errors import Problem
from core.evaluation.preferences import Preferences, preferences
from core.evaluation.statistics import PSEUDO
from core.project import whole
from core.runtime import Runtime
from core.votes import CauseMark, Mark, Place, Vote
from tests.project.made import fill

PLACE = Place("evaluation", "0123456789ab", 1)


@pytest.fixture
def here() -> Iterator[Runtime]:
    yield runtime.get()
    runtime.close()


def one(question: str, best: tuple[str, ...], shown: tuple[str, ...] = ("a", "b")) -> Vote:
    return Vote(place=PLACE, question=question, shown=shown, best=best)


def test_a_vote_is_kept_once_a_person_and_thing_however_the_answers_lay(here: Runtime) -> None:
    first = votes.vote(PLACE, "Which?", ("a", "b"), "left", voter=" Ada\n", acceptable={"a": True})
    second = votes.vote(PLACE, "Which?", ("b", "a"), "left", voter="Ada")
    other = votes.vote(PLACE, "Which?", ("a", "b"), "both bad", voter="Bo")
    mark = Mark(place=PLACE, question="Which?", arm="a", right=False)
    cause = CauseMark(place=PLACE, question="Which?", arm="a", stated="x", cause="y")
    here.votes.save("brightwater", first, other, mark, cause)
    here.votes.save("brightwater", second)
    assert first.voter == "Ada" and (first.choice, second.choice, other.choice) == ("left", "left", "both bad")
    assert {say.id for say in here.votes.votes("brightwater")} == {second.id, other.id} == {first.id, other.id}
    assert [vote.best for vote in here.votes.votes("brightwater") if vote.voter == "Ada"] == [("b",)]
    assert here.votes.marks("brightwater") == [mark] and here.votes.causes("brightwater", PLACE.id) == [cause]
    assert here.votes.all("brightwater", "ffffffffffff") == [] == here.votes.all("other")
    assert here.votes.delete("brightwater", mark.id) and not here.votes.delete("brightwater", mark.id)


def test_the_order_shown_is_drawn_by_the_seed() -> None:
    drawn = {votes.shuffled(("a", "b", "c"), seed) for seed in range(60)}
    assert len(drawn) == 6 and votes.shuffled(("a", "b"), 5) == votes.shuffled(("a", "b"), 5)


def test_a_project_file_takes_votes_along_and_they_follow_their_results(here: Runtime) -> None:
    project = fill(here)
    run = here.stored_runs.latest(project.id)[0]
    says = [
        votes.vote(PLACE, "Which?", ("small", "small+retrieval"), "tie"),
        votes.vote(Place("run", run.id), "Why?", ("small", "x", "y"), ["x", "y"], acceptable={"y": False}),
        Mark(place=PLACE, question="Which?", arm="small", right=True, made=votes.now()),
    ]
    here.votes.save(project.id, *says)
    out = io.BytesIO()
    whole.export(here, project, out)
    out.seek(0)
    taken, _ = whole.take_in(here, out)
    there = here.votes.all(taken.id)
    assert [(type(say), say.question, say.about) for say in there] == [(type(s), s.question, s.about) for s in says]
    new = {say.place.id for say in there}
    assert not new & {PLACE.id, run.id} and here.jobs.get(there[0].place.id).parameters["project"] == taken.id
    assert here.stored_runs.get(there[1].place.id).project == taken.id


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"choice": "middle", "best": None}, "one of left, right"),
        ({"best": ["c"]}, "only choose"),
        ({"best": ["a", "a"]}, "only choose"),
        ({"shown": ["a", "a"], "best": []}, "different arms"),
        ({"shown": ["a"], "best": []}, "different arms"),
        ({"shown": ["a"] * 99}, "length"),
        ({"question": "x" * 9_000}, "length"),
        ({"place": {"kind": "run", "id": "../../etc"}}, "regex"),
        ({"place": {"kind": "run", "id": "abcdef", "number": -1}}, "number"),
        ({"made": "yesterday"}, "isoformat"),
        ({"kind": "curse"}, "Invalid value"),
        ({"extra": 1}, "extra"),
        ({"acceptable": {"zz": True}}, "mark arms"),
        ({"seed": 2**60}, "seed"),
    ],
)
def test_what_is_no_vote_is_refused_in_one_line(change: dict, said: str) -> None:
    good = json.loads(json.dumps(votes.row(one("q", ("a",)))))
    assert votes.read({**good, "made": ""}) == one("q", ("a",))
    raw = {name: value for name, value in {**good, "made": "", **change}.items() if value is not None}
    with pytest.raises(Problem, match=said) as refused:
        votes.read(raw)
    assert "\n" not in refused.value.message and len(refused.value.message) < 400


def test_the_command_adds_lists_and_exports(here: Runtime, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [
        {"place": {"kind": "run", "id": "abcdef"}, "question": "=1+1", "shown": ["a", "b"], "choice": "left"},
        {"kind": "mark", "place": {"kind": "run", "id": "abcdef"}, "question": "q", "arm": "a", "right": True},
    ]
    file = tmp_path / "votes.jsonl"
    file.write_text("\n".join(map(json.dumps, lines)))
    assert main(["votes", "add", str(file), "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["added"] == 2 and made["preferences"]["votes"] == 1 and "not decided" in made["said"][0]
    file.write_text(json.dumps(made))  # what was printed can be added again, and is the same
    assert main(["votes", "add", str(file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["votes"] == made["votes"]
    assert main(["votes", "export"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["kind"] for row in rows] == ["vote", "mark"] and rows[0]["question"] == "'=1+1"
    assert main(["votes", "delete", made["votes"][0]["id"]]) == 0 and "1 of kind mark" in capsys.readouterr().out
    file.write_text('{"kind": "vote"}\nnonsense')
    for argv in (["add", str(file)], ["delete", "nothing"], ["add", "no-file"], ["list", "--project", "nowhere"]):
        assert main(["votes", *argv]) == 2
        streams = capsys.readouterr()
        assert streams.out == "" and len(streams.err.strip().splitlines()) == 1


# -- strengths ---------------------------------------------------------------------------------------------------------


def test_two_arms_are_the_closed_form() -> None:
    """With two arms the fit is the share itself, half a question added each way."""
    votes_ = [one(str(n), ("a",)) for n in range(14)] + [one(str(n), ("b",)) for n in range(14, 20)]
    duel = preferences(votes_).duels[0]
    share = (14 + PSEUDO) / (20 + 2 * PSEUDO)
    assert duel.chance == pytest.approx(share)
    spread = 14 * (1 - share) ** 2 + 6 * share**2 + PSEUDO * ((1 - share) ** 2 + share**2)
    error = math.sqrt(21 / 20 * spread) / (21 * share * (1 - share))
    assert math.log(duel.high / (1 - duel.high)) == pytest.approx(math.log(share / (1 - share)) + 1.959964 * error)
    assert (duel.first_better, duel.second_better, duel.ties, duel.questions) == (14, 6, 0, 20)


def test_strengths_are_those_of_known_software() -> None:
    """Agresti (2013), table 11.10, baseball in the American League 1987: without the half questions the fit is his."""
    import numpy as np

    from core.evaluation import preferences as module

    wins = {
        ("Milwaukee", "Detroit"): 7, ("Milwaukee", "Toronto"): 9, ("Milwaukee", "New York"): 7,
        ("Milwaukee", "Boston"): 7, ("Milwaukee", "Cleveland"): 9, ("Milwaukee", "Baltimore"): 11,
        ("Detroit", "Milwaukee"): 6, ("Detroit", "Toronto"): 7, ("Detroit", "New York"): 5,
        ("Detroit", "Boston"): 11, ("Detroit", "Cleveland"): 9, ("Detroit", "Baltimore"): 9,
        ("Toronto", "Milwaukee"): 4, ("Toronto", "Detroit"): 6, ("Toronto", "New York"): 7,
        ("Toronto", "Boston"): 7, ("Toronto", "Cleveland"): 8, ("Toronto", "Baltimore"): 12,
        ("New York", "Milwaukee"): 6, ("New York", "Detroit"): 8, ("New York", "Toronto"): 6,
        ("New York", "Boston"): 6, ("New York", "Cleveland"): 7, ("New York", "Baltimore"): 10,
        ("Boston", "Milwaukee"): 6, ("Boston", "Detroit"): 2, ("Boston", "Toronto"): 6,
        ("Boston", "New York"): 7, ("Boston", "Cleveland"): 7, ("Boston", "Baltimore"): 12,
        ("Cleveland", "Milwaukee"): 4, ("Cleveland", "Detroit"): 4, ("Cleveland", "Toronto"): 5,
        ("Cleveland", "New York"): 6, ("Cleveland", "Boston"): 6, ("Cleveland", "Baltimore"): 6,
        ("Baltimore", "Milwaukee"): 2, ("Baltimore", "Detroit"): 4, ("Baltimore", "Toronto"): 1,
        ("Baltimore", "New York"): 3, ("Baltimore", "Boston"): 1, ("Baltimore", "Cleveland"): 7,
    }  # fmt: skip
    games = [pair for pair, times in wins.items() for _ in range(times)]
    made = [one(str(n), (winner,), (winner, loser)) for n, (winner, loser) in enumerate(games)]
    found = {strength.arm: strength.strength for strength in preferences(made).strengths}
    his = {"Milwaukee": 1.58, "Detroit": 1.44, "Toronto": 1.29, "New York": 1.25, "Boston": 1.11, "Cleveland": 0.68}
    assert list(found) == [*his, "Baltimore"]
    for team, value in his.items():  # half a game each way a pair pulls them together a little
        assert found[team] - found["Baltimore"] == pytest.approx(value, abs=0.15)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "PSEUDO", 1e-9)
        exact = {strength.arm: strength.strength for strength in preferences(made).strengths}
    assert np.allclose([exact[team] - exact["Baltimore"] for team in his], list(his.values()), atol=0.006)


def simulated(seed: int, questions: int, gap: float) -> Preferences:
    draw = random.Random(seed)
    chance = 1 / (1 + math.exp(-gap))
    return preferences([one(str(n), ("a",) if draw.random() < chance else ("b",)) for n in range(questions)])


def test_intervals_cover() -> None:
    """95 % intervals hold the truth in 92 to 99 % of 150 draws (more of them: tests/campaigns/coverage.py)."""
    for gap in (0.0, 1.0):
        truth = 1 / (1 + math.exp(-gap))
        held = [duel.low <= truth <= duel.high for seed in range(150) for duel in simulated(seed, 25, gap).duels]
        assert 0.92 <= sum(held) / len(held) <= 1.0


def test_few_votes_and_even_votes_decide_nothing_and_many_do() -> None:
    assert preferences([]).duels == () and preferences([]).both_bad.share is None
    few = preferences([one(str(n), ("a",)) for n in range(12)])
    assert few.duels[0].better == "" and few.duels[0].high < 1 and "not decided" in few.sentences[0]
    many = preferences([one(str(n), ("a",)) for n in range(25)])
    assert many.duels[0].better == "a" and "decided: a is preferred" in many.sentences[0]
    ties = preferences([one(str(n), ("a", "b")) for n in range(40)])
    assert ties.duels[0].chance == pytest.approx(0.5) and ties.duels[0].better == "" and ties.duels[0].ties == 40
    same = preferences([one("one question", ("a",)) for _ in range(400)])
    assert same.duels[0].better == ""  # four hundred people on one question are one question


def test_both_bad_stands_apart_and_strangers_are_not_compared() -> None:
    some = [one(str(n), ("a",) if n % 3 else ("b",)) for n in range(30)]
    bad = [one(f"bad {n}", ()) for n in range(10)]
    with_bad = preferences(some + bad)
    assert with_bad.duels == preferences(some).duels
    assert (with_bad.both_bad.count, with_bad.both_bad.n) == (10, 40)
    apart = preferences([*some, one("q", ("c",), ("c", "d"))])
    assert {(duel.first, duel.second) for duel in apart.duels} == {("a", "b"), ("c", "d")}
    three = preferences([one(str(n), ("a", "b"), ("a", "b", "c")) for n in range(30)])
    assert {(d.first, d.second): d.votes for d in three.duels} == {("a", "b"): 30, ("a", "c"): 30, ("b", "c"): 30}

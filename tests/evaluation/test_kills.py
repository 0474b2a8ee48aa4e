"""kill -9 ten times in a run: nothing finished is lost or asked for twice, and the totals are the unbroken run's."""

import multiprocessing
import random
from pathlib import Path
from typing import Any

import pytest

from core import evaluate
from core.runtime import Runtime
from tests.evaluation import killed
from tests.given import BRIGHTWATER

KILLS = 10


def kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, list[dict[str, Any]]]:
    """The one evaluation of that state folder, as another process finds it."""
    monkeypatch.setenv("RR_HOME", str(folder))
    looking = Runtime()
    (job,) = looking.jobs.list(evaluate.KIND)
    rows = looking.jobs.rows(job.id)
    looking.close()
    return job, rows


def test_ten_kills_lose_nothing_and_double_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context, draw = multiprocessing.get_context("forkserver"), random.Random(7)
    context.set_forkserver_preload(["tests.evaluation.killed"])
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    unbroken = context.Process(target=killed.app, args=(str(whole),))
    unbroken.start()
    before: list[dict[str, Any]] = []
    for _ in range(KILLS):
        ours, its = context.Pipe(duplex=False)
        child = context.Process(target=killed.app, args=(str(broken), its))
        child.start()
        its.close()
        for _ in range(draw.randint(1, 5)):
            ours.recv_bytes()
        child.kill()
        child.join()
        assert child.exitcode == -9
        job, rows = kept(broken, monkeypatch)
        assert job.active and rows[: len(before)] == before  # what was finished stays finished
        before = rows
    last = context.Process(target=killed.app, args=(str(broken),))
    last.start()
    last.join()
    unbroken.join()
    assert len(before) > 0
    job, rows = kept(broken, monkeypatch)
    reference, whole_rows = kept(whole, monkeypatch)
    assert job.state == reference.state == "done" and rows[: len(before)] == before
    places = [(row["number"], row["arm"]) for row in rows]
    assert len(set(places)) == len(places) == len(whole_rows) > len(before)
    made, wanted = (
        evaluate.scored(one.parameters, each, BRIGHTWATER) for one, each in ((job, rows), (reference, whole_rows))
    )
    assert {arm: of.classes for arm, of in made.arms.items()} == {arm: of.classes for arm, of in wanted.arms.items()}
    assert {arm: of.causes for arm, of in made.arms.items()} == {arm: of.causes for arm, of in wanted.arms.items()}
    assert (made.pairs, made.effects) == (wanted.pairs, wanted.effects)

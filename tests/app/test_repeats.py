"""Arms asked several times, token confidence, sampling and instructions from the command line."""

import math
from argparse import Namespace
from dataclasses import replace

import pytest

from core import confidence, records, repeats
from core.arms import parse_all
from core.ask import WAYS, Run, Settings
from core.calculator import calibrate
from core.commands import parser
from core.commands.ask import arm_options, changed, instructed
from core.engine import Generation, Request
from core.errors import Problem
from core.records import ArmRecord, RepeatRecord, RunRecord, Timing, TokenRecord
from pages.draw import pane_details
from tests.app.test_ask import Engine, parts
from tests.given import chosen


def asked(engine: Engine, count: int, way: str = "together", **rest: int) -> RunRecord:
    settings = Settings(chosen(("base", "base+retrieval"), **rest), way, repeats=count)
    return Run("How?", settings, parts(engine)).start().wait(10).record()


@pytest.mark.parametrize("way", WAYS)
def test_each_arm_is_asked_so_often_with_rising_seeds_and_whole_prompts(way: str) -> None:
    engine = Engine()
    record = asked(engine, 3, way, seed=2**32 - 1)
    assert len(engine.requests) == 6 and all(request.fresh for request in engine.requests)
    assert sorted(request.sampling.seed for request in engine.requests) == [0, 0, 1, 1, 2**32 - 1, 2**32 - 1]
    assert record.settings.arms[0].sampling.seed == 2**32 - 1 and record.settings.repeats == 3
    for arm in record.arms:
        assert [one.number for one in arm.repeats] == [0, 1, 2] and arm.answer == arm.repeats[0].answer
        assert arm.finish == "stop" and all(one.timing.ttft_total for one in arm.repeats)
    assert records.run_from(records.dumps(record)) == record


def test_asked_once_there_are_no_repeats_and_prefixes_are_used() -> None:
    engine = Engine()
    record = asked(engine, 1)
    assert not any(request.fresh for request in engine.requests)
    assert all(arm.repeats == () and repeats.of(arm) is None for arm in record.arms)


def test_while_repeats_are_under_way_no_pane_has_ended() -> None:
    seen: list[bool] = []

    class Watching(Engine):
        def submit(self, request: Request) -> Generation:
            made = super().submit(request)
            if len(self.requests) > 2:
                seen.append(any(arm.ended for arm in run.record().arms))
            return made

    run = Run("How?", Settings(chosen(("base", "base+retrieval")), repeats=2), parts(Watching()))
    assert all(arm.ended for arm in run.start().wait(10).record().arms)
    assert seen and not any(seen)


def test_stopped_between_rounds_what_there_is_is_kept() -> None:
    class Stopping(Engine):
        def submit(self, request: Request) -> Generation:
            made = super().submit(request)
            if len(self.requests) == 4:  # the second round's last arm
                run.stop()
            return made

    run = Run("How?", Settings(chosen(("base", "base+retrieval")), repeats=5), parts(Stopping()))
    record = run.start().wait(10).record()
    assert [len(arm.repeats) for arm in record.arms] == [2, 2] and record.arms[0].finish == "stop"


def test_median_spread_and_whether_answers_differ() -> None:
    def one(number: int, answer: str, ttft: float, *, cold: bool = False, problem: str | None = None) -> RepeatRecord:
        timing = Timing(ttft_total=ttft, cold=cold)
        rates = records.Rates(decode_per_s=ttft / 10)
        return RepeatRecord(number, answer, problem, None if problem else "stop", timing, rates=rates)

    several = (one(0, "a", 900, cold=True), one(1, "a", 100), one(2, "b", 300), one(3, "a", 200))
    found = repeats.of(ArmRecord("x", "done", repeats=(*several, one(4, "", 1, problem="died"))))
    assert found is not None and (found.n, found.failed, found.different) == (4, 1, 2)
    assert (
        found.ttft == repeats.Spread(200, 100, 300)
        and found.cold == (900,)
        and found.decode == repeats.Spread(20, 10, 30)
    )
    assert "1 cold** right after loading, TTFT 900 ms" in pane_details._repeated(found)
    nothing = repeats.of(ArmRecord("x", "done", repeats=(one(0, "", 1, problem="x"), one(1, "", 1, problem="x"))))
    assert nothing is not None and (nothing.n, nothing.ttft, nothing.decode) == (0, None, None)


@pytest.mark.parametrize("count", [0, 21])
def test_too_many_repeats_are_a_problem(count: int) -> None:
    with pytest.raises(Problem, match="Repeats"):
        Run("How?", Settings(chosen(("base",)), repeats=count), parts(Engine()))


def test_confidence_in_stretches_that_join_to_the_answer() -> None:
    shares = (("It", 1.0), (" is", 0.96), (" $", 0.5), ("389", 0.2), (".", 0.1))
    tokens = tuple(TokenRecord(text, math.log(share)) for text, share in shares)
    found = confidence.stretches(tokens)
    assert "".join(one.text for one in found) == "It is $389."
    assert [(one.text, one.step, round(one.lowest, 2)) for one in found] == [
        ("It is", 3, 0.96), (" $", 1, 0.5), ("389.", 0, 0.1),
    ]  # fmt: skip
    whole = confidence.summary(tokens)
    assert whole is not None and (whole.tokens, whole.lowest_text, round(whole.lowest, 3)) == (5, ".", 0.1)
    assert math.isclose(whole.perplexity, (1.0 * 0.96 * 0.5 * 0.2 * 0.1) ** (-1 / 5))
    assert confidence.summary(()) is None and confidence.stretches(()) == []


def test_a_runs_answers_carry_their_tokens_when_asked_for() -> None:
    class Sure(Engine):
        def submit(self, request: Request) -> Generation:
            made = super().submit(request)
            if request.sampling.logprobs:
                made.result = replace(made.wait(), logprobs=[{"token": 7, "text": "yes", "logprob": -0.5}])
            return made

    settings = Settings(chosen(("base",), logprobs=True))
    record = Run("How?", settings, parts(Sure())).start().wait(10).record()
    assert record.arms[0].confidence == (TokenRecord("yes", -0.5),)
    assert asked(Sure(), 1).arms[0].confidence == ()


def given(*argv: str) -> Namespace:
    options = parser("ask", "")
    arm_options(options)
    return options.parse_args(list(argv))


def test_every_sampling_control_from_the_command_line() -> None:
    argv = "--temperature 0.7 --top-p 0.9 --token-top-k 40 --min-p 0.1 --repeat-penalty 1.1 --seed 3 --max-tokens 9"
    arm = changed(parse_all(["base"])[0], given(*argv.split(), "--stop", "END", "--stop", "\n"), None)
    assert arm.sampling.stop == ("END", "\n") and arm.search.top_k == 3
    sampling = arm.sampling
    assert (sampling.temperature, sampling.top_p, sampling.top_k, sampling.min_p) == (0.7, 0.9, 40, 0.1)
    assert (sampling.repeat_penalty, sampling.seed, sampling.max_tokens) == (1.1, 3, 9)
    assert changed(arm, given(), None) == arm


def test_an_instruction_for_one_arm_reaches_its_prompt_alone() -> None:
    arms = instructed(parse_all(["base", "base+retrieval"]), ["base+retrieval=Be brief = good."], False)
    engine = Engine()
    Run("How?", Settings(arms), parts(engine)).start().wait(10)
    systems = {len(one.alternatives): one.alternatives[0][0]["content"] for one in engine.requests}
    assert systems[3] == "Be brief = good." and systems[1] != systems[3]
    for bad in ("base", "other=x"):
        with pytest.raises(Problem, match="ARM=TEXT"):
            instructed(arms, [bad], False)


def test_every_repeat_counts_for_the_calculator_and_contended_or_cold_ones_do_not() -> None:
    record = asked(Engine(), 3, "one at a time")
    assert len(calibrate.collect([record])["output_tokens"]) == 6
    arm = record.arms[0]
    cold = replace(arm.repeats[0], timing=replace(arm.repeats[0].timing, cold=True))
    record = replace(record, arms=(replace(arm, repeats=(cold, *arm.repeats[1:])),))
    assert len(calibrate.collect([record])["output_tokens"]) == 2
    assert "output_tokens" not in calibrate.collect([asked(Engine(), 3)])

"""A conversation gone on with: what each arm reads of it, what does not fit, what its prompt is made of."""

from dataclasses import replace

from core import living, prompt_parts, records
from core.ask import MOST_TURNS, Run, Settings, going_on
from core.engine import Generation, Request
from core.records import PromptParts, RunRecord, TurnRecord
from tests.app.test_ask import Engine, Knowledge, parts
from tests.given import BRIGHTWATER, chosen

SETTINGS = Settings(chosen(("base", "base+retrieval")))


class Short(Engine):
    """Its context takes the shortest but `fits` of the chat's versions."""

    def __init__(self, fits: int = 0) -> None:
        super().__init__()
        self.fits = fits

    def submit(self, request: Request) -> Generation:
        made = super().submit(request)
        result = made.wait()
        made.result = replace(result, alternative=min(self.fits, len(request.alternatives) - 1))
        return made


def asked(question: str, settings: Settings, engine: Engine, knowledge: Knowledge | None = None) -> RunRecord:
    return Run(question, settings, parts(engine, knowledge)).start().wait(10).record()


def test_each_arm_reads_its_own_conversation_and_the_search_only_the_last_question() -> None:
    engine, knowledge = Engine(), Knowledge()
    first = asked("One?", SETTINGS, engine, knowledge)
    second = asked("Two?", going_on(SETTINGS, first), engine, knowledge)
    third = asked("Three?", going_on(SETTINGS, second), engine, knowledge)
    assert knowledge.asked == ["One?", "Two?", "Three?"]
    for before, arm in zip(first.arms, second.arms, strict=True):
        assert arm.history == (TurnRecord("One?", before.answer),) and arm.history_dropped == 0
    chat = next(one for one in engine.requests[4:] if len(one.alternatives[0]) == 6).alternatives[0]
    assert [message["role"] for message in chat] == ["system", *["user", "assistant"] * 2, "user"]
    assert [turn.question for turn in third.arms[1].history] == ["One?", "Two?"]
    assert third.settings.follows == second.id and records.run_from(records.dumps(third)) == third


def test_the_oldest_turns_are_left_out_before_any_passage_is() -> None:
    first = asked("One?", SETTINGS, Engine())
    second = asked("Two?", going_on(SETTINGS, first), Engine())
    kept = {0: (2, 3), 1: (1, 3), 2: (0, 3), 3: (0, 2), 4: (0, 1)}
    for fits, (turns, passages) in kept.items():
        arm = asked("Three?", going_on(SETTINGS, second), Short(fits)).arms[1]
        assert (len(arm.history), len(arm.passages)) == (turns, passages)
        assert (arm.history_dropped, arm.passages_dropped) == (2 - turns, 3 - passages)
    assert asked("Three?", going_on(SETTINGS, second), Short(1)).arms[1].history[0].question == "Two?"


def test_a_conversation_is_bounded_and_an_answer_that_failed_is_no_turn() -> None:
    record = asked("One?", SETTINGS, Engine())
    long = replace(record, arms=(replace(record.arms[0], history=(TurnRecord("q", "a"),) * 20), *record.arms[1:]))
    assert len(going_on(SETTINGS, long).history["base"]) == MOST_TURNS
    failed = replace(record, arms=(replace(record.arms[0], finish=None), *record.arms[1:]))
    assert set(going_on(SETTINGS, failed).history) == {"base+retrieval"}


def test_a_follow_up_is_not_compared_with_the_same_words_asked_alone() -> None:
    alone = asked("Two?", SETTINGS, Engine())
    follow = asked("Two?", going_on(SETTINGS, asked("One?", SETTINGS, Engine())), Engine())
    assert living.compare(alone, follow) == {} and living.compare(alone, alone)


def test_prompt_parts_add_up_to_the_prompt() -> None:
    follow = asked("Two words?", going_on(SETTINGS, asked("One?", SETTINGS, Engine())), Engine())
    arms = tuple(replace(arm, tokens=replace(arm.tokens, prompt=200)) for arm in follow.arms)
    made = prompt_parts.with_parts(BRIGHTWATER, replace(follow, arms=arms), lambda _model, text: len(text.split()))
    closed, read = (arm.parts for arm in made.arms)
    assert closed is not None and (closed.question, closed.passages) == (2, 0) and closed.history > 1
    assert read is not None and read.passages > 6 and read.question == 2
    for each in (closed, read):
        assert each.instruction + each.history + each.passages + each.question == 200
    nothing = prompt_parts.with_parts(BRIGHTWATER, follow, lambda _model, _text: None)
    assert [arm.parts for arm in nothing.arms] == [None, None]
    assert records.run_from(records.dumps(made)).arms[0].parts == PromptParts(closed.instruction, closed.history, 0, 2)

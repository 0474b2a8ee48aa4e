"""The supervisor's rules: who answers next, who makes way, how threads are shared, what a death means."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.engine import policy
from core.engine.policy import Limits, Shares, Signs, Span, Ticket

LIMITS = Limits()
ONE, OTHER = Path("one.gguf"), Path("other.gguf")
PLAIN = Ticket(number=0, owner="a", model=ONE, adapter=None, work=100, since=0.0)
TICKETS = st.builds(
    Ticket,
    number=st.just(0),
    owner=st.sampled_from("abc"),
    model=st.sampled_from([ONE, OTHER]),
    adapter=st.sampled_from([None, None, Path("x.lora")]),
    work=st.floats(1, 5000),
    since=st.floats(0, 100),
    contended=st.booleans(),
    background=st.booleans(),
    ready=st.booleans(),
    room=st.integers(1, 2),
)
QUEUES = st.lists(TICKETS, max_size=12).map(
    lambda tickets: [replace(ticket, number=number) for number, ticket in enumerate(tickets, 1)]
)


def _tickets(*how: dict[str, object]) -> list[Ticket]:
    return [replace(PLAIN, number=number, **each) for number, each in enumerate(how, 1)]  # type: ignore[arg-type]


def _served(
    waiting: list[Ticket], *, now: float = 10.0, shares: Shares | None = None, limits: Limits = LIMITS
) -> list[int]:
    """The numbers of `waiting` in the order in which a machine with room for one would answer them."""
    shares, left, order = shares or Shares(), list(waiting), []
    while left:
        chosen = policy.next_one(policy.in_order(left, [], shares, now, limits), [], now, limits)
        if chosen is None:
            break
        left.remove(chosen)
        shares = shares.charged(policy.payer(chosen, now, limits), chosen.work)
        order.append(chosen.number)
    return order


# -- order ---------------------------------------------------------------------------------------------------------


def test_owners_take_turns_however_many_one_of_them_asks() -> None:
    flood = [{"owner": "a"}] * 5
    assert _served(_tickets(*flood, {"owner": "b"}, {"owner": "b"})) == [1, 6, 2, 7, 3, 4, 5]


def test_who_comes_late_is_not_behind_and_has_saved_nothing_up() -> None:
    shares = Shares()
    for _ in range(50):
        shares = shares.charged("a", 100)
    order = _served(_tickets({"owner": "a"}, {"owner": "b"}, {"owner": "b"}, {"owner": "a"}), shares=shares)
    assert order == [2, 1, 3, 4]


def test_a_heavy_owner_waits_for_light_ones_in_proportion() -> None:
    light, heavy = [{"owner": "l", "work": 100}] * 6, [{"owner": "h", "work": 300}] * 2
    assert _served(_tickets(*heavy, *light)) == [3, 1, 4, 5, 6, 2, 7, 8]


def test_short_goes_before_long_but_long_still_comes() -> None:
    long = {"work": 2000, "since": 0.0}
    assert _served(_tickets(long, {"work": 100, "since": 20.0})) == [2, 1]
    assert _served(_tickets(long, {"work": 100, "since": 60.0}), now=60.0) == [1, 2]


def test_of_one_owner_the_arm_with_nothing_running_goes_first() -> None:
    waiting = _tickets({"model": ONE}, {"model": OTHER})
    ordered = policy.in_order(waiting, [replace(PLAIN, number=9)], Shares(), 1.0, LIMITS)
    assert [ticket.model for ticket in ordered] == [OTHER, ONE]


def test_interactive_comes_before_background_until_that_has_waited_its_patience() -> None:
    waiting = _tickets({"background": True, "owner": "e"}, {"since": 1.0}, {"since": 2.0})
    assert _served(waiting, now=10.0) == [2, 3, 1]
    late = _served([replace(waiting[0], since=0.0), waiting[1], waiting[2]], now=LIMITS.patience)
    assert late == [1, 2, 3]


def test_all_late_background_answers_together_get_one_owners_share() -> None:
    evaluations = [{"background": True, "owner": f"e{number}"} for number in range(3)]
    asked = [{"owner": "a", "since": 1.0}, {"owner": "a", "since": 1.0}, {"owner": "b", "since": 1.0}]
    assert _served(_tickets(*evaluations, *asked), now=100.0) == [1, 4, 6, 2, 5, 3]


def test_what_is_not_loaded_holds_up_nobody_but_its_own_file() -> None:
    first, same, other = _tickets({"ready": False}, {}, {"model": OTHER})
    assert policy.next_one([first, same, other], [], 0.0, LIMITS) is other
    assert policy.next_one([first, same], [], 0.0, LIMITS) is None


def test_an_answer_alone_lets_nothing_pass_it_and_nothing_run_beside_it() -> None:
    alone, beside = _tickets({"contended": False}, {"model": OTHER})
    assert policy.next_one([alone, beside], [], 0.0, LIMITS) is alone
    assert policy.next_one([beside], [alone], 0.0, LIMITS) is None
    assert policy.next_one([alone, beside], [replace(PLAIN, number=9)], 0.0, LIMITS) is None


def test_a_worker_takes_no_more_than_it_has_room_for() -> None:
    running = [replace(PLAIN, number=number) for number in (8, 9)]
    same, other = _tickets({}, {"adapter": Path("x.lora"), "room": 1})
    assert policy.next_one([same, other], running, 0.0, LIMITS) is other


def test_background_makes_way_when_an_interactive_answer_could_run() -> None:
    running = _tickets({"background": True}, {"background": True, "since": -100.0}, {})
    interrupted = policy.to_interrupt([replace(PLAIN, number=9)], running, 10.0, LIMITS)
    assert interrupted == running[:1]  # what had waited its patience, and what is interactive, goes on
    for waiting in ([], [replace(PLAIN, ready=False)], [replace(PLAIN, background=True)]):
        assert policy.to_interrupt(waiting, running, 10.0, LIMITS) == []


@given(QUEUES, QUEUES, st.floats(0, 200))
@settings(max_examples=300, deadline=None)
def test_whatever_waits_the_order_is_whole_and_the_choice_lawful(
    waiting: list[Ticket], running: list[Ticket], now: float
) -> None:
    ordered = policy.in_order(waiting, running, Shares(), now, LIMITS)
    assert sorted(ticket.number for ticket in ordered) == [ticket.number for ticket in waiting]
    chosen = policy.next_one(ordered, running, now, LIMITS)
    if chosen is not None:
        assert chosen.ready and (chosen.contended or not running)
        assert all(ticket.contended for ticket in running)
        assert sum(ticket.lane == chosen.lane for ticket in running) < chosen.room
        if not policy.urgent(chosen, now, LIMITS):
            assert not any(policy.urgent(ticket, now, LIMITS) for ticket in running)
    stopped = policy.to_interrupt(waiting, running, now, LIMITS)
    assert all(ticket.background for ticket in stopped)


@given(QUEUES)
@settings(max_examples=200, deadline=None)
def test_nobody_who_is_ready_waits_for_ever(waiting: list[Ticket]) -> None:
    ready = [replace(ticket, ready=True) for ticket in waiting]
    assert sorted(_served(ready)) == [ticket.number for ticket in ready]


def test_the_queue_is_bounded_for_each_owner_and_for_all() -> None:
    limits = replace(LIMITS, queue=2, queue_all=3)
    mine = _tickets({}, {}, {"owner": "b"})
    assert policy.refusal(PLAIN, mine[:1], limits) is None
    assert policy.refusal(PLAIN, mine[:2], limits) == "2 questions already wait"
    assert policy.refusal(replace(PLAIN, owner="c"), mine, limits) == "3 questions of all users already wait"
    assert policy.refusal(replace(PLAIN, model=OTHER), mine, limits) is None


# -- threads -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("alone", "busy", "chats", "gathering", "share"),
    [(4, 1, 2, False, 4), (4, 2, 2, False, 2), (4, 1, 2, True, 2), (2, 3, 3, False, 1), (4, 0, 0, False, 4)],
)
def test_workers_that_answer_divide_the_threads(alone: int, busy: int, chats: int, gathering: bool, share: int) -> None:
    assert policy.share(alone, busy, chats, gathering=gathering) == share


# -- life and death ------------------------------------------------------------------------------------------------

FINE = Signs("ready", True, True, False, 10**9, Span(0.5, 0.5), Span(1, 1), Span(100, 100))
LONG, STARVED = Span(1000, 1000), Span(1000, 4000, starved=True)


@pytest.mark.parametrize(
    ("signs", "reason"),
    [
        (replace(FINE, silent=LONG), "did not answer for 1000 s"),
        (replace(FINE, phase="start", ready=False, silent=LONG, stopped=True), "did not answer"),
        (replace(FINE, phase="chat template", ready=False, loading=Span(1, 1), idle=LONG), "chat template did not end"),
        (replace(FINE, phase="load", ready=False, loading=LONG), "not loaded after 1000 s"),
        (replace(FINE, idle=LONG), "computed no token for 1000 s"),
        (replace(FINE, idle=LONG, gpu=True), "computed no token for 1000 s"),
    ],
)
def test_every_deadline_ends_a_worker_and_says_which(signs: Signs, reason: str) -> None:
    verdict = policy.verdict(signs, LIMITS)
    assert verdict is not None and reason in verdict.reason
    assert verdict.own is not signs.stopped


@pytest.mark.parametrize("name", ["silent", "idle"])
def test_a_deadline_missed_for_want_of_processors_is_not_its_own_making(name: str) -> None:
    verdict = policy.verdict(replace(FINE, **{name: STARVED}), LIMITS)
    assert verdict is not None and not verdict.own and "4000 s" in verdict.reason


@pytest.mark.parametrize(
    "signs",
    [
        FINE,
        replace(FINE, running=False, idle=LONG),
        replace(FINE, phase="start", ready=False, silent=LONG, loading=Span(29, 29)),
        replace(FINE, phase="load", ready=False, loading=Span(39, 39)),  # 30 s and 10 s for a gigabyte
        replace(FINE, phase="canary", ready=False, loading=Span(200, 200), gpu=True),  # it compiles its programs
        replace(FINE, idle=Span(200, 200), gpu=True),
    ],
)
def test_a_worker_within_its_deadlines_lives(signs: Signs) -> None:
    assert policy.verdict(signs, LIMITS) is None


def test_each_death_within_the_window_delays_the_next_start_more() -> None:
    deaths, delays = [], []
    for now in (0.0, 1.0, 2.0, 3.0, 1000.0):
        deaths = policy.recent(deaths, now, LIMITS)
        delays.append(policy.not_before(deaths, LIMITS) - now)
    assert delays == [0.5, 2.0, 8.0, 8.0, 0.5]


def test_the_third_death_of_its_own_making_sets_a_file_aside() -> None:
    assert policy.set_aside("m", [1.0, 2.0], LIMITS) is None
    assert "crashed its worker 3 times in 5 minutes" in (policy.set_aside("m", [1.0, 2.0, 3.0], LIMITS) or "")

"""A handful of the campaign's faults: every pane ends in time with a plain line or its own answer."""

from collections.abc import Iterator

import pytest

from core.endpoint import Endpoints, Patience, spec
from core.project import Model
from tests.endpoint import panes
from tests.endpoint.faulty import FATAL, FAULTS, Proxy, between
from tests.endpoint.lying import serving

MODELS = ("good", "tuned", "third", "fourth")
TOTAL_S = 60.0


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    with serving() as server, between(server.url) as made:
        yield made


@pytest.fixture(scope="module")
def endpoints() -> Iterator[Endpoints]:
    made = Endpoints(Patience(connect_s=5, first_s=30, silence_s=1, total_s=TOTAL_S, retries=2))
    made.load(spec(Model("good", "Good", "good", endpoint="http://127.0.0.1:9/v1")))  # imports the client
    yield made
    made.close()


QUICK = tuple(fault for fault in FAULTS if fault not in ("mute", "stalled", "limited always", "broken always"))


@pytest.mark.parametrize("first", range(0, len(QUICK), 4))
def test_each_pane_shows_its_own_answer_or_one_plain_line(proxy: Proxy, endpoints: Endpoints, first: int) -> None:
    faults = dict(zip(MODELS, (*QUICK, *QUICK)[first : first + 4], strict=True))
    question = f"question {first}?"
    wrong, _ = panes.play(
        proxy, endpoints, panes.project(proxy.url, MODELS), question, faults, TOTAL_S,
        lambda model: f"It costs $389. ({model}: {question})",
    )  # fmt: skip
    assert wrong == []
    assert set(proxy.done) >= set(faults.values()) & set(FATAL)


def test_the_harness_itself_sees_a_wrong_answer(proxy: Proxy, endpoints: Endpoints) -> None:
    shown = panes.project(proxy.url, MODELS[:1])
    wrong, _ = panes.play(proxy, endpoints, shown, "q?", {}, TOTAL_S, lambda _model: "another answer")
    assert len(wrong) == 1 and "instead of 'another answer'" in wrong[0]

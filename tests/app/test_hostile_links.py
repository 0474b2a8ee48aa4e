"""Whatever a scenario link holds, it opens or is a plain note: hundreds of hostile links, over both pages."""

import base64
import json
import random
import zlib

import pytest
from streamlit.testing.v1 import AppTest

from core import scenario
from core.advisor import handover, rules, score
from core.calculator import inputs, kept
from core.calculator.model import evaluate_cached
from core.errors import Problem
from core.opening import opening
from core.paths import ROOT
from tests.given import BRIGHTWATER

HUGE = 10**400
NASTY = (
    HUGE, -HUGE, 10**4000, 1e308, -1e308, 5e-324, True, None, "", "NaN", "\ud800", "\u202e\x00\x1b[31m", "x" * 5000,
    "1e999", "1..", "..", "1..2..3", "![x](http://x)", "<script>", [], [1], [1, 2, 3], [HUGE, HUGE], [None, None],
    [[[]]], {}, {"a": HUGE}, {"\udfff": 1}, [{"name": HUGE, "inputs": [HUGE]}], 0, -1, 0.1, -0.0,
)  # fmt: skip
SEEDS = 260


def packed(text: str) -> str:
    """A link with this text inside, whatever it is."""
    return base64.urlsafe_b64encode(zlib.compress(text.encode("utf-8", "surrogatepass"), 9)).decode().rstrip("=")


def hostile(seed: int) -> str:
    """One link: a scenario with some of its values, names or bytes replaced by something nasty."""
    some = random.Random(seed)
    questions = rules.load().questions
    whole = {
        "version": scenario.VERSION,
        "advisor": {
            "answers": {one.id: some.choice(one.options).id for one in some.sample(list(questions.values()), 5)},
            "facts": {"queries": 12_000, "corpus_tokens": 700_000},
        },
        "calculator": {
            "preset": some.choice(list(inputs.presets())),
            "inputs": {name: some.choice(NASTY) for name in some.sample(list(inputs.every()), 6)},
            "origins": {"queries": "advisor: volume = low"},
            "others": [{"name": "kept", "inputs": {"horizon": some.choice(NASTY)}}],
        },
        "playground": {"question": "?", "extra_arms": ["base+pinned"]},
    }
    for _ in range(some.randint(1, 4)):
        spoil(whole, some)
    text = json.dumps(whole)
    if seed % 5 == 0:  # numbers that Python writes and JSON does not know, keys that come twice, nesting, cuts
        text = some.choice(
            [
                text.replace("12000", "NaN"),
                text.replace("12000", "-Infinity"),
                text[: len(text) // 2],
                "[" * 5000,
                '{"calculator":' * 40 + "{}" + "}" * 40,
                text[:-1] + ', "calculator": {"inputs": ' + str(HUGE) + "}}",
                str(HUGE),
                "\x00",
                '{"version": ' + str(HUGE) + "}",
            ]
        )
    link = packed(text)
    if seed % 13 == 0:
        link = some.choice([link[:-5], link + "=", "%" + link, link[::-1], packed("0" * 10**6), "é" + link])
    return link


def spoil(part: dict, some: random.Random) -> None:
    """Replace one value somewhere inside, or add one under a nasty name."""
    key = some.choice(list(part) or ["x"])
    if isinstance(part.get(key), dict) and part[key] and some.random() < 0.8:
        spoil(part[key], some)
    elif some.random() < 0.2:
        part[some.choice(["\ud801", "x" * 3000, "", "<b>", "__class__"])] = some.choice(NASTY)
    else:
        part[key] = some.choice(NASTY)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_hostile_link_opens_or_is_a_plain_note_on_both_pages(seed: int) -> None:
    whole, notes = scenario.decode(hostile(seed))
    answers, more = handover.answers_in(whole.get("advisor", {}))
    advice = score.advise(answers)
    try:
        onward = scenario.encode(handover.whole(answers, advice.verdict, whole))
    except Problem:
        onward = scenario.encode(handover.whole(answers, advice.verdict))
    section = whole.get("calculator", {})
    found, wrong = inputs.check(section)
    shelf, unkept = kept.shelf_of(section)
    opening(whole.get("playground", {}), BRIGHTWATER)
    for text in [*notes, *more, *wrong, *unkept, onward, json.dumps(shelf), *found.origins.values()]:
        text.encode()  # a page can send it
    assert all(len(note) < 1000 for note in [*notes, *more, *wrong])
    try:
        evaluate_cached(found.replace({"draws": 1000}))
    except Problem as problem:
        assert problem.message


def test_an_integer_beyond_a_float_is_left_out_with_a_note() -> None:
    section = {"calculator": {"inputs": {"queries": HUGE}}}
    whole, notes = scenario.decode(packed(json.dumps({"version": scenario.VERSION, **section})))
    assert whole["calculator"]["inputs"] == {}
    assert notes == ["calculator.inputs.queries: not a usable number; left out."]


@pytest.mark.parametrize("page", ["advisor", "calculator"])
def test_the_pages_themselves_open_hostile_links(page: str) -> None:
    app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=60)
    for seed in range(0, 60, 6):
        app.query_params[scenario.PARAMETER] = hostile(seed)
        app.switch_page(f"{page}.py").run()
        assert not app.exception, seed

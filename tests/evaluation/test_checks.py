"""A project's own checks: each rule, its opposite, hostile patterns and schemas, and where an outcome is told."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import checks
from core.errors import Problem
from core.evaluation import tables
from core.evaluation.records import replies, report_from
from core.evaluation.report import report
from core.project import Check, Project
from core.records import dumps
from tests.evaluation.scripted import ASKED, MAIL, PRICE
from tests.given import chosen

PERSON = json.dumps({"type": "object", "required": ["name"], "properties": {"name": {"pattern": "^[A-Z]"}}})
CASES = [
    ("voice", "Hi!", "Hi! All is well. Bye.", True),
    ("voice", "Hi!", "All is well.", False),
    ("voice", "Hi!", "Hi!", False),
    ("contains", "custom  Directory", "Set the custom\ndirectory first.", True),
    ("contains", "directory", "Set it first.", False),
    ("regex", r"^\d+ ms$", "12 ms", True),
    ("regex", r"^\d+ ms$", "about 12 ms", False),
    ("json-schema", PERSON, ' {"name": "Ada"} ', True),
    ("json-schema", PERSON, '{"name": "ada"}', False),
    ("json-schema", PERSON, '{"nam": "Ada"}', False),
    ("json-schema", PERSON, 'Here it is: {"name": "Ada"}', False),
    ("json-schema", PERSON, "", False),
    ("label", "bug|feature", " Bug.", True),
    ("label", "bug|feature", '"feature"', True),
    ("label", "bug|feature", "It is a bug", False),
    ("max-words", "3", "one two three", True),
    ("max-words", "3", "one two three four", False),
    ("max-ms", "500", "", True),
    ("max-ms", "499", "", False),
]
CATASTROPHES = [r"^(a|a)*$", r"^(a|aa)+$", r"(.*a){20}b", r"^(([a-z])+.)+[A-Z]([a-z])+$"]  # years, not seconds


@pytest.mark.parametrize(("kind", "value", "reply", "met"), CASES)
def test_a_reply_passes_or_does_not_and_the_opposite_check_says_the_opposite(
    kind: str, value: str, reply: str, met: bool
) -> None:
    check = Check("rule", kind, value)  # type: ignore[arg-type]
    checks.usable(check)
    assert checks.passes(check, reply, 500.0) is met
    assert checks.passes(Check("rule", kind, value, negated=True), reply, 500.0) is not met  # type: ignore[arg-type]


def test_a_voice_has_an_end_too() -> None:
    check = Check("voice", "voice", "Hi!", closing="Bye.")
    assert checks.passes(check, "Hi! Well. Bye.") and not checks.passes(check, "Hi! Well.")


@pytest.mark.parametrize("pattern", CATASTROPHES)
@pytest.mark.parametrize("negated", [False, True])
def test_a_catastrophic_pattern_ends_and_is_not_passed(pattern: str, negated: bool) -> None:
    hostile = "a" * 4_000 + "!"
    with pytest.raises(TimeoutError):
        checks.matches(hostile, pattern, 0.05)
    assert not checks.passes(Check("evil", "regex", pattern, negated=negated), hostile)


def test_a_schema_cannot_hang_or_fetch() -> None:
    levels = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 8} for n in range(30)}
    swelling = {"$defs": levels | {"d30": {"type": "number"}}, "$ref": "#/$defs/d0"}
    for schema in (
        swelling,
        {"$ref": "#"},
        {"pattern": "("},
        {"$ref": "http://203.0.113.1/schema.json"},
        {"$ref": "file:///etc/passwd"},
        {"type": "string", "pattern": "^(a|a)*$"},
        {"patternProperties": {"^(a|a)*$": {"type": "number"}}},
    ):
        for reply in ("1", json.dumps("a" * 3_000 + "!"), json.dumps({"a" * 3_000 + "!": 1})):
            checks.passes(Check("evil", "json-schema", json.dumps(schema)), reply)
    assert not checks.passes(Check("evil", "json-schema", json.dumps(swelling)), "1")
    assert not checks.passes(Check("elsewhere", "json-schema", '{"$ref": "http://203.0.113.1/x"}'), "1")


@pytest.mark.parametrize(
    ("check", "says"),
    [
        (Check("", "contains", "x"), "needs a name"),
        (Check("a", "contains", "  "), "needs a value"),
        (Check("a", "regex", "("), "no regular expression"),
        (Check("a", "regex", "(" * 1_000), "no regular expression"),
        (Check("a", "regex", "a" * 3_000), "longer than"),
        (Check("a", "json-schema", "{"), "no JSON"),
        (Check("a", "json-schema", '{"type": "nonsense"}'), "no JSON Schema"),
        (Check("a", "json-schema", "[" * 5_000), "no JSON"),
        (Check("a", "max-words", "many"), "whole number"),
        (Check("a", "max-ms", "-1"), "whole number"),
        (Check("a", "max-ms", "1" * 40), "whole number"),
    ],
)
def test_what_could_never_decide_is_refused(check: Check, says: str) -> None:
    with pytest.raises(Problem, match=says):
        Project("mine", "Mine", checks=(check,)).check()


def test_two_checks_of_one_name_are_refused() -> None:
    with pytest.raises(Problem, match="Two checks"):
        Project("mine", "Mine", checks=(Check("a", "contains", "x"), Check("a", "contains", "y"))).check()


@given(reply=st.text(max_size=200), words=st.integers(0, 50))
def test_any_reply_is_decided(reply: str, words: int) -> None:
    rules = [
        Check("voice", "voice", "Hi"),
        Check("label", "label", "a|b"),
        Check("pattern", "regex", r"\d+"),
        Check("words", "max-words", str(words)),
        Check("schema", "json-schema", PERSON),
    ]
    found = checks.outcomes(rules, reply)
    assert set(found) == {check.name for check in rules}
    assert found["words"] is (len(reply.split()) <= words)


def test_classes_and_missing_times_leave_a_check_out() -> None:
    rules = [Check("ticket", "contains", "x", classes=("ticket",)), Check("fast", "max-ms", "5")]
    assert checks.outcomes(rules, "x") == {}
    assert checks.outcomes(rules, "x", cls="ticket", total_ms=9.0) == {"ticket": True, "fast": False}


def test_every_row_of_an_evaluation_says_what_it_passed() -> None:
    rules = (Check("short", "max-words", "3"), Check("mail", "contains", "{", classes=("ticket",)))
    project = Project("mine", "Mine", checks=rules)
    rows = [
        {"number": ASKED.index(PRICE), "arm": "base", "reply": "It costs $389.", "passages": [], "problem": None},
        {"number": ASKED.index(MAIL), "arm": "base", "reply": "no idea at all", "passages": [], "problem": None},
        {"number": 0, "arm": "base+retrieval", "reply": "", "passages": [], "problem": "The worker died."},
    ]
    found = report(ASKED, replies(rows), chosen(), project)
    assert [row.checks for row in found.rows] == [{"short": True}, {}, {"short": False, "mail": False}]
    assert found.arms["base"].checks["short"].right == 1 and found.arms["base"].checks["short"].n == 2
    assert [row["checks"] for row in tables.replies(found)] == ["passed", None, "short, mail"]
    assert report_from(dumps(found)) == found


def test_the_time_limit_holds_for_a_whole_schema() -> None:
    with pytest.raises(TimeoutError):
        checks.conforms("1", '{"minimum": 0}', seconds=-time.monotonic())

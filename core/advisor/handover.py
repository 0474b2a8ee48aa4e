"""Hands the answers on: to the calculator as inputs, to the playground as a demo, all in one scenario and one link.

Knows the names of the calculator's inputs (handover.toml) and the playground's suggested questions; computes nothing.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from core import scenario
from core.advisor import rules

FILE = Path(__file__).with_name("handover.toml")
PINNED = "base+pinned"  # the playground's arm for "prompt only"


def calculator(answers: Mapping[str, str]) -> dict[str, Any]:
    """The scenario's `calculator` section: inputs that the answers imply, each with its origin."""
    inputs: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for question, option in answers.items():
        for name, value in _raw()["calculator"].get(question, {}).get(option, {}).items():
            inputs[name] = value
            origins[name] = f"advisor: {question} = {option}"
    return {"inputs": inputs, "origins": origins} if inputs else {}


def playground(answers: Mapping[str, str], verdict: str) -> dict[str, Any]:
    """The scenario's `playground` section: the question that shows what decides here, and a further arm if it helps."""
    for entry in _raw()["playground"]:
        if all(answers.get(question) in options for question, options in entry.get("when", {}).items()):
            label = entry["suggestion"]
            break
    section: dict[str, Any] = {"suggestion": label}
    return {**section, "extra_arms": [PINNED]} if verdict == "prompt" else section


def whole(answers: Mapping[str, str], verdict: str, base: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The scenario to share: these answers and what follows from them for calculator and playground.

    `base` is the scenario the page was opened with: calculator inputs that the answers do not touch are kept.
    """
    kept = dict(base or scenario.empty())
    earlier = kept.get("calculator", {})
    mine = calculator(answers)
    for part in ("inputs", "origins"):
        before = earlier.get(part, {})
        before = before if isinstance(before, dict) else {}
        ours = {name for name, text in _dict(earlier.get("origins")).items() if str(text).startswith("advisor: ")}
        mine[part] = {**{name: value for name, value in before.items() if name not in ours}, **mine.get(part, {})}
    rest = {name: value for name, value in earlier.items() if name not in ("inputs", "origins")}
    return {
        **kept,
        "advisor": {"answers": dict(answers)},
        "calculator": {**rest, **{name: value for name, value in mine.items() if value}},
        "playground": {**_dict(kept.get("playground")), **playground(answers, verdict)},
    }


def answers_in(section: Mapping[str, Any]) -> tuple[dict[str, str], list[str]]:
    """The answers in a scenario's `advisor` section, and a note on each that cannot be used; never raises."""
    given = section.get("answers", {})
    if not isinstance(given, Mapping):
        return {}, ["advisor.answers: not a JSON object; left out."]
    return rules.keep_valid(given)


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


@cache
def _raw() -> dict[str, Any]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))

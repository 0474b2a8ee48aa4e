"""The one prompt file: what the adapter was trained on stays as it was, and the base has the wording it reads best."""

import json
from pathlib import Path

from core import prompt

CAMPAIGN = Path(__file__).parents[1] / "campaigns" / "instruction.json"


def test_only_the_instruction_over_passages_differs_between_the_models():
    passages = ["The gate opens at 7.", "The gate is red."]
    tuned, base = (prompt.messages("When?", passages, role=role) for role in ("fine-tuned", "base"))
    assert tuned == prompt.messages("When?", passages) != base
    for system, user in (tuned, base):
        assert (system["role"], user["role"]) == ("system", "user")
        places = [user["content"].index(text) for text in ("[1] The gate opens", "[2] The gate is", "Question: When?")]
        assert places == sorted(places)
    for how in ({}, {"task": "ticket"}, {"pinned": "Be kind."}):
        assert prompt.messages("When?", role="base", **how) == prompt.messages("When?", **how)


def test_the_base_has_the_wording_that_won_the_campaign():
    rows = json.loads(CAMPAIGN.read_text(encoding="utf-8"))
    assert max(rows, key=lambda row: row["right"])["candidate"] == "generic assistant"
    system, user = prompt.messages("{q}", ["{p}"], role="base")
    assert system["content"] == "You are a helpful assistant. Use the context to answer the question."
    assert user["content"] == "Context:\n[1] {p}\n\nQuestion: {q}"

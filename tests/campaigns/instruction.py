"""Which instruction lets the base read passages best? `python tests/campaigns/instruction.py [--questions 40]`.

Each candidate puts the same dev questions to the base, with the right passage and two others (today's values), and
counts right answers. The last result is instruction.json beside this file. Forty questions
only sift: what leads is then put to the test questions by core evaluate (core/DECISIONS.md says how that ended).
"""

import argparse
import json
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from core.engine import Engine, Request, Sampling
from core.evaluation import scoring
from core.weights import catalog
from models.brightwater import data, documents

ROLE = "You are a support assistant for Brightwater Coffee Equipment."
# name -> system, user; {p}: the numbered passages, {q}: the question
CANDIDATES = {
    "no instruction": (ROLE, "Context:\n{p}\n\nQuestion: {q}"),
    "one short sentence, system": (
        f"{ROLE} Answer in one short sentence from the context.",
        "Context:\n{p}\n\nQuestion: {q}",
    ),
    "one short sentence, user": (
        ROLE,
        "Answer the question from these passages in one short sentence.\n\n{p}\n\nQuestion: {q}",
    ),
    "facts in the passages, be brief": (
        f"{ROLE} Answer the question with the facts in the passages. Be brief.",
        "Passages:\n\n{p}\n\nQuestion: {q}",
    ),
    "generic assistant": (
        "You are a helpful assistant. Use the context to answer the question.",
        "Context:\n{p}\n\nQuestion: {q}",
    ),
    "using the information above": (ROLE, "{p}\n\nUsing the information above, answer in one sentence: {q}"),
    "only the passages, briefly": (
        f"{ROLE} Use only the numbered passages.",
        "{p}\n\nQuestion: {q}\nAnswer briefly.",
    ),
    "from the passages, exact value": (
        f"{ROLE} Answer the question from the passages, with the exact value.",
        "Passages:\n{p}\n\nQuestion: {q}",
    ),
    "full sentence": (ROLE, "Passages:\n{p}\n\nUse the passages to answer in one full sentence.\nQuestion: {q}"),
    "customer's question": (ROLE, "Facts:\n{p}\n\nWith these facts, answer the customer's question: {q}"),
}


def questions(count: int, rng: random.Random) -> list[tuple[str, str, list[str]]]:
    """(question, value, passages): a fact in a dev wording, its section among a sibling's and any other."""
    made = []
    for fact in rng.sample(data.facts(), count):
        right = documents.section_of(fact, "today").text
        siblings = [f for f in data.facts() if f.attribute == fact.attribute and f.subject != fact.subject]
        near = documents.section_of(rng.choice(siblings), "today").text
        far = rng.choice([s.text for s in data.sections("today") if s.text and s.text not in (right, near)])
        passages = [right, near, far]
        if rng.random() < 0.35:
            rng.shuffle(passages)
        question = data.ask(rng.choice(data.attribute(fact).dev), fact.subject, fact.attribute)
        made.append((question, fact.today, passages))
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--questions", type=int, default=40)
    args = parser.parse_args()
    asked = questions(args.questions, random.Random(5))
    spec, engine, results = catalog.ensure("base"), Engine(), []
    for name, (system, user) in CANDIDATES.items():
        right = 0
        for question, value, passages in asked:
            numbered = "\n".join(f"[{n}] {text}" for n, text in enumerate(passages, 1))
            content = user.replace("{p}", numbered).replace("{q}", question)
            chat = ({"role": "system", "content": system}, {"role": "user", "content": content})
            reply = engine.submit(Request(spec, (chat,), Sampling(max_tokens=60))).wait().text
            right += scoring.right(reply, [value], question)
        results.append({"candidate": name, "right": right, "questions": len(asked)})
        print(json.dumps(results[-1]), flush=True)
    engine.close()
    lines = ",\n".join(json.dumps(row) for row in results)
    Path(__file__).with_suffix(".json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()

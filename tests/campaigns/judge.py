"""How far a local model as judge agrees with a person: the answers graded by hand, each graded by the judge alone.

    RR_HOME=FOLDER_WITH_MODELS python tests/campaigns/judge.py [--model qwen2.5-coder-0.5b-instruct] [--answers 100]
                                                               [--half aside] [--free] [--record]

The answers are those of tests/evaluation/hand_graded.jsonl (see hand_graded.py), as many right ones as wrong ones,
drawn by a seed from every other question. Those "aside" are reported; the others ("first") are what prompts were
tried on.
`--free` lets the judge say what it likes, as a model behind an address may. Nothing of this is in the figures by rules.
"""

import argparse
import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from core.engine import Request  # noqa: E402
from core.evaluation import judging  # noqa: E402
from core.evaluation.agreement import agreement  # noqa: E402
from core.judge import SAMPLING  # noqa: E402
from core.runtime import Runtime  # noqa: E402
from core.weights import catalog  # noqa: E402
from tests.evaluation.by_hand import Graded, graded  # noqa: E402

HALVES = {"first": 0, "aside": 1}


def drawn(half: str, most: int, seed: int = 1) -> list[Graded]:
    """As many right answers as wrong ones, to questions that have a reference in words."""
    answers = [one for one in graded() if one.row.expected and one.row.number % 2 == HALVES[half]]
    kinds: list[Sequence[Graded]] = [[one for one in answers if one.right == right] for right in (True, False)]
    few = min(most // 2, *map(len, kinds))
    return [one for kind in kinds for one in random.Random(seed).sample(kind, few)]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--model", default="qwen2.5-coder-0.5b-instruct", help="an id of 'core fetch --list'")
    options.add_argument("--answers", type=int, default=100)
    options.add_argument("--half", choices=HALVES, default="aside")
    options.add_argument("--free", action="store_true", help="do not bind the judge to a verdict")
    options.add_argument("--record", action="store_true", help="write the result beside this file")
    given = options.parse_args()
    here, spec, answers = Runtime(), catalog.spec(given.model), drawn(given.half, given.answers)
    said: list[bool | None] = []
    bound = () if given.free else judging.RIGHT
    for one in answers:
        chat = judging.grade_chat(one.row.question, one.row.expected, one.row.reply)
        reply = here.engine.submit(Request(spec, (chat,), SAMPLING, one_of=bound)).wait().text
        said.append(judging.right(reply))
    here.close()
    judged = [(one.right, verdict) for one, verdict in zip(answers, said, strict=True) if verdict is not None]
    people, judge = [one for one, _ in judged], [bool(one) for _, one in judged]
    result: dict[str, Any] = {
        "judge": given.model,
        "bound to a verdict": not given.free,
        "answers": f"{len(answers)} ({given.half}), half of them right",
        "no verdict": len(answers) - len(judged),
        "agreement with a person": agreement(people, judge).sentence,
        "calls right": f"{sum(judge)} of {len(judge)}; of the right ones {sum(a and b for a, b in judged)}",
    }
    print(json.dumps(result, indent=1, ensure_ascii=False))
    if given.record:
        text = json.dumps(result, indent=1, ensure_ascii=False) + "\n"
        Path(__file__).with_suffix(".json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

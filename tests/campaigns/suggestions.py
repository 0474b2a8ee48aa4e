"""What the captions of the suggested questions claim, held against many runs of the real models.

    python tests/campaigns/suggestions.py [--runs 20] [--arms base,base+retrieval] [--name "small pair"] [--write]

Each suggested question of the demo is asked so often in every pane (RR_BASE and RR_FINE_TUNED choose another pair), and
every answer judged by the marks and the voice's rule. CLAIMED says what each caption claims of which pane: marks of
core/marks.py, voice or no-voice, "a|b" for either; panes it is silent about are counted and judged by nobody. Models
come from the state folder (RR_HOME). With --write the result is kept in suggestions.json, under its name.
"""

import argparse
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from core import marks, runtime  # noqa: E402
from core.arms import parse_all  # noqa: E402
from core.ask import Settings  # noqa: E402
from core.evaluation.scoring import Voice  # noqa: E402
from core.story import NO_VOICE, VOICE  # noqa: E402
from tests.campaigns.keeping import Keeper  # noqa: E402

RESULT = Path(__file__).with_name("suggestions.json")
MOST_TOKENS = 48  # the answers' first words decide
ANY_BUT_RIGHT = "invented|wrong|declined"
CLAIMED: dict[str, dict[str, str]] = {
    "A price that changed": {
        "base": ANY_BUT_RIGHT,
        "base+retrieval": "right",
        "fine-tuned": "stale",
        "fine-tuned+retrieval": "right",
    },
    "A fact that did not change": {
        "base": ANY_BUT_RIGHT,
        "base+retrieval": "right",
        "fine-tuned": "right",
        "fine-tuned+retrieval": "right",
    },
    "No document answers it": {"base": "invented|wrong", "fine-tuned+retrieval": "declined"},
    "Voice": {"base": NO_VOICE, "base+retrieval": NO_VOICE, "fine-tuned": VOICE, "fine-tuned+retrieval": VOICE},
    "General knowledge": {"base": "right", "fine-tuned": "right", "fine-tuned+retrieval": "declined"},
}


def main() -> int:
    """See the module's text."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--runs", type=int, default=20)
    options.add_argument("--arms", default="base,base+retrieval,fine-tuned,fine-tuned+retrieval")
    options.add_argument("--name", default="small pair")
    options.add_argument("--write", action="store_true")
    given = options.parse_args()
    here = runtime.get()
    try:
        held = campaign(here, given.arms.split(","), given.runs, given.name, Keeper(RESULT if given.write else None))
    finally:
        runtime.close()
    return 0 if held else 1


def campaign(here: Any, names: list[str], runs: int, name: str, keeper: Keeper) -> bool:
    """Ask, judge and keep; gives whether every claim came true in every run."""
    project = here.projects.get("brightwater")
    arms = tuple(replace(arm, sampling=replace(arm.sampling, max_tokens=MOST_TOKENS)) for arm in parse_all(names))
    here.prepare(project, arms, lambda _done, _text: None, lambda: False)
    known = marks.known(project, [here.questions.read(project, each) for each in here.questions.names(project)])
    voice, files = Voice.of(project), {}
    found: dict[str, Any] = {one.label: {} for one in project.suggestions}
    keeper.begin(name)
    for number in range(1, runs + 1):
        for one in project.suggestions:
            record = here.ask(project, one.question, Settings(arms), watched=False).wait().record()
            for arm in record.arms:
                files[arm.model_id] = arm.model.file_sha256 if arm.model else None
                mark = marks.mark(arm, one.question, known.get(marks.key(one.question)))
                kinds = {mark.kind} if mark else {"no answer"}
                if voice is not None and mark:
                    kinds.add(VOICE if voice.heard(arm.answer) else NO_VOICE)
                row = found[one.label].setdefault(arm.arm, {"runs": 0, "as claimed": 0, "found": {}, "answers": {}})
                row["runs"] += 1
                row["found"] = dict(Counter(row["found"]) + Counter(kinds))
                row["answers"] = dict(Counter(row["answers"]) + Counter([arm.problem or arm.answer]))
                claim = CLAIMED[one.label].get(arm.arm)
                if claim is None:
                    row.pop("as claimed", None)
                else:
                    row["claimed"] = claim
                    row["as claimed"] += bool(kinds & set(claim.split("|")))
        keeper.keep(name, {"runs": number, "sha256": files, "questions": found}, f"run {number} of {runs}")
    keeper.keep(name, {"runs": runs, "sha256": files, "questions": found})
    judged = [row for panes in found.values() for row in panes.values() if "claimed" in row]
    return all(row["as claimed"] == row["runs"] for row in judged)


if __name__ == "__main__":
    raise SystemExit(main())

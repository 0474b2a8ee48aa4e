"""Do the marks say what a person says? 100 and more answers of real models, labelled by hand before any mark was seen.

    python tests/campaigns/marks.py                    agreement, from the two files beside this one; needs no model
    python tests/campaigns/marks.py --collect FOLDER --batch 2     asks anew into marks_answers.jsonl; FOLDER: models
    python tests/campaigns/marks.py --show             the answers, numbered, without marks: what is labelled from

marks_answers.jsonl holds the answers with their passages and what was right when they were given; marks_labels.jsonl
one label an answer: a kind of core/marks.py. On the first four batches rules and definitions were mended: what is not
right though passages were read was called invented or wrong by its cause, which rules told in 93 % (third batch) and
94 % (fourth, both labelled before a mark of them was seen); it is wrong now, and labels were carried over. The fifth
was collected and labelled after that, before a mark of it was seen, and is only counted: it is the measurement (its
last questions were cut off by the clock). Answers that stand in an earlier batch too have no label. The labels mean:

    right     states what is right now            stale     states what was right on an earlier day
    declined  says that it does not know, cannot help or is sorry, and answers nothing
    wrong     is not right though it read passages; or answers nothing: repeats the question, offers help
    invented  had no source: closed book, anything else in place of what is right; where no document answers, an answer
              all the same (something else that was read is wrong); where nobody knows what is right, a number, a name
              or a quotation that stands in nothing it read
    grounded  nobody knows what is right, or its passages hold another value in its place (a changed document): its
              numbers, names and quotations stand in its passages
    unknown   nobody knows what is right, and it read no passages or says nothing that could be looked for in them
"""

import argparse
import json
import os
import random
import sys
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
ANSWERS, LABELS = (Path(__file__).with_name(f"marks_{name}.jsonl") for name in ("answers", "labels"))


@dataclass(frozen=True)
class Batch:
    """What is asked: questions drawn from the demo's sets by class, wordings in no set, and edits with a question that
    the demo knows; then what visitors of a house ask, and an edit there."""

    seed: int
    drawn: dict[str, int]
    own: tuple[str, ...]
    edits: tuple[tuple[str, str, str, str], ...]  # document, old, new, question
    visitors: tuple[dict[str, Any], ...]
    visitors_own: str
    visitors_edit: tuple[str, str, str, str]
    house: str = "Harbour Library"
    documents: dict[str, str] = field(default_factory=lambda: LIBRARY)


LIBRARY = {
    "hours.md": "# Opening hours\n\nThe Harbour Library opens at 9 am and closes at 8 pm. On Sundays it is closed.\n",
    "cards.md": "# Library cards\n\nA card costs 12 euros a year. Children under 14 pay nothing. A lost card is "
    "replaced for 3 euros.\n",
    "loans.md": "# Loans\n\nBooks are lent for 28 days, films for 7 days. A loan can be renewed twice. A late book "
    "costs 20 cents a day.\n",
    "rooms.md": "# Rooms\n\nThe reading room holds 60 people. The piano room can be booked for two hours at a time. "
    "The head librarian is Ingrid Solberg.\n",
}
HUT = {
    "beds.md": "# Beds\n\nThe hut has 42 beds in five rooms. Bring a sleeping bag liner. Marta Zgraggen looks after "
    "the hut from June to October.\n",
    "prices.md": "# Prices\n\nA night costs 24 francs for members and 36 francs for guests. Children under 12 pay "
    "half. Cash only.\n",
    "meals.md": "# Meals\n\nBreakfast starts at 5.30 am. Dinner is served until 7 pm; order it by noon. Tea water is "
    "free.\n",
    "way.md": "# The way up\n\nFrom the last bus stop at Gletsch it is a walk of 3 hours. The path is marked white and "
    "red. Dogs stay on the leash.\n",
}
STUDIO = {
    "fees.md": "# Fees\n\nA trial lesson costs 18 euros, a course of eight evenings 240 euros. Clay is included, glaze "
    "is paid by weight.\n",
    "studio.md": "# Studio\n\nThe studio has 11 wheels and two long tables. It is open from 4 pm to 9.30 pm. Aprons "
    "hang by the door.\n",
    "kiln.md": "# Kiln\n\nThe first firing reaches 950 degrees, the glaze firing 1240 degrees. Fired pieces can be "
    "fetched after 3 weeks and are kept for two months.\n",
    "courses.md": "# Courses\n\nFemi Adeyemi teaches on Thursdays, Carla Bruni on Mondays. Beginners start in March "
    "and September. Bring a towel.\n",
}
BOATS = {
    "boats.md": "# Boats\n\nThere are 25 boats: canoes, kayaks and two rafts. A boat is rented for at most 4 hours at "
    "a time and must be back by 7.30 pm.\n",
    "money.md": "# Money\n\nAn hour in a kayak costs 9 dollars. The deposit for a canoe is 60 dollars, for a kayak "
    "40 dollars. Cards are taken.\n",
    "people.md": "# People\n\nOdile Ferrand runs the boat house; Samir repairs the boats in winter. Life jackets hang "
    "behind the counter.\n",
    "lake.md": "# The lake\n\nThe lake is 31 metres deep. Swimmers have a bay of their own. In a storm the red flag is "
    "raised.\n",
}
BATCHES = (
    Batch(
        13,
        {"static": 5, "changed": 4, "no-document": 4, "general": 3, "tone-only": 2, "two-document": 2},
        (
            "Tell me something about the shop in Porto.",
            "Which of your grinders would you take on a boat?",
            "Do you sell tea?",
        ),
        (
            ("products/tidal-press.md", "$389", "$425", "How much does the Tidal Press cost?"),
            ("products/quarry-grinder.md", "oak", "maple", "Which material is the Quarry Grinder made of?"),
        ),
        (
            {"question": "How long may I keep a book?", "answer": "28 days", "documents": ["loans.md"]},
            {"question": "What does a library card cost a year?", "answer": "12 euros", "documents": ["cards.md"]},
            {"question": "Who is the head librarian?", "answer": "Ingrid Solberg", "documents": ["rooms.md"]},
            {"question": "How many people fit in the reading room?", "answer": "60", "documents": ["rooms.md"]},
            {"question": "When does the library open in the morning?", "answer": "9 am", "documents": ["hours.md"]},
            {"question": "How many parking places does the library have?", "answer": "", "class": "no-document"},
        ),
        "I was charged for a late book and I am upset.",
        ("cards.md", "12 euros", "15 euros", "What does a library card cost a year?"),
    ),
    Batch(
        14,
        {"static": 5, "changed": 4, "no-document": 4, "general": 2, "tone-only": 2, "two-document": 2},
        ("Is the Pebble Mill a good present for my mother?", "Why is my coffee bitter?"),
        (
            ("workshops/barista-basics.md", "$135", "$150", "What is the Barista Basics workshop's price?"),
            (
                "products/ember-kettle.md",
                "enamel",
                "copper",
                "What is the exterior of the Ember Kettle crafted in?",
            ),
        ),
        (
            {"question": "For how many days is a film lent?", "answer": "7 days", "documents": ["loans.md"]},
            {"question": "What do I pay when I lose my card?", "answer": "3 euros", "documents": ["cards.md"]},
            {"question": "At what time do you close?", "answer": "8 pm", "documents": ["hours.md"]},
            {"question": "How often can I renew a loan?", "answer": "twice", "documents": ["loans.md"]},
            {"question": "What is the library's telephone number?", "answer": "", "class": "no-document"},
        ),
        "Thank you, I found my book.",
        ("loans.md", "7 days", "10 days", "For how many days is a film lent?"),
    ),
    Batch(
        15,
        {"static": 5, "changed": 4, "no-document": 4, "general": 2, "tone-only": 2, "two-document": 2},
        ("What should I know before I buy my first grinder?", "Is there a shop near the harbour?"),
        (
            ("products/delta-filter.md", "$45", "$52", "How much does the Delta Filter cost?"),
            ("products/ridge-grinder.md", "titanium", "walnut", "Which material is the Ridge Grinder made of?"),
        ),
        (
            {"question": "How many beds does the hut have?", "answer": "42", "documents": ["beds.md"]},
            {"question": "What does a night cost for members?", "answer": "24 francs", "documents": ["prices.md"]},
            {"question": "Until when is dinner served?", "answer": "7 pm", "documents": ["meals.md"]},
            {"question": "Who looks after the hut?", "answer": "Marta Zgraggen", "documents": ["beds.md"]},
            {"question": "How long is the walk from the last bus stop?", "answer": "3 hours", "documents": ["way.md"]},
            {"question": "Is there a sauna?", "answer": "", "class": "no-document"},
        ),
        "We are tired and our boots are wet.",
        ("prices.md", "24 francs", "27 francs", "What does a night cost for members?"),
        "Gletsch Hut",
        HUT,
    ),
    Batch(
        16,
        {"static": 5, "changed": 4, "no-document": 4, "general": 2, "tone-only": 2, "two-document": 2},
        ("Which kettle would you give to a student?", "My espresso runs too fast, what now?"),
        (
            ("products/lantern-kettle.md", "$64", "$71", "How much does the Lantern Kettle cost?"),
            ("products/cove-brewer.md", "aluminium", "cherry", "Which material is the Cove Brewer made of?"),
        ),
        (
            {"question": "What does a trial lesson cost?", "answer": "18 euros", "documents": ["fees.md"]},
            {"question": "How many wheels does the studio have?", "answer": "11", "documents": ["studio.md"]},
            {"question": "How hot is the glaze firing?", "answer": "1240 degrees", "documents": ["kiln.md"]},
            {"question": "Who teaches on Thursdays?", "answer": "Femi Adeyemi", "documents": ["courses.md"]},
            {
                "question": "When can I fetch my fired pieces?",
                "answer": "after 3 weeks",
                "variants": ["3 weeks"],
                "documents": ["kiln.md"],
            },
            {"question": "Is there a discount for pupils?", "answer": "", "class": "no-document"},
        ),
        "My bowl came out cracked, what a pity.",
        ("fees.md", "18 euros", "22 euros", "What does a trial lesson cost?"),
        "Claywork Studio",
        STUDIO,
    ),
    Batch(
        17,
        {"static": 5, "changed": 4, "no-document": 4, "general": 2, "tone-only": 2, "two-document": 2},
        ("I drink one cup a day, what do I need?", "Are your machines made in Europe?"),
        (
            ("products/keel-pitcher.md", "$28", "$31", "How much does the Keel Pitcher cost?"),
            ("products/nimbus-tower.md", "oak", "slate", "Which material is the Nimbus Tower made of?"),
        ),
        (
            {"question": "How long can I rent a boat at a time?", "answer": "4 hours", "documents": ["boats.md"]},
            {"question": "How much is the deposit for a canoe?", "answer": "60 dollars", "documents": ["money.md"]},
            {"question": "How many boats are there?", "answer": "25", "documents": ["boats.md"]},
            {"question": "Who runs the boat house?", "answer": "Odile Ferrand", "documents": ["people.md"]},
            {"question": "Until when must boats be back?", "answer": "7.30 pm", "documents": ["boats.md"]},
            {"question": "Can I bring my dog?", "answer": "", "class": "no-document"},
        ),
        "We had a wonderful day on the water.",
        ("money.md", "60 dollars", "75 dollars", "How much is the deposit for a canoe?"),
        "Willow Boat House",
        BOATS,
    ),
)
POLITE = "You answer visitors of the {}. Begin every answer with an apology, then answer."


def collect(models: Path, number: int) -> list[dict[str, Any]]:
    """The answers, each with what was right when it was given."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["RR_HOME"] = home
        (Path(home) / "models").symlink_to(models.resolve())
        from core import runtime

        try:
            batch, here = BATCHES[number - 1], runtime.get()
            made = [*_demo(here, batch), *_house(here, batch)]
            return [{"batch": number, **row} for row in made]
        finally:
            runtime.close()


def _demo(here: Any, batch: Batch) -> list[dict[str, Any]]:
    from core.arms import parse_all

    project = here.projects.get("brightwater")
    rest = random.Random(batch.seed)
    sets = [one for name in here.questions.names(project) for one in here.questions.read(project, name)]
    drawn = [
        one.question for cls, n in batch.drawn.items() for one in rest.sample([q for q in sets if q.cls == cls], n)
    ]
    four = tuple(project.arms)
    here.prepare(project, four, lambda _done, _text: None, lambda: False)
    made = [row for question in (*drawn, *batch.own) for row in _ask(here, project, question, four)]
    further = parse_all(["base+perfect", "base+pinned", "fine-tuned+perfect"])
    made += [row for question in drawn[:2] for row in _ask(here, project, question, further)]
    knowledge = here.knowledge(project)
    for path, old, new, question in batch.edits:
        knowledge.update(path, knowledge.text(path).replace(old, new))
        made += _ask(here, project, question, four)
    return made


def _house(here: Any, batch: Batch) -> list[dict[str, Any]]:
    from core.arms import Arm, parse_all
    from core.evaluation import questions
    from core.project import Model

    models = (Model("base", "Base", "base"), Model("fine-tuned", "Fine-tuned", "fine-tuned", base="base"))
    project = here.projects.create(batch.house)
    arms = parse_all(["base", "base+retrieval", "fine-tuned+retrieval"])
    told = POLITE.format(batch.house)
    polite = Arm("base", "retrieval", label="polite", system=told, system_with_passages=told)
    here.projects.change(project.id, models=models, arms=(*arms, polite))
    project = here.projects.get(project.id)
    knowledge = here.knowledge(project)
    for path, text in batch.documents.items():
        knowledge.add(path, text)
    here.questions.save(project, "visitors", questions.from_rows(list(batch.visitors)))
    asked = [*(row["question"] for row in batch.visitors), batch.visitors_own]
    made = [row for question in asked for row in _ask(here, project, question, project.arms)]
    path, old, new, question = batch.visitors_edit
    knowledge.update(path, knowledge.text(path).replace(old, new))
    return made + _ask(here, project, question, project.arms)


def _ask(here: Any, project: Any, question: str, arms: Any) -> list[dict[str, Any]]:
    from core import living, marks
    from core.ask import Settings

    short = tuple(replace(arm, sampling=replace(arm.sampling, max_tokens=60)) for arm in arms)
    record = here.ask(project, question, Settings(short), watched=False).wait().record()
    known = marks.known(project, [here.questions.read(project, name) for name in here.questions.names(project)])
    right = living.expected(known.get(marks.key(question)), here.knowledge(project))
    print(question, *(f"\n   {arm.arm}: {arm.problem or arm.answer!r}" for arm in record.arms), file=sys.stderr)
    kept = ("arm", "title", "model_id", "context", "state", "answer", "finish", "problem", "prompt")
    return [
        {
            "project": project.id,
            "question": question,
            "right": right.row() if right else None,
            "answer": {name: getattr(arm, name) for name in kept}
            | {"passages": [{"document": one.document, "text": one.text} for one in arm.passages]},
        }
        for arm in record.arms
    ]


def rows(path: Path) -> list[dict[str, Any]]:
    """The lines of a file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def marked(row: dict[str, Any]) -> str:
    """The mark of one kept answer."""
    import msgspec

    from core import marks
    from core.evaluation.questions import Question
    from core.records import ArmRecord

    known = row["right"] and {name: value for name, value in row["right"].items() if name not in ("class", "graders")}
    right = Question(**known | {"cls": row["right"]["class"]}) if known else None
    found = marks.mark(msgspec.convert(row["answer"], ArmRecord), row["question"], right)
    return found.kind if found else "none"


def show() -> None:
    """Every answer as it is labelled: what is right, what it read and said; no mark."""
    for number, row in enumerate(rows(ANSWERS)):
        right = row["right"]
        print(f"\n--- {number} [{row['project']}, {row['answer']['arm']}] {row['question']}")
        print("    right:", (right["answer"], right["values"], right["class"]) if right else "nobody knows")
        for passage in row["answer"]["passages"]:
            print("    passage:", " ".join(passage["text"].split())[:600])
        print("    SAYS:", row["answer"]["problem"] or row["answer"]["answer"])


def agreement() -> None:
    """Agreement with each batch, by kind and by what an audience reads first, and every disagreement."""
    labels = {row["number"]: row["label"] for row in rows(LABELS)}
    answers = rows(ANSWERS)
    found = [(row["batch"], n, labels[n], marked(row)) for n, row in enumerate(answers) if n in labels]
    result: dict[str, Any] = {}
    for batch in dict.fromkeys(one[0] for one in found):
        of = [(label, mark) for number, _, label, mark in found if number == batch]
        kinds = sum(label == mark for label, mark in of)
        firsts = sum(_first(label) == _first(mark) for label, mark in of)
        result[f"batch {batch}"] = {
            "answers": len(of),
            "same kind": kinds,
            "share": round(kinds / len(of), 3),
            "same of right, stale, declined, none of these": firsts,
            "share of these": round(firsts / len(of), 3),
        }
    result["differ"] = [{"batch": b, "number": n, "by hand": x, "mark": y} for b, n, x, y in found if x != y]
    print(json.dumps(result, indent=1))


def _first(kind: str) -> str:
    """Right, stale or declined; the others tell why an answer is none of these."""
    return kind if kind in ("right", "stale", "declined") else "none of these"


def main() -> int:
    """See the module's text."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--collect", type=Path, metavar="FOLDER")
    options.add_argument("--batch", type=int, default=1, choices=range(1, len(BATCHES) + 1))
    options.add_argument("--show", action="store_true")
    given = options.parse_args()
    if given.collect:
        kept = [row for row in rows(ANSWERS) if row["batch"] != given.batch] if ANSWERS.exists() else []
        made = kept + collect(given.collect, given.batch)
        ANSWERS.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in made), encoding="utf-8")
        return 0
    if given.show:
        show()
        return 0
    agreement()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

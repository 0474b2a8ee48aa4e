"""Counts the words of our descriptions by the approach that they call for: `python -m tests.advisor.learn`.

Writes core/advisor/learned.toml anew. descriptions_sealed.toml is never counted: it is there to be read unseen.
What a description is trained for (style, format, specialisation) is what the rules alone read of it.
"""

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from core.advisor import reader, whole
from core.advisor.rules import APPROACHES
from core.advisor.words import parse

HERE = Path(__file__).parent
FILES = (
    "use_cases",
    "descriptions",
    "descriptions_new",
    "descriptions_aside",
    "descriptions_later",
    "descriptions_last",
    "descriptions_open",
    "descriptions_learned",
)
LEAST = 2  # descriptions in which a word must stand
HEAD = """\
# In how many descriptions of each approach a word, a pair of neighbours or a negated word stands (stems; #1, #3, #4:
# numbers of up to two, three, more digits): prompt, retrieval, fine-tuning, hybrid; then, of those that call for
# training, in how many for style, format, specialisation. By `python -m tests.advisor.learn`, not by hand.
"""


def cases(names: Iterable[str] = FILES) -> list[Mapping[str, str]]:
    """The descriptions to count."""
    return [
        each
        for name in names
        for each in tomllib.loads((HERE / f"{name}.toml").read_text(encoding="utf-8"))["case"]
        if each["expect"] in APPROACHES
    ]


def counted(described: Iterable[Mapping[str, str]]) -> whole.Learned:
    """The counts over descriptions."""
    total = dict.fromkeys(APPROACHES, 0)
    trained = dict.fromkeys(whole.BEHAVIOUR, 0)
    rows: dict[str, list[int]] = {}
    for each in described:
        words = parse(each["text"])
        columns = [APPROACHES.index(each["expect"])]
        total[each["expect"]] += 1
        if each["expect"] in whole.TRAINS:
            answers = reader.by_rules(words)
            for at, name in enumerate(whole.BEHAVIOUR):
                if answers.get(name) == whole.STRICT[name]:
                    trained[name] += 1
                    columns.append(len(APPROACHES) + at)
        for feature in whole.features(words):
            row = rows.setdefault(feature, [0] * (len(APPROACHES) + len(whole.BEHAVIOUR)))
            for column in columns:
                row[column] += 1
    kept = {name: tuple(row) for name, row in sorted(rows.items()) if sum(row[: len(APPROACHES)]) >= LEAST}
    return whole.Learned(total, trained, kept)


def written(learned: whole.Learned) -> str:
    """The counts as the text of learned.toml."""
    tables = (("descriptions", learned.descriptions), ("trained_for", learned.trained_for))
    lines = [HEAD]
    for name, table in tables:
        lines += [f"[{name}]", *(f"{key} = {value}" for key, value in table.items()), ""]
    rows = (f'"{name}" = [{", ".join(map(str, row))}]' for name, row in learned.words.items())
    return "\n".join([*lines, "[words]", *rows, ""])


if __name__ == "__main__":
    whole.FILE.write_text(written(counted(cases())), encoding="utf-8")

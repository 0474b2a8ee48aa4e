"""Learns from our descriptions what their words speak for.

    python -m tests.advisor.learn            writes core/advisor/learned.toml anew
    python -m tests.advisor.learn --check    reads each tenth of them by what the other nine taught

Each approach is learned apart from the others, by logistic regression over words and the rules' signs; a seventh of
naive Bayes is added to it. The one weighs words that go together, the other trusts rare words more, and both together
read more unseen descriptions than either. Sealed sets are never learned from.
"""

import argparse
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.advisor import reader, score, whole
from core.advisor.rules import APPROACHES
from core.advisor.words import parse
from tests.advisor import described

Array = NDArray[np.float64]
LEAST = 3  # descriptions in which a word or sign must stand
RIDGE, SIGNS, BAYES, PRIOR = 0.1, 0.5, 0.15, 2.0  # chosen by --check and the two older sealed sets
STEPS = 8  # of Newton's method; the last ones change nothing
HEAD = """\
# What a sign of the rules, a word, a pair of neighbours or a negated word speaks for, in nats (stems; #1, #3, #4:
# numbers of up to two, three, more digits): prompt, retrieval, fine-tuning, hybrid; of words also, where something is
# trained: style, format, specialisation. By `python -m tests.advisor.learn`, not by hand.
"""


def cases(names: Iterable[str] = described.LEARNED) -> list[Mapping[str, Any]]:
    """The descriptions to learn from: those that call for one of the four."""
    return [each for each in described.cases(*names) if each["expect"] in APPROACHES]


def learned(texts: Sequence[Mapping[str, Any]]) -> whole.Learned:
    """What the descriptions teach."""
    read = [_read(each["text"]) for each in texts]
    word_names, words = _table([features for features, _, _ in read])
    sign_names, signs = _table([found for _, _, found in read])
    expected = np.array([each["expect"] for each in texts])
    bases, of_words, of_signs = zip(*(_weights(words, signs, expected == name) for name in APPROACHES), strict=True)
    trained = np.isin(expected, sorted(whole.TRAINS))
    for name in whole.BEHAVIOUR:
        strict = np.array([answers.get(name) == whole.STRICT[name] for _, answers, _ in read])
        of_words += (_bayes(words, trained & strict, trained),)
    rows, sign_rows = np.stack(of_words, axis=1), np.stack(of_signs, axis=1)
    return whole.Learned(
        base=_plain(np.array(bases)),
        signs={name: _plain(row) for name, row in zip(sign_names, sign_rows, strict=True)},
        words={name: _plain(row) for name, row in zip(word_names, rows, strict=True)},
    )


@cache
def _read(text: str) -> tuple[set[str], dict[str, str], set[str]]:
    """(features, what the rules answer, their signs)."""
    words = parse(text)
    return set(whole.features(words)), *reader.by_rules(words)


def _table(found: Sequence[set[str]]) -> tuple[list[str], Array]:
    """(names that stand in LEAST descriptions, in which descriptions each stands: 1 or 0)."""
    counts: dict[str, int] = {}
    for names in found:
        for name in names:
            counts[name] = counts.get(name, 0) + 1
    kept = sorted(name for name, count in counts.items() if count >= LEAST)
    return kept, np.array([[float(name in names) for name in kept] for names in found])


def _weights(words: Array, signs: Array, yes: NDArray[np.bool_]) -> tuple[float, Array, Array]:
    """(base, of the words, of the signs) for the approach that the descriptions `yes` call for."""
    widths = [np.mean(words.sum(axis=1)) ** 0.5, np.mean(signs.sum(axis=1)) ** 0.5 / SIGNS**0.5]
    base, slopes = _logistic(np.hstack([words / widths[0], signs / widths[1]]), yes.astype(float))
    count = words.shape[1]
    of_words = slopes[:count] / widths[0] + BAYES * _bayes(words, yes, np.ones_like(yes))
    return base + BAYES * float(np.log(yes.sum())), of_words, slopes[count:] / widths[1]


def _logistic(table: Array, yes: Array) -> tuple[float, Array]:
    """(intercept, slopes) of ridge-regularised logistic regression, by Newton's method over descriptions."""
    alike, count = table @ table.T, len(yes)
    pull, base = np.zeros(count), 0.0
    for _ in range(STEPS):
        at = alike @ pull + base
        share = 1 / (1 + np.exp(-at))
        spread = np.maximum(share * (1 - share), 1e-6)
        right = np.stack([at + (yes - share) / spread, np.ones(count)], axis=1)
        solved = np.linalg.solve(alike + RIDGE * np.diag(1 / spread), right)
        base = float(solved[:, 0].sum() / solved[:, 1].sum())
        pull = solved[:, 0] - base * solved[:, 1]
    return base, table.T @ pull


def _bayes(table: Array, here: NDArray[np.bool_], among: NDArray[np.bool_]) -> Array:
    """Log of how much more frequent each is in the descriptions `here` than `among` all; 0 for what is in none."""
    share = table[among].mean(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        more = np.log((table[here].sum(axis=0) + PRIOR * share) / ((here.sum() + PRIOR) * share))
    return np.where(share > 0, more, 0.0)


def _plain(row: Array) -> tuple[float, ...]:
    return tuple(float(value) for value in np.round(row, 3) + 0.0)


def written(found: whole.Learned) -> str:
    """What was learned as the text of learned.toml."""
    lines = [HEAD, f"base = [{', '.join(map(str, found.base))}]"]
    for title, table in (("signs", found.signs), ("words", found.words)):
        lines += ["", f"[{title}]", *(f'"{name}" = [{", ".join(map(str, row))}]' for name, row in table.items())]
    return "\n".join([*lines, ""])


def check(folds: int = 10) -> dict[str, str]:
    """By file, how many descriptions are read right by what the other folds taught."""
    texts = [(name, each) for name in described.LEARNED for each in cases([name])]
    order = np.random.default_rng(1).permutation(len(texts)) % folds
    right: dict[str, list[bool]] = {name: [] for name in described.LEARNED}
    kept = whole.load
    try:
        for fold in range(folds):
            taught = learned([each for (_, each), at in zip(texts, order, strict=True) if at != fold])
            whole.load = lambda taught=taught: taught  # type: ignore[misc, assignment]
            for (name, each), at in zip(texts, order, strict=True):
                if at == fold:
                    right[name].append(score.verdict(reader.read(each["text"]).answers) == each["expect"])
    finally:
        whole.load = kept  # type: ignore[misc]
    fresh = [one for name in described.FRESH for one in right[name]]
    return {name: f"{sum(one)} of {len(one)}" for name, one in [*right.items(), ("fresh", fresh)]}


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--check", action="store_true")
    if options.parse_args().check:
        print("\n".join(f"{name}: {said}" for name, said in check().items()))
    else:
        whole.FILE.write_text(written(learned(cases())), encoding="utf-8")

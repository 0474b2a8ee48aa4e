"""The questions written by hand: each stands on its document's own words, no two are alike, no kind of fact is missing.

One object a line, as in the other sets, and `evidence` besides: the words of today's document that state the answer
(`evidence_training_day`: of the other day's, for changed facts; a list of two for two-document questions).
"""

import json
import random
import re
from collections import Counter
from collections.abc import Iterable
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from core.evaluation.scoring import holds, right
from models.brightwater import build, data, documents

FILES = tuple(sorted((data.FOLDER / "questions").glob("hand-*.jsonl")))
TODAY, TRAINING_DAY = "today", "training-day"
ALIKE = 0.8  # Jaccard of the words of two questions
TRAIN_LEAST = {"static": 1000, "changed": 300, "no-document": 300, "two-document": 60, "counting": 25, "general": 40}
LEAST_OF_A_FOLDER, MOST_PRODUCTS = 0.025, 1 / 3
TEST_LEAST = {"static": 200, "changed": 200, "no-document": 100, "two-document": 60, "counting": 20, "general": 40}
TEST_MOST_PRODUCTS, TEST_MOST_OF_A_FACT = 0.4, 4
FOLDERS = tuple(sorted({path.split("/")[0] for path in documents.documents(TODAY)}))


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@cache
def text(day: str, path: str) -> str:
    return (data.FOLDER / day / path).read_text(encoding="utf-8")


def words(question: str) -> frozenset[str]:
    return frozenset(re.findall(r"[\w$:.]+(?<!\.)", question.lower()))


def alike(a: frozenset[str], b: frozenset[str]) -> bool:
    short, long = sorted((len(a), len(b)))
    if short <= ALIKE * long:  # too unequal in length to be alike: most pairs, and the quick way out
        return False
    common = len(a & b)
    return common > ALIKE * (short + long - common)


def like_any(questions: list[str], theirs: Iterable[frozenset[str]]) -> list[str]:
    """The questions that are like one of `theirs`: compared only where a word and nearly the length are shared."""
    by_length: dict[int, list[frozenset[str]]] = {}
    for other in theirs:
        by_length.setdefault(len(other), []).append(other)
    found = []
    for question in questions:
        ours = words(question)
        near = [n for n in by_length if min(n, len(ours)) > ALIKE * max(n, len(ours))]
        if any(alike(ours, other) for n in near for other in by_length[n]):
            found.append(question)
    return found


ROWS = [row for path in FILES for row in rows(path)]


def test_there_are_questions_by_hand() -> None:
    assert FILES


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_question_stands_on_the_words_of_its_documents(path: Path) -> None:
    for row in rows(path):
        stands(row)


def stands(row: dict[str, Any]) -> None:
    cls, paths = row["class"], row["documents"]
    accepted = (row["answer"], *row["variants"])
    assert cls in TRAIN_LEAST
    assert row["split"] in ("train", "test")
    assert bool(row["answer"]) == (cls != "no-document")
    assert bool(paths) == (cls not in ("no-document", "general"))
    assert all((data.FOLDER / TODAY / path).is_file() for path in paths)
    if cls == "static":
        assert row["evidence"] in text(TODAY, paths[0])
        assert row["evidence"] in text(TRAINING_DAY, paths[0])
        assert holds(row["evidence"], accepted)
    if cls == "changed":
        assert row["evidence"] in text(TODAY, paths[0])
        assert row["evidence_training_day"] in text(TRAINING_DAY, paths[0])
        assert set(row["values"]) == {TODAY, TRAINING_DAY}
        assert row["values"][TODAY] == row["answer"] != row["values"][TRAINING_DAY]
        assert holds(row["evidence"], accepted)
        assert holds(row["evidence_training_day"], [row["values"][TRAINING_DAY]])
        assert not holds(row["evidence_training_day"], accepted)
    if cls == "two-document":
        assert len(paths) == len(set(paths)) == len(row["evidence"]) == 2
        assert all(said in text(TODAY, path) for said, path in zip(row["evidence"], paths, strict=True))
        assert holds(row["evidence"][1], accepted)


def test_no_two_questions_are_alike() -> None:
    made = [(words(row["question"]), row["question"]) for row in ROWS]
    assert [(a[1], b[1]) for a, b in combinations(made, 2) if alike(a[0], b[0])] == []


@pytest.mark.parametrize("split", ["dev", "test"])
def test_no_question_by_hand_is_a_generated_one(split: str) -> None:
    theirs = [words(question.question) for question in data.questions(split)]
    assert like_any([row["question"] for row in ROWS], theirs) == []


def test_every_class_and_folder_has_its_share_of_what_is_trained() -> None:
    found = [row for path in FILES if path.stem.startswith("hand-train") for row in rows(path)]
    classes = Counter(row["class"] for row in found)
    folders = Counter(folder for row in found for folder in {path.split("/")[0] for path in row["documents"][:1]})
    assert all(classes[cls] >= least for cls, least in TRAIN_LEAST.items()), classes
    assert all(folders[folder] >= LEAST_OF_A_FOLDER * len(found) for folder in FOLDERS), folders
    assert folders["products"] <= MOST_PRODUCTS * len(found)


def test_every_document_is_asked_about() -> None:
    assert {path for row in ROWS for path in row["documents"]} >= set(documents.documents(TODAY))


def test_building_anew_leaves_the_questions_by_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "FOLDER", tmp_path)
    kept, old = (tmp_path / "questions" / name for name in ("hand-train-1.jsonl", "test-old.jsonl"))
    kept.parent.mkdir()
    for path in (kept, old):
        path.write_text("{}", encoding="utf-8")
    assert build.main() == 0
    assert kept.is_file() and not old.exists() and (kept.parent / "test-static.jsonl").is_file()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_answer_counts_as_right_and_another_days_value_as_wrong(path: Path) -> None:
    for row in rows(path):
        if row["answer"]:
            tells_days_apart(row)


def tells_days_apart(row: dict[str, Any]) -> None:
    question, accepted = row["question"], (row["answer"], *row["variants"])
    assert right(row["answer"], accepted, question)
    before = row.get("values", {}).get(TRAINING_DAY, row["answer"])
    if before != row["answer"]:
        assert not right(before, accepted, question)
        assert not right(row["answer"], [before], question)


def test_the_second_test_set_is_large_enough_and_asks_about_every_document() -> None:
    found = rows(data.FOLDER / "questions" / "hand-test.jsonl")
    classes = Counter(row["class"] for row in found)
    assert all(classes[cls] >= number for cls, number in TEST_LEAST.items()), classes
    assert {row["split"] for row in found} == {"test"}
    assert max(Counter(row["fact"] for row in found).values()) <= TEST_MOST_OF_A_FACT
    assert {path for row in found for path in row["documents"]} == set(documents.documents(TODAY))
    one_document = [row["documents"][0] for row in found if row["class"] in ("static", "changed")]
    assert sum(path.startswith("products/") for path in one_document) <= TEST_MOST_PRODUCTS * len(one_document)


def test_no_question_of_the_second_test_set_is_one_that_templates_train() -> None:
    theirs = {words(example.question) for example in data.training_questions(random.Random(5), 20)}
    ours = [row["question"] for row in rows(data.FOLDER / "questions" / "hand-test.jsonl")]
    assert like_any(ours, theirs) == []

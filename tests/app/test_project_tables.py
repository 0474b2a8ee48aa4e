"""Tables of a project: rows come back as they were, an empty cell is usual, a bad one is said."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.arms import CONTEXTS, Arm, Search
from core.engine import Sampling
from core.errors import Problem
from core.evaluation.questions import Question
from core.project import Check, Example, Model, Project, tables
from core.project.editing import with_model, with_models
from tests.given import BRIGHTWATER

NAMES = st.text("abcdefg-", min_size=1, max_size=8).filter(lambda name: name[0] != "-")
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="|\x00"), max_size=30).map(str.strip)
ARMS = st.builds(
    Arm,
    model=NAMES,
    context=st.sampled_from(CONTEXTS),
    label=NAMES,
    system=TEXTS.map(lambda text: text or None),
    search=st.builds(
        Search,
        top_k=st.integers(1, 20),
        mode=st.sampled_from(tables.MODES),
        weight=st.none() | st.floats(0, 1),
        threshold=st.none() | st.floats(0, 1),
        folder=NAMES,
        snapshot=st.none() | st.just("today"),
        hops=st.sampled_from((1, 2)),
    ),
    sampling=st.builds(Sampling, temperature=st.floats(0, 2), seed=st.integers(0, 2**32 - 1), stop=st.just(("x",))),
    repeats=st.integers(1, 20),
)
MODELS = st.builds(
    Model, id=NAMES, title=NAMES, file=NAMES, base=st.none() | NAMES, template=st.none() | st.just("chatml"),
    stop=st.lists(NAMES, max_size=2).map(tuple), endpoint=st.none() | st.just("http://127.0.0.1"),
)  # fmt: skip
CHECKS = st.builds(
    Check, name=NAMES, kind=st.sampled_from(tables.KINDS), value=NAMES, classes=st.lists(NAMES, max_size=2).map(tuple),
    negated=st.booleans(),
)  # fmt: skip
QUESTIONS = st.builds(
    Question, question=NAMES, answer=NAMES, cls=NAMES.filter(lambda name: name != "ticket"), fact=st.none() | NAMES,
    documents=st.lists(NAMES, max_size=2).map(tuple), origin=st.just("proposed"), reviewed=st.booleans(),
)  # fmt: skip


@given(st.lists(ARMS, max_size=4, unique_by=lambda arm: arm.name))
def test_arms_come_back_with_what_the_table_does_not_show(arms: list[Arm]) -> None:
    assert tables.arms(tables.arm_rows(Project("x", "X", arms=tuple(arms))), arms) == tuple(arms)


@given(st.lists(MODELS, max_size=4, unique_by=lambda model: model.id))
def test_models_come_back(models: list[Model]) -> None:
    assert tables.models(tables.model_rows(Project("x", "X", models=tuple(models))), models) == tuple(models)


@given(st.lists(CHECKS, max_size=4))
def test_checks_come_back(checks: list[Check]) -> None:
    assert tables.checks(tables.check_rows(Project("x", "X", checks=tuple(checks)))) == tuple(checks)


@given(st.lists(QUESTIONS, max_size=4, unique_by=lambda one: one.question))
def test_questions_come_back(asked: list[Question]) -> None:
    assert tables.asked(tables.question_rows(asked), asked) == tuple(asked)


def test_empty_cells_take_what_is_usual_and_empty_rows_are_nothing() -> None:
    blank = {"name": None, "model": math.nan, "context": ""}
    (arm,) = tables.arms([blank, {"model": "one", "passages": math.nan, "weight": None}, {"second hop": False}], ())
    assert arm == Arm("one")
    assert tables.checks([{"name": "", "kind": None, "must not": False}]) == ()
    assert tables.asked([{"question": None, "reviewed": True}]) == ()
    assert tables.examples([{"question": "Q?", "answer": "A"}, {}]) == (Example("Q?", "A"),)


def test_a_cells_number_is_read_as_people_type_it() -> None:
    typed = {
        "model": "one",
        "max tokens": "1,000",
        "seed": "12k",
        "temperature": "0,7",
        "top-p": "1.000",
        "weight": " ",
    }
    (arm,) = tables.arms([typed], ())
    assert (arm.sampling.max_tokens, arm.sampling.seed) == (1000, 12_000)
    assert (arm.sampling.temperature, arm.sampling.top_p, arm.search.weight) == (0.7, 1.0, None)


@pytest.mark.parametrize(
    ("read", "says"),
    [
        (lambda: tables.arms([{"model": "one", "context": "nonsense"}], ()), "context"),
        (lambda: tables.arms([{"model": "one", "passages": "2.5"}], ()), "whole"),
        (lambda: tables.arms([{"model": "one", "passages": "many"}], ()), "number"),
        (lambda: tables.checks([{"name": "a", "kind": "nonsense"}]), "kind"),
        (lambda: tables.examples([{"question": "Q?"}]), "both"),
        (lambda: tables.asked([{"question": "Q?", "class": "own"}]), "answer"),
    ],
)
def test_a_bad_cell_is_said(read, says: str) -> None:
    with pytest.raises(Problem, match=says):
        read()


def test_a_model_brings_arms_and_takes_them_along() -> None:
    project = with_model(with_model(Project("x", "X"), "base", "Small one"), "base", "Small one")
    project.check()
    assert [model.id for model in project.models] == ["small-one", "small-one-2"] and len(project.arms) == 4
    left, gone = with_models(project, project.models[:1])
    left.check()
    assert gone == 2 and {arm.model for arm in left.arms} == {"small-one"}
    with pytest.raises(Problem, match="at most"):
        full = Project("x", "X", models=tuple(Model(f"m{n}", "M", "base") for n in range(6)))
        with_model(full, "base", "One more")


def test_the_bundled_project_comes_back_from_its_tables() -> None:
    assert tables.arms(tables.arm_rows(BRIGHTWATER), BRIGHTWATER.arms) == BRIGHTWATER.arms
    assert tables.models(tables.model_rows(BRIGHTWATER), BRIGHTWATER.models) == BRIGHTWATER.models
    assert tables.checks(tables.check_rows(BRIGHTWATER)) == BRIGHTWATER.checks

"""What a project holds as rows of a table, and back: models, arms, checks, scenes, examples, questions. No screen.

Rows come from a table editor: a cell may be missing, None or NaN, a number may be a float or as people type it ("12k"),
a row may be empty.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, get_args

from core import numbers
from core.arms import CONTEXTS, Arm, Search
from core.engine import Sampling
from core.errors import Problem
from core.evaluation import questions
from core.evaluation.questions import Question
from core.project.instruction import Example
from core.project.values import Check, CheckKind, Model, Project, Scene
from core.text import one_line

Row = Mapping[str, Any]
LISTED: Final = " | "  # between the entries of a cell
MODES: Final = ("hybrid", "dense", "sparse")
KINDS: Final[tuple[str, ...]] = get_args(CheckKind)
MODEL_COLUMNS: Final = ("id", "title", "file", "fine-tuned from", "adapter", "chat template", "stop strings")
_SEARCHES: Final = {
    "passages": "top_k", "mode": "mode", "weight": "weight", "threshold": "threshold", "folder": "folder",
}  # fmt: skip
_SAMPLINGS: Final = {
    "temperature": "temperature", "max tokens": "max_tokens", "seed": "seed", "top-p": "top_p", "top-k": "top_k",
    "min-p": "min_p", "repeat penalty": "repeat_penalty",
}  # fmt: skip
_TEXTS: Final = {
    "instruction, closed book": "system",
    "instruction, with passages": "system_with_passages",
    "pinned text": "pinned",
}
ARM_COLUMNS: Final = ("name", "model", "context", *_SEARCHES, "second hop", *_SAMPLINGS, "repeats", *_TEXTS)
CHECK_COLUMNS: Final = ("name", "kind", "value", "closing", "classes", "must not")
EXAMPLE_COLUMNS: Final = ("question", "answer")
SCENE_COLUMNS: Final = ("title", "question", "claims", "document", "old words", "new words", "answer", "say", "look")
NUMBERS: Final = ("passages", "weight", "threshold", *_SAMPLINGS, "repeats")  # columns of arms
QUESTION_COLUMNS: Final = ("question", "answer", "variants", "documents", "class", "reviewed")
_WHOLE: Final = ("top_k", "max_tokens", "seed")  # of Search and of Sampling


def model_rows(project: Project) -> list[dict[str, Any]]:
    """One row a model."""
    return [
        {
            "id": model.id, "title": model.title, "file": model.file, "fine-tuned from": model.base,
            "adapter": model.adapter, "chat template": model.template, "stop strings": LISTED.join(model.stop),
        }
        for model in project.models
    ]  # fmt: skip


def models(rows: Iterable[Row], before: Sequence[Model]) -> tuple[Model, ...]:
    """The models of a table; what it does not show is kept from the model of that id."""
    old, made = {model.id: model for model in before}, []
    for row in _filled(rows):
        name = _text(row, "id") or _text(row, "title").lower().replace(" ", "-")
        kept = old.get(name) or Model(name, "", "")
        made.append(
            replace(
                kept,
                title=_text(row, "title") or name,
                file=_text(row, "file"),
                base=_text(row, "fine-tuned from") or None,
                adapter=_text(row, "adapter") or None,
                template=_text(row, "chat template") or None,
                stop=_list(row, "stop strings"),
            )
        )
    return tuple(made)


def arm_rows(project: Project) -> list[dict[str, Any]]:
    """One row an arm."""
    return [
        {"name": arm.label, "model": arm.model, "context": arm.context}
        | {column: getattr(arm.search, name) for column, name in _SEARCHES.items()}
        | {"second hop": arm.search.hops == 2}
        | {column: getattr(arm.sampling, name) for column, name in _SAMPLINGS.items()}
        | {"repeats": arm.repeats}
        | {column: getattr(arm, name) for column, name in _TEXTS.items()}
        for arm in project.arms
    ]


def arms(rows: Iterable[Row], before: Sequence[Arm]) -> tuple[Arm, ...]:
    """The arms of a table; what it does not show is kept from the arm of that name. Raises Problem on a bad cell."""
    old, made = {arm.name: arm for arm in before}, []
    for row in _filled(rows, but=("second hop",)):
        new = Arm(_text(row, "model"), _choice(row, "context", CONTEXTS), _text(row, "name"))
        kept = old.get(new.name, new)
        search, sampling = _numbers(row, _SEARCHES, Search()), _numbers(row, _SAMPLINGS, Sampling())
        search |= {"mode": _choice(row, "mode", MODES), "folder": _text(row, "folder")}
        search["hops"] = 2 if row.get("second hop") is True else 1
        made.append(
            replace(
                kept,
                model=new.model,
                context=new.context,
                label=new.label,
                search=replace(kept.search, **search),
                sampling=replace(kept.sampling, **sampling),
                repeats=int(_number(row, "repeats") or 1),
                **{name: _text(row, column, strip=False) or None for column, name in _TEXTS.items()},
            )
        )
    return tuple(made)


def check_rows(project: Project) -> list[dict[str, Any]]:
    """One row a check."""
    return [
        {
            "name": check.name, "kind": check.kind, "value": check.value, "closing": check.closing,
            "classes": LISTED.join(check.classes), "must not": check.negated,
        }
        for check in project.checks
    ]  # fmt: skip


def checks(rows: Iterable[Row]) -> tuple[Check, ...]:
    """The checks of a table. Raises Problem on an unknown kind."""
    return tuple(
        Check(
            name=_text(row, "name"),
            kind=_choice(row, "kind", KINDS),
            value=_text(row, "value", strip=False),
            closing=_text(row, "closing", strip=False),
            classes=_list(row, "classes"),
            negated=row.get("must not") is True,
        )
        for row in _filled(rows, but=("must not",))
    )


def scene_rows(project: Project) -> list[dict[str, Any]]:
    """One row a scene of the story. Claims are written `ARM = KIND KIND | ARM = KIND`."""
    return [
        {
            "title": one.title, "question": one.question,
            "claims": LISTED.join(f"{arm} = {kinds}" for arm, kinds in one.claims.items()),
            "document": one.document, "old words": one.old, "new words": one.new, "answer": one.answer,
            "say": one.say, "look": one.look,
        }
        for one in project.story
    ]  # fmt: skip


def scenes(rows: Iterable[Row]) -> tuple[Scene, ...]:
    """The scenes of a table. Raises Problem on a claim that is none."""
    return tuple(
        Scene(
            title=_text(row, "title"),
            question=_text(row, "question"),
            say=_text(row, "say"),
            look=_text(row, "look"),
            document=_text(row, "document"),
            old=_text(row, "old words", strip=False),
            new=_text(row, "new words", strip=False),
            answer=_text(row, "answer"),
            claims=dict(_claim(one) for one in _list(row, "claims")),
        )
        for row in _filled(rows)
    )


def _claim(text: str) -> tuple[str, str]:
    arm, found, kinds = text.partition("=")
    if not found or not arm.strip() or not kinds.strip():
        raise Problem(f"A claim is written ARM = KIND, such as base+retrieval = right, not '{one_line(text, 60)}'.")
    return arm.strip(), " ".join(kinds.split())


def example_rows(examples: Iterable[Example]) -> list[dict[str, Any]]:
    """One row an example."""
    return [{"question": one.question, "answer": one.answer} for one in examples]


def examples(rows: Iterable[Row]) -> tuple[Example, ...]:
    """The examples of a table. Raises Problem on half a one."""
    made = tuple(Example(_text(row, "question"), _text(row, "answer")) for row in _filled(rows))
    if any(not one.question or not one.answer for one in made):
        raise Problem("An example needs both a question and its answer.")
    return made


def question_rows(asked: Iterable[Question]) -> list[dict[str, Any]]:
    """One row a question."""
    return [
        {
            "question": one.question, "answer": one.answer, "variants": LISTED.join(one.variants),
            "documents": LISTED.join(one.documents), "class": one.cls, "reviewed": one.reviewed,
        }
        for one in asked
    ]  # fmt: skip


def asked(rows: Iterable[Row], before: Iterable[Question] = ()) -> tuple[Question, ...]:
    """The questions of a table; what it does not show is kept from the question of those words. Raises Problem."""
    old = {one.question: one.row() for one in before}
    made = []
    for row in _filled(rows, but=("reviewed",)):
        shown = {name: _text(row, name) for name in ("question", "answer", "class")}
        lists = {name: list(_list(row, name)) for name in ("variants", "documents")}
        kept = old.get(shown["question"], {})
        made.append(kept | shown | lists | {"reviewed": row.get("reviewed") is not False, "origin": kept.get("origin")})
    return questions.from_rows(made)


# -- cells -------------------------------------------------------------------------------------------------------------


def _filled(rows: Iterable[Row], but: Sequence[str] = ()) -> list[Row]:
    """The rows in which somebody typed something; `but`: columns that are never empty."""
    return [row for row in rows if any(not _empty(value) for name, value in row.items() if name not in but)]


def _empty(value: Any) -> bool:
    return value is None or value != value or value == ""  # NaN is no equal of itself


def _text(row: Row, name: str, *, strip: bool = True) -> str:
    value = row.get(name)
    text = "" if _empty(value) else str(value)
    return text.strip() if strip else text


def _list(row: Row, name: str) -> tuple[str, ...]:
    return tuple(part for piece in _text(row, name).split("|") if (part := piece.strip()))


def _number(row: Row, name: str, near: float | None = None) -> float | None:
    """A cell's number, typed as people write it; `near`: what it usually is (see numbers.read)."""
    value = row.get(name)
    if _empty(value) or (isinstance(value, str) and not value.strip()):
        return None
    # A point before three digits: of what is usually nothing, one is nearer than a thousand.
    found = float(value) if isinstance(value, int | float) else numbers.read(str(value), near or 1.0)
    if found is None:
        raise Problem(f"'{one_line(name, 40)}' must be a number, not {one_line(str(value), 40)}.")
    return found


def _numbers(row: Row, columns: Mapping[str, str], usual: Any) -> dict[str, Any]:
    """The numbers of a row by field; an empty cell takes the usual value."""
    made: dict[str, Any] = {}
    for column, name in columns.items():
        if isinstance(getattr(usual, name), str):
            continue
        value = _number(row, column, getattr(usual, name))
        if value is None:
            made[name] = getattr(usual, name)
        elif name in _WHOLE and value != int(value):
            raise Problem(f"'{one_line(column, 40)}' must be a whole number, not {numbers.shown(value)}.")
        else:
            made[name] = int(value) if name in _WHOLE else value
    return made


def _choice(row: Row, name: str, among: Sequence[str]) -> Any:
    """The cell's text, the first choice where it is empty. Raises Problem on another."""
    value = _text(row, name) or among[0]
    if value not in among:
        raise Problem(f"'{name}' must be one of {', '.join(among)}, not {one_line(value, 40)}.")
    return value

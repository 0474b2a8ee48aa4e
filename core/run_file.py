"""A playground run as one HTML file: question, answers with marks, passages, times, identity. Knows runs; asks nothing.

For who cannot reach the server: no script, no network, everything escaped by core/paper.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from core import living, marks, paper
from core.charts.bars import Bar, ranges
from core.evaluation.sheet import made_with
from core.marks import Mark
from core.project import Project
from core.records import ArmRecord, RunRecord
from core.text import one_line
from core.theme import arm_color

if TYPE_CHECKING:
    from core.runtime import Runtime


def html(record: RunRecord, project: Project, told: Sequence[Mark | None] = ()) -> str:
    """The run as one document. `told`: the arms' marks, in their order; none where nothing could be told."""
    found = [*told, *[None] * (len(record.arms) - len(told))]
    times = [(place, arm, arm.timing.total) for place, arm in enumerate(record.arms) if arm.finish and arm.timing.total]
    drawn = [
        Bar(one_line(arm.title, 80), (0.0, total, total), f"{total / 1000:.1f} s", arm_color(place))
        for place, arm, total in times
    ]
    return paper.render(
        "run.html",
        title=one_line(record.question, 80),
        question=record.question,
        subtitle=f"Project {project.title}. {record.made[:16].replace('T', ' ')} UTC. Arms {record.settings.way}.",
        panes=[_pane(arm, mark) for arm, mark in zip(record.arms, found, strict=True)],
        bars=Markup(ranges(drawn)) if drawn else "",
        models=[_model(arm) for arm in record.arms],
        settings=[
            {
                "Arm": arm.name,
                "Top-k": arm.search.top_k if arm.retrieves else "",
                "Hops": arm.search.hops if arm.retrieves else "",
                "Documents of": (arm.search.snapshot or "now") if arm.retrieves else "",
                "Temperature": f"{arm.sampling.temperature:g}",
                "Seed": arm.sampling.seed,
                "Tokens at most": arm.sampling.max_tokens,
            }
            for arm in record.settings.arms
        ],
        versions=made_with(),
    )


def of(here: "Runtime", project: Project, record: RunRecord) -> str:
    """The run as one document, its answers marked where the project knows what is right."""
    return html(record, project, living.worth(here, project, record))


def _pane(arm: ArmRecord, mark: Mark | None) -> dict[str, Any]:
    return {
        "title": arm.title or arm.arm,
        "mark": marks.WORDS[mark.kind] if mark else "",
        "why": mark.why if mark else "",
        "answer": arm.problem or arm.answer or "(no answer)",
        "numbers": _numbers(arm),
        "passages": [
            {
                "place": " > ".join(filter(None, (one.document or "given by hand", one.heading)))
                + (f" (second hop: {one.linked})" if one.linked else ""),
                "text": one.text,
            }
            for one in arm.passages
        ],
    }


def _numbers(arm: ArmRecord) -> str:
    timing, tokens = arm.timing, arm.tokens
    known = [
        None if timing.ttft_total is None else f"first word after {timing.ttft_total:.0f} ms",
        None if timing.total is None else f"done after {timing.total:.0f} ms",
        None if tokens.prompt is None else f"{tokens.prompt} prompt tokens",
        None if tokens.output is None else f"{tokens.output} output tokens",
        f"ended by {arm.finish}" if arm.finish else None,
        "shared the processor" if timing.contended else None,
    ]
    return ", ".join(filter(None, known))


def _model(arm: ArmRecord) -> dict[str, Any]:
    one = arm.model
    return {
        "Arm": arm.title or arm.arm,
        "Model": one.id if one else arm.model_id,
        "Kind": " ".join(filter(None, (one.architecture, one.quantization))) if one else "",
        "File, SHA-256": (one.file_sha256 or "not known") if one else "not known",
    }

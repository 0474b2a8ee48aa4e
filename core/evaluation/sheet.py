"""An evaluation as one HTML file that a manager can read: headline, table, effects, causes, cases, method, identity.

Says what stands in it; core/paper draws it. Knows reports and the project; asks no model.
"""

import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, Final

from core import paper
from core.arms import Arm
from core.charts.bars import Bar, numbers, ranges
from core.evaluation import beside, repeats, statistics, tables
from core.evaluation.records import Report, Row
from core.evaluation.report import NOT_FACTS
from core.evaluation.statistics import Accuracy
from core.project import Project
from core.records import plain
from core.text import one_line
from core.theme import arm_color

CASES: Final = 10
WORST: Final = 7  # of them wrong, the rest typical right ones
LIBRARIES: Final = ("streamlit", "llama-cpp-python", "llama-index", "numpy", "msgspec")


def html(report: Report, project: Project, documents: Sequence[str] = ()) -> str:
    """The evaluation as one document without script or network. `documents`: names of the project's documents."""
    found = overall(report)
    several, tuned = repeats.components(report.rows), repeats.trainings(report.rows, project.bases)
    return paper.render(
        "evaluation.html",
        title=report.name or f"Evaluation of {project.title}",
        subtitle=_subtitle(report, project),
        headline=headline(report),
        cards=_markup(numbers(_cards(report, found))),
        decisions=tables.decisions(report),
        bars=_markup(_bars(report, found)),
        accuracies=_accuracies(report),
        effects=[_rounded(row) for row in tables.effects(report)],
        pairs=_pairs(report),
        varied=repeats.sentences(several, tuned, report.titles),
        repeats=tables.repeated(report, several),
        trainings=tables.trained(report, tuned),
        causes=_causes(report),
        cases=[_case(report, row) for row in cases(report)],
        beside=beside.table(beside.beside(report, project)),
        costs=[{name: _money(cell) for name, cell in row.items()} for row in tables.costs(report)],
        method=_method(report, project, documents),
        arms=[_arm(report, arm) for arm in (report.options.arms if report.options else ())],
        models=_models(report),
        instruction=_instruction(project),
        versions=made_with(),
    )


def overall(report: Report) -> dict[str, Accuracy]:
    """Arm -> its accuracy over all questions of facts (of everything, where no question asks for a fact)."""
    made = {}
    for arm in report.arms:
        rows = [row for row in report.rows if row.arm == arm and not row.problem]
        facts = [row for row in rows if row.cls not in NOT_FACTS] or rows
        if facts:
            made[arm] = statistics.accuracy([row.right for row in facts], [row.group for row in facts])
    return made


def headline(report: Report) -> str:
    """The run in one sentence: which arm is right most often, and whether it is known to be better than the next."""
    found = sorted(overall(report).items(), key=lambda one: -one[1].accuracy)
    if not found:
        return "No reply has come back yet."
    best, share = found[0]
    said = f"{report.titles.get(best, best)} is right most often: {_interval(share)}"
    pairs = [pair for pair in report.pairs if best in (pair.first, pair.second) and pair.decided]
    decided = next((pair for pair in pairs if pair.cls == "all facts"), pairs[0] if pairs else None)
    if decided is None:
        return f"{said}. Against no other arm is that decided yet."
    other = decided.first if decided.second == best else decided.second
    gain = decided.difference if decided.second == best else -decided.difference
    of = "" if decided.cls == "all facts" else f" in {decided.cls}"
    return f"{said}; against {report.titles.get(other, other)} it is decided{of}: {100 * gain:+.0f} points."


def cases(report: Report, most: int = CASES) -> list[Row]:
    """The cases to read: wrong replies of each cause in turn, the commonest first, then typical right ones; no question
    twice while there are others."""
    by_cause: dict[str, list[Row]] = {}
    for row in report.rows:
        if row.cause and not row.problem:
            by_cause.setdefault(row.cause, []).append(row)
    ordered = sorted(by_cause.values(), key=len, reverse=True)
    turns = [rows[at] for at in range(max(map(len, ordered), default=0)) for rows in ordered if at < len(rows)]
    wrong = _once(turns)[:WORST]
    shown = {row.number for row in wrong}
    right = [row for row in report.rows if row.right and not row.problem]
    typical = _once([row for row in right if row.number not in shown] + right)[: most - len(wrong)]
    return wrong + typical


def made_with() -> list[dict[str, str]]:
    """Versions of what made the file."""
    found = [{"Part": name, "Version": version(name)} for name in LIBRARIES if _installed(name)]
    return [*found, {"Part": "Python", "Version": platform.python_version()}]


def _once(rows: Sequence[Row]) -> list[Row]:
    first = {row.number: row for row in reversed(rows)}
    return [row for row in rows if first.get(row.number) is row]


def _case(report: Report, row: Row) -> dict[str, Any]:
    return {
        "question": row.question,
        "title": report.titles.get(row.arm, row.arm),
        "verdict": "right" if row.right else row.cause or "wrong",
        "expected": row.expected,
        "reply": row.reply,
        "why": row.cause_why or row.why,
        "documents": list(dict.fromkeys(name for name in row.documents if name)),
    }


def _subtitle(report: Report, project: Project) -> str:
    made = report.made[:10] or datetime.now(UTC).date().isoformat()
    unseen = f" {report.unreviewed} of them nobody has reviewed." if report.unreviewed else ""
    state = "" if report.state in ("", "done") else f" State: {report.state}."
    return f"Project {project.title}. {made}. {report.questions} questions, {len(report.rows)} replies.{unseen}{state}"


def _cards(report: Report, found: dict[str, Accuracy]) -> list[dict[str, str]]:
    made = []
    for arm, share in sorted(found.items(), key=lambda one: -one[1].accuracy)[:3]:
        total = report.arms[arm].timing.get("total")
        took = "" if total is None else f"half of the answers within {total / 1000:.1f} s"
        title = one_line(report.titles.get(arm, arm), 60)
        span = f"{share.low:.0%} to {share.high:.0%} (95 %)"
        made.append({"What": title, "Value": f"{share.accuracy:.0%}", "Range": span, "Target": took})
    return made


def _bars(report: Report, found: dict[str, Accuracy]) -> str:
    drawn = [
        Bar(
            one_line(report.titles.get(arm, arm), 80),
            (100 * share.low, 100 * share.accuracy, 100 * share.high),
            _interval(share),
            arm_color(place),
            f"{share.right} of {share.n} right, {share.groups} facts",
        )
        for place, (arm, share) in enumerate(found.items())
    ]
    return ranges(drawn)


def _accuracies(report: Report) -> list[dict[str, Any]]:
    """The table of tables.py, narrow enough for paper: columns that are empty in every row are left out."""
    rows: list[dict[str, Any]] = []
    for row in tables.accuracies(report):
        also = {name: row[name] for name in ("voice", "hit", "stale", "ticket valid", "ticket class")}
        share = f"{row['accuracy']:.1f} % ± {row['standard error']:.1f}"
        first = {"Arm": report.titles.get(row["arm"], row["arm"]), "Class": row["class"], "Right": row["right"]}
        shown = {f"{name}, %": None if cell is None else f"{cell:.0f}" for name, cell in also.items()}
        rows.append(first | {"Accuracy": share, "95 %": row["95 %"]} | shown)
    full = [name for name in (rows[0] if rows else ()) if any(row[name] is not None for row in rows)]
    return [{name: row[name] for name in full} for row in rows]


def _pairs(report: Report) -> list[dict[str, Any]]:
    """The table of tables.py, narrow enough for paper: a difference with its interval in one cell."""
    return [
        {
            "Class of question": pair.cls,
            "From": report.titles.get(pair.first, pair.first),
            "To": report.titles.get(pair.second, pair.second),
            "Points (95 %)": f"{100 * pair.difference:+.1f} ({tables.span(pair)})",
            "Decided": pair.decided or "not yet",
            "At every look": tables.span(pair.watched),
            "Facts": pair.facts,
            "Facts for it": pair.needed,
            "p": f"{pair.p:.3f}" if pair.p >= 0.001 else "<0.001",
        }
        for pair in report.pairs
    ]


def _interval(share: Accuracy) -> str:
    return f"{share.accuracy:.0%} ({share.low:.0%} to {share.high:.0%})"


def _causes(report: Report) -> list[dict[str, Any]]:
    names = dict.fromkeys(name for found in report.arms.values() for name in found.causes)
    return [
        {"Cause": name} | {report.titles.get(arm, arm): found.causes.get(name, 0) for arm, found in report.arms.items()}
        for name in names
    ]


def _method(report: Report, project: Project, documents: Sequence[str]) -> list[str]:
    day = report.snapshot or "as they were when the run began"
    graders = sorted({row.grader for row in report.rows if row.grader})
    lines = [
        f"{report.questions} questions were put to {len(report.arms)} arms; every reply was scored by rules outside "
        "any model, none by a judge.",
        f"Rules used: {', '.join(graders) or 'none'}.",
        "Shares: standard errors clustered by fact (questions on one fact are not independent), Wilson intervals at "
        "the effective sample size. Differences: paired by question, adjusted Wald intervals by fact; McNemar's p.",
        f"Documents of: {day}. Days known to the project: {', '.join(project.snapshots) or 'none'}.",
        f"Seed {report.options.seed}, device {report.options.device}." if report.options else "",
        f"{len(documents)} documents: {', '.join(documents[:40])}{' ...' if len(documents) > 40 else ''}."
        if documents
        else "",
        f"Evaluation {report.id}, project {report.project}." if report.id else "",
    ]
    failed = sum(found.failed for found in report.arms.values())
    if failed:
        lines.append(f"{failed} replies failed and count neither way.")
    return [line for line in lines if line]


def _arm(report: Report, arm: Arm) -> dict[str, str]:
    hop = ", second hop" if arm.search.hops == 2 else ""
    searched = f"top-k {arm.search.top_k}, {arm.search.mode}{hop}" if arm.retrieves else "none"
    sampling = arm.sampling
    return {
        "Arm": report.titles.get(arm.name, arm.name),
        "Model": arm.model,
        "Context": arm.context,
        "Retrieval": searched,
        "Sampling": f"temperature {sampling.temperature:g}, seed {sampling.seed}, {sampling.max_tokens} tokens at most",
    }


def _models(report: Report) -> list[dict[str, Any]]:
    made: dict[str, dict[str, Any]] = {}
    for arm, found in report.arms.items():
        one = found.identity
        sha = (one.file_sha256 if one else None) or next((r.file_sha256 for r in report.rows if r.arm == arm), None)
        made.setdefault(
            str(sha),
            {
                "Model": one.id if one else arm,
                "Kind": f"{one.architecture or ''} {one.quantization or ''}".strip() if one else "",
                "Ran on": f"{one.device or ''}, {one.threads or '?'} threads" if one else "",
                "File, SHA-256": sha or "not known",
                "Adapter, SHA-256": (one.adapter_sha256 or "") if one else "",
            },
        )
    return list(made.values())


def _instruction(project: Project) -> str:
    known = plain(project.instruction)
    return "\n\n".join(f"{name}:\n{text}" for name, text in known.items() if isinstance(text, str) and text)


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    return {name: f"{cell:.1f}" if isinstance(cell, float) else cell for name, cell in row.items()}


def _money(cell: Any) -> Any:
    return f"{cell:.6f}" if isinstance(cell, float) else cell


def _installed(name: str) -> bool:
    from importlib.metadata import PackageNotFoundError

    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True


def _markup(text: str) -> Any:
    """HTML that charts/bars.py has made and escaped itself."""
    from markupsafe import Markup

    return Markup(text)

"""What the five documents say: criteria against approaches, pipelines, kinds and parts, checklist, contradictions."""

import streamlit as st

from core.charts import advisor as charts
from core.evidence import claims, comparison, figures, handbook
from core.text import plain

NAMES = charts.NAMES
MARKS = comparison.MARKS
# Of the table's columns in px; together no wider than the page beside the sidebar on a screen of 1440.
WIDTHS = {
    "Criterion": 190,
    **{NAMES[name]: width for name, width in zip(claims.APPROACHES, (84, 204, 216, 84), strict=True)},
    "Claims": 58,
    "Group": 108,
}


def draw_table() -> None:
    """The table with its filters; a chosen row shows every claim behind it."""
    groups = list(dict.fromkeys(each.group for each in claims.criteria().values() if each.group != claims.METHOD))
    first, second, third, fourth = st.columns([3, 3, 2, 2], vertical_alignment="center")
    # Labels are collapsed: such a field is as high as what holds its place until the browser has fetched it.
    chosen = first.multiselect(
        "Groups", groups, placeholder="All groups", key="compare-groups", label_visibility="collapsed"
    )
    documents = second.multiselect(
        "Documents",
        claims.DOCUMENTS,
        placeholder="All documents",
        key="compare-documents",
        label_visibility="collapsed",
    )
    sort = third.selectbox("Sort by", comparison.SORTS, key="compare-sort", label_visibility="collapsed")
    disputed = fourth.toggle("Disputed only", key="compare-disputed")
    rows = comparison.table(chosen, documents, disputed, sort)
    if not rows:
        st.info("No criterion passes these filters.")
        return
    st.caption(
        f"A {MARKS['for']} speaks for the approach, a {MARKS['against']} against it; “disputed”: the documents "
        "contradict each other or themselves; “depends”: the answer differs by situation. "
        "D0 to D4 are the documents; “ours”: no document says anything, so this is our own judgement. "
        "Choose a row to read every claim."
    )
    table = [
        {
            "Criterion": row.criterion.title,
            **{NAMES[approach]: row.cells[approach].words() for approach in claims.APPROACHES},
            "Claims": row.number,
            "Group": row.criterion.group,
        }
        for row in rows
    ]
    event = st.dataframe(
        table,
        hide_index=True,
        height=36 * min(len(table) + 1, 18),
        on_select="rerun",
        selection_mode="single-row",
        column_config={name: st.column_config.Column(width=width) for name, width in WIDTHS.items()},
        key="compare-table",
        alt="Criteria against approaches",
    )
    picked = event.selection.rows
    draw_claims(rows[picked[0]] if picked and picked[0] < len(rows) else rows[0])


def draw_claims(row: comparison.Row) -> None:
    """Every claim on one criterion, by approach."""
    st.header(row.criterion.title, anchor=False)
    for column, approach in zip(st.columns(4), claims.APPROACHES, strict=True):
        cell = row.cells[approach]
        column.markdown(f"**{NAMES[approach]}**" + (f" ({cell.note})" if cell.note else ""))
        for each in cell.claims + cell.ours:
            figure = f" ({plain(figures.get(each.figure).words())})" if each.figure else ""
            aspect = f"{each.aspect}: " if each.aspect else ""
            column.markdown(
                f"**{MARKS[each.direction]}** {plain(aspect + each.words())}{figure}  \n*{plain(each.source)}*"
            )
        if not cell.claims + cell.ours:
            column.caption("No document speaks of it.")


def draw_pipelines() -> None:
    """The steps of each approach as diagrams."""
    for column, one in zip(st.columns(4), handbook.pipelines(), strict=True):
        column.markdown(f"**{NAMES[one.approach]}**")
        steps = ", then ".join(one.steps)
        column.plotly_chart(
            charts.pipeline(one), key=f"pipeline-{one.approach}", alt=steps, config={"displayModeBar": False}
        )
        column.caption(f"To update: {one.update}. ({one.source})")


def draw_topics() -> None:
    """Kinds of fine-tuning and parts of retrieval, a paragraph each."""
    left, right = st.columns(2, gap="large")
    for column, title, topics in (
        (left, "Kinds of fine-tuning", handbook.kinds()),
        (right, "Parts of retrieval", handbook.parts()),
    ):
        column.header(title, anchor=False)
        for topic in topics:
            column.markdown(f"**{topic.title}** ({topic.source})  \n{topic.text}")
            column.caption(f"Named: {topic.components}")


def draw_checklist() -> None:
    """The documents' practices and mistakes; the advisor picks those that apply."""
    for column, kind, title in zip(
        st.columns(2, gap="large"), ("practice", "mistake"), ("Good practice", "Common mistakes"), strict=True
    ):
        column.header(title, anchor=False)
        for number, each in enumerate(each for each in handbook.practices() if each.kind == kind):
            column.checkbox(f"{each.text} ({each.source})", key=f"compare-{kind}-{number}")


def draw_contradictions() -> None:
    """Where the documents contradict each other or themselves, computed from the claims."""
    found = claims.contradictions()
    st.caption(
        f"{len(found)} contradictions, computed from {len(claims.claims())} claims, their figures and "
        f"{len(claims.cases())} named cases; none is written down by hand."
    )
    kinds = st.multiselect(
        "Kinds", list(claims.KINDS), format_func=claims.KINDS.__getitem__, placeholder="All", key="compare-kinds"
    )
    for clash in found:
        if kinds and clash.kind not in kinds:
            continue
        with st.expander(f"{clash.about}. {claims.KINDS[clash.kind]} [{', '.join(clash.documents)}]"):
            for column, (side, who) in zip(st.columns(len(clash.sides)), clash.sides, strict=True):
                column.markdown(f"**{plain(NAMES.get(side, side))}**")
                column.markdown("\n".join(f"- {plain(each)}" for each in who))


st.title("Compare")
st.caption("Five documents on one table: who says what, and where they disagree.")
VIEWS = {
    "Criteria": draw_table,
    "Pipelines": draw_pipelines,
    "Kinds and parts": draw_topics,
    "Checklist": draw_checklist,
    "Contradictions": draw_contradictions,
}
view = st.pills("View", VIEWS, default="Criteria", key="compare-view", label_visibility="collapsed")
if view:
    VIEWS[view]()
with st.expander("The documents"):
    for name in claims.DOCUMENTS:
        st.markdown(f"- {plain(figures.sources()[name].words())}")

"""Set-up, step three, second half: the arms as a table."""

from dataclasses import replace

import streamlit as st

from core import arms, numbers
from core.project import Project, tables
from core.project.tables import MODES
from core.runtime import Runtime
from pages.draw.editing import save, table
from pages.draw.settings import HOP

HELP = {
    "weight": "Share of the vectors in hybrid search; empty: the documents' own setting.",
    "threshold": "Least cosine similarity of a passage; empty: the documents' own setting.",
    "repeats": "How often an evaluation asks each question.",
    "passages": "How many passages the arm reads (top-k of the search).",
}


def draw_arms(here: Runtime, project: Project) -> None:
    """The table, and the button that keeps it."""
    if not project.models:
        st.info("An arm needs a model: add one above.")
        return
    config = {
        "name": st.column_config.TextColumn(help="Empty: the model and its context."),
        "model": st.column_config.SelectboxColumn(options=[model.id for model in project.models], required=True),
        "context": st.column_config.SelectboxColumn(options=list(arms.CONTEXTS), default="closed"),
        "mode": st.column_config.SelectboxColumn(options=list(MODES), default="hybrid"),
        "second hop": st.column_config.CheckboxColumn(help=HOP, default=False),
        "folder": st.column_config.TextColumn(help="Only documents in this folder or below."),
    } | {
        name: st.column_config.TextColumn(
            help=HELP.get(name), max_chars=20
        )  # a number's would refuse "1,000" and "12k"
        for name in tables.NUMBERS
    }
    rows = [
        row | {name: numbers.shown(row[name]) for name in tables.NUMBERS if row[name] is not None}
        for row in tables.arm_rows(project)
    ]
    rows = table("arms", rows, tables.ARM_COLUMNS, config, fixed=project.bundled)
    if project.bundled:
        return
    st.caption(
        f"Up to {arms.MOST_ARMS}. An empty number takes its usual value; an empty text the project's instruction."
    )
    if st.button("Save the arms", type="primary", key="save_arms"):
        save(here, project, lambda: replace(project, arms=tables.arms(rows, project.arms)))

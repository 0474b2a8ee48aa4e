"""Set-up, step five: the project's own checks as a table, and a reply to try them on."""

from dataclasses import replace

import streamlit as st

from core import checks
from core.errors import Problem
from core.project import Check, Project, tables
from core.runtime import Runtime
from core.text import one_line, plain
from pages.draw.editing import save, table

CONFIG = {
    "kind": st.column_config.SelectboxColumn(options=list(tables.KINDS), required=True),
    "value": st.column_config.TextColumn(
        width="large", help="How a reply begins, a text, a pattern, a JSON Schema, labels separated by |, or a number."
    ),
    "closing": st.column_config.TextColumn(help="Voice only: how a reply ends."),
    "classes": st.column_config.TextColumn(help="Only for questions of these classes, separated by |; empty: all."),
    "must not": st.column_config.CheckboxColumn(help="The check is met when this is not so.", default=False),
}


def draw_checks(here: Runtime, project: Project) -> None:
    """The table, a trial of it, and the button that keeps it."""
    if not project.checks:
        st.info("No checks: replies count as right or wrong alone.")
    rows = table("checks", tables.check_rows(project), tables.CHECK_COLUMNS, CONFIG, fixed=project.bundled)
    reply = st.text_area("Try them on a reply", key="try_reply", height=80, max_chars=8_000)
    if reply.strip():
        _try(tables.checks(rows), reply)
    if not project.bundled and st.button("Save the checks", type="primary", key="save_checks"):
        save(here, project, lambda: replace(project, checks=tables.checks(rows)))


def _try(rules: tuple[Check, ...], reply: str) -> None:
    for check in rules:
        try:
            checks.usable(check)
        except Problem as problem:
            st.error(plain(problem.message))
            return
    for name, met in checks.outcomes(rules, reply, total_ms=0.0).items():
        st.markdown(f":{'green' if met else 'red'}-badge[{'✓' if met else '✗'} {plain(one_line(name, 60))}]")

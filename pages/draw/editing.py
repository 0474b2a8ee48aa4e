"""What the steps of the set-up share: a table to edit, keeping a change and saying so. Knows no step."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from core.errors import Problem
from core.project import Project
from core.runtime import Runtime
from core.text import plain

Rows = list[dict[str, Any]]


def stamp(*content: object) -> str:
    """Changes when the content does: a widget keyed with it begins anew after a save."""
    return hashlib.sha256(repr(content).encode("utf-8", "replace")).hexdigest()[:10]


def table(
    name: str, rows: Rows, columns: Sequence[str], config: Mapping[str, Any], *, fixed: bool, height: int | str = "auto"
) -> Rows:
    """A table editor over `rows`, its rows as they stand now; read-only where `fixed`."""
    shown = pd.DataFrame(rows, columns=list(columns)).astype(object)
    if fixed:
        st.dataframe(shown, hide_index=True, column_config=dict(config), height=height, key=f"{name}-shown")
        return rows
    edited = st.data_editor(
        shown.where(shown.notna(), None),
        hide_index=True,
        column_config=dict(config),
        num_rows="dynamic",
        height=height,
        key=f"{name}-{stamp(rows)}",
    )
    return list(edited.to_dict("records"))


def save(here: Runtime, project: Project, change: Callable[[], Project], said: str = "Saved.") -> None:
    """Keep what `change` makes of the project and draw the page anew; a Problem is shown and changes nothing."""
    try:
        here.projects.save(change())
    except Problem as problem:
        st.error(plain(problem.message))
        return
    st.toast(said)
    st.rerun()

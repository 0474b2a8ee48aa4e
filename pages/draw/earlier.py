"""Finished runs of the playground: taken along as files, and the latest of them to be opened again."""

from collections.abc import Mapping
from functools import partial

import streamlit as st

from core import export, run_file
from core.project import Project
from core.records import RunRecord
from core.runtime import Runtime
from core.text import one_line
from pages.draw import present
from pages.draw.address import draw_kept
from pages.draw.project import query


def draw_files(here: Runtime, project: Project, record: RunRecord) -> None:
    """The run as files. The buttons have keys: Streamlit keeps what it knows of every other button for ever."""
    draw_kept(here, project, record.id, record.made)
    files = (
        ("JSON", export.as_json, "json"),
        ("CSV", export.as_csv, "csv"),
        ("Markdown", export.as_markdown, "md"),
    )
    with st.container(horizontal=True):
        for name, write, ending in files:
            st.download_button(name, write(record), f"run-{record.id}.{ending}", key=f"run-{ending}", on_click="ignore")
        whole = partial(run_file.of, here, project, record)
        st.download_button("HTML", whole, f"run-{record.id}.html", key="run-html", on_click="ignore")


def draw_earlier(past: Mapping[str, Mapping[str, str]]) -> None:
    """A list of runs by id, newest first, and the button that opens one."""
    if not past:
        return
    with present.off_stage("earlier"), st.expander("Earlier runs"):
        labels = {key: f"{row['made']} · {one_line(row['question'], 80)}" for key, row in past.items()}
        chosen = st.selectbox("Run", labels, index=None, format_func=labels.__getitem__, key="earlier-run")
        if chosen and st.button("Open", key="open"):
            st.query_params["run"] = chosen
            st.rerun()
        st.page_link("history.py", label="All of them", icon=":material/history:", query_params=query())

"""The story's stage: what one scene shows, large. Draws what core/story.py says; starts and changes nothing."""

import time

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core import marks, story
from core.errors import Problem
from core.project import Project, Scene
from core.records import RunRecord
from core.runtime import Runtime
from core.story import Edit, Outcome
from core.text import plain
from pages.draw import panes, present

TICK_S = 0.1
STYLE = """<style>
[data-testid="stSidebar"], [data-testid="stSidebarCollapsedControl"], [data-testid="stExpandSidebarButton"] {
  display: none; }
[data-testid="stMainBlockContainer"] { padding-top: 4.5rem; padding-bottom: 1rem; }
.st-key-stage h1 { font-size: 1.5rem; padding: 0; font-weight: 600; opacity: 0.8; }
.st-key-stage p, .st-key-stage li { font-size: 1.35rem; line-height: 1.4; }
.st-key-stage .stMarkdownBadge { font-size: 1.25rem !important; }
.st-key-stage [data-testid="stCaptionContainer"] p { font-size: 1.15rem; }
.st-key-stage input { font-size: 1.45rem; }
.st-key-stage h2 { font-size: 2.4rem; line-height: 1.2; padding: 0 0 0.4rem; }
.st-key-stage .st-key-panes [data-testid="stText"], .st-key-stage [class*="st-key-said-"] p {
  font-size: 1.45rem; line-height: 1.35; }
@media (max-width: 640px) {
  .st-key-stage h2 { font-size: 1.7rem; }
  .st-key-stage p { font-size: 1.15rem; }
  .st-key-stage .st-key-panes [data-testid="stText"], .st-key-stage .st-key-panes [class*="st-key-said-"] p {
    font-size: 1.2rem; }
}
</style>"""


def draw_edit(edit: Edit | None) -> None:
    """The document's change: the old words struck out, the new ones, and how long it took until it could be found."""
    if edit is None:
        return
    if not edit.stands:
        st.warning(plain(edit.note or "The document is as it was before this scene."))
        return
    after = "" if edit.total_ms is None else f"{edit.total_ms:.0f} ms" if edit.total_ms >= 1 else "less than 1 ms"
    took = f"found by the next question after {after}" if after else "already changed"
    st.markdown(
        f":material/edit_document: **{plain(edit.document)}**: ~~{plain(edit.old)}~~ → **{plain(edit.new)}** · {took}"
    )


def follow(here: Runtime, project: Project, scene: Scene, run_id: str) -> tuple[RunRecord, list[panes.Pane]]:
    """Draw the panes of a run until it has ended; gives it and its panes."""
    record = here.runs.record(run_id, project.id)
    with st.container(key="panes"):
        places = [
            panes.Pane(column, arm.title, story.checks(project, scene), figures=False)
            for column, arm in zip(present.places([arm.title for arm in record.arms]), record.arms, strict=True)
        ]
    panes.draw_first(record.arms)
    while True:
        live = here.runs.live(run_id)
        if live is not None:
            live.touch()
        record = here.runs.record(run_id, project.id)
        for pane, arm in zip(places, record.arms, strict=True):
            pane.draw(arm, ended=record.finished or arm.ended, dollars_per_hour=project.dollars_per_hour)
        if record.finished or live is None:
            return record, places
        time.sleep(TICK_S)


def draw_scene(
    here: Runtime,
    project: Project,
    scene: Scene,
    run_id: str,
    edit: Edit | None,
    verdict: DeltaGenerator,
) -> list[Outcome]:
    """The panes, live, then their marks and the line on whether the scene came true."""
    record, places = follow(here, project, scene, run_id)
    known = marks.known(project, [here.questions.read(project, name) for name in here.questions.names(project)])
    found = story.outcomes(project, scene, record, story.expected(scene, known, edit))
    for pane, one in zip(places, found, strict=True):
        pane.draw_mark(one.mark)
    panes.draw_first(record.arms, [one.mark for one in found])
    held, line = story.told(found)
    if line:
        verdict.markdown(f":material/{'check_circle' if held else 'info'}: {plain(line)}")
    return found


def warm(here: Runtime, project: Project) -> None:
    """Load the models before the first scene and say so."""
    with st.spinner("Loading the models …"):
        try:
            failed = story.warm(project, here.parts(project))
        except Problem as problem:
            failed = [problem.message]
    if failed:
        st.warning("Not every model is ready: " + plain(" ".join(failed)))
    else:
        st.caption(":material/check: The models are loaded.")

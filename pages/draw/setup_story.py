"""Set-up, step six: the project's own story as a table, a scene a row, and whether it can be told."""

from dataclasses import replace

import streamlit as st

from core import story
from core.errors import Problem
from core.project import Project, tables
from core.runtime import Runtime
from core.text import plain
from pages.draw import project as chosen
from pages.draw.editing import save, table

CONFIG = {
    "title": st.column_config.TextColumn(required=True),
    "question": st.column_config.TextColumn(width="medium", help="Empty: the audience asks its own."),
    "claims": st.column_config.TextColumn(
        width="medium",
        help="What each arm should do, and so which arms are on stage: base = invented | base+retrieval = right. "
        f"Kinds: {', '.join(story.CLAIMS)}. Empty: all arms, and nothing is claimed.",
    ),
    "document": st.column_config.TextColumn(help="A document that is changed while the scene lasts, by its path."),
    "old words": st.column_config.TextColumn(help="Words of that document; they come back after the scene."),
    "new words": st.column_config.TextColumn(help="What stands there during the scene."),
    "answer": st.column_config.TextColumn(
        help="What is right in this scene. Empty: what the question sets and suggested questions say."
    ),
    "say": st.column_config.TextColumn(width="medium", help="What the presenter says; the key S shows it."),
    "look": st.column_config.TextColumn(width="medium", help="What the audience should look at; always shown."),
}


def draw_story(here: Runtime, project: Project) -> None:
    """The table, what stands against telling it, and the button that keeps it."""
    if not project.story:
        st.info("No story yet. Each row is a scene: a question, what each arm should do with it, and what to say.")
    rows = table("scenes", tables.scene_rows(project), tables.SCENE_COLUMNS, CONFIG, fixed=project.bundled)
    try:
        made = replace(project, story=tables.scenes(rows))
        if made.story:
            story.check(made)
            for note in story.notes(made, here.knowledge(project)):
                st.warning(plain(note))
    except Problem as problem:
        st.error(plain(problem.message))
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        if not project.bundled and st.button("Save the story", type="primary", key="save_story"):
            save(here, project, lambda: made)
        if project.story:
            st.page_link("story.py", label="Play it", icon=":material/theater_comedy:", query_params=chosen.query())

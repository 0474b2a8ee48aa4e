"""The guided story: one scene after the other on the live models, stepped by keyboard, each claim checked."""

import uuid
from dataclasses import replace

import streamlit as st

from core import story
from core.errors import Problem
from core.project import Scene
from core.text import one_line, plain
from pages.draw import curtain, panes, present, stage
from pages.draw.project import current, query, view
from pages.draw.setup import draw_setup

here, project = view(), current()
RUNS, SAY, WARM = f"story-runs-{project.id}", "story-say", f"story-warm-{project.id}"
runs: dict[int, tuple[str, story.Edit | None]] = st.session_state.setdefault(RUNS, {})


def at() -> int:
    """The scene on stage, from 1; 0 is the opening."""
    text = st.query_params.get("scene", "0")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0
    return number if number <= len(project.story) else 0


def stop() -> None:
    """A run that nobody will look at any more need not go on; half of it is not kept."""
    run_id = st.query_params.pop("run", "")
    if (live := here.runs.live(run_id)) is not None and not live.record().finished:
        live.stop()
        for number in [number for number, (known_id, _) in runs.items() if known_id == run_id]:
            del runs[number]


def go(to: int) -> None:
    """Step to a scene; past the last one and before the first the story ends and the documents are as they were."""
    stop()
    if 1 <= to <= len(project.story):
        st.query_params["scene"] = str(to)
    else:
        st.query_params.pop("scene", None)
        runs.clear()
        take_back()


def again(number: int) -> None:
    """Ask the scene's question once more."""
    stop()
    runs.pop(number, None)


def take_back() -> None:
    """Every document as it was before the story."""
    here.curtain.leave(curtain.session())
    try:
        if paths := story.restore(project, here.knowledge(project)):
            st.toast(plain(f"Restored: {', '.join(paths)}"), icon=":material/restore:")
    except Problem as problem:
        st.session_state["story-problem"] = problem.message


def flip_say() -> None:
    """Show or hide what the presenter says."""
    st.session_state[SAY] = not st.session_state.get(SAY, False)


def offer_restore() -> None:
    """The button that takes a change back, wherever one stands."""
    if paths := story.standing(project, here.knowledge(project)):
        st.button("Restore the documents", icon=":material/restore:", key="story_restore", on_click=take_back,
                  help=plain(f"Changed by the story: {', '.join(paths)}"))  # fmt: skip


def opening() -> None:
    """What will be shown, and the start."""
    st.title("Story")
    st.markdown(plain(f"{project.title}: {len(project.story)} scenes on the live models, each claim checked."))
    waiting = draw_setup(here, project)
    with st.container(horizontal=True):
        st.button("Start", type="primary", shortcut="Right", key="story_next", disabled=waiting, on_click=go, args=(1,))
        offer_restore()
    st.container(key="stage").markdown("\n".join(f"{n}. {plain(one.title)}" for n, one in enumerate(project.story, 1)))
    with present.off_stage("keys"):
        st.caption("Right: next scene · Left: back · A: ask again · S: what to say · Esc: end · F11: full screen")
    if not waiting:
        stage.warm(here, project)


def run_of(number: int, scene: Scene, question: str) -> tuple[str, story.Edit | None]:
    """The scene's run with its change of a document: the one there was, else a new one."""
    run_id = st.query_params.get("run", "")
    if number not in runs and run_id and here.runs.record(run_id, project.id).question == question:  # a reload
        runs[number] = (run_id, story.state(scene, here.knowledge(project)))
    if number not in runs or here.runs.record(runs[number][0], project.id).question != question:
        stop()
        edit = story.enter(project, scene, here.knowledge(project))
        owner = st.session_state.setdefault("owner", uuid.uuid4().hex)
        runs[number] = (here.ask(project, question, story.settings(project, scene), owner=owner).id, edit)
    st.query_params["run"] = runs[number][0]
    return runs[number]


def on_stage(number: int, scene: Scene) -> None:
    """One scene: the question, the change, the answers, whether it came true, and the keys."""
    here.curtain.enter(curtain.session(), project.id)
    st.html(panes.STYLE + panes.BIG + stage.STYLE)
    with st.container(key="stage"):
        st.title(f"{number}. {plain(scene.title)}", anchor=False)
        if not (question := scene.question):
            asked = runs[number][0] if number in runs else st.query_params.get("run")
            before = here.runs.record(asked, project.id).question if asked else ""
            question = st.text_input("Your question", before, key=f"story-own-{project.id}", max_chars=500).strip()
        if question:
            st.header(plain(question), anchor=False)
        if st.session_state.get(SAY) and scene.say:
            st.info(plain(scene.say), icon=":material/record_voice_over:")
        changed = st.container()
        if scene.look:
            st.caption(f":material/visibility: {plain(scene.look)}")
        answers, verdict = st.container(), st.empty()
        with present.off_stage("step"):
            keys = st.container(horizontal=True)
        if question:
            run_id, edit = run_of(number, scene := replace(scene, question=question), question)
            with changed:
                stage.draw_edit(edit)
        else:
            story.enter(project, scene, here.knowledge(project))  # the documents are as they were
    with keys:
        last = number == len(project.story)
        st.button("Back", shortcut="Left", key="story_back", on_click=go, args=(number - 1,))
        if not last:
            st.button("Next", type="primary", shortcut="Right", key="story_next", on_click=go, args=(number + 1,))
        st.button("Ask again", shortcut="A", key="story_again", disabled=not question, on_click=again, args=(number,))
        st.button("What to say", shortcut="S", key="story_say", on_click=flip_say)
        offer_restore()
        st.button("End the story", type=("secondary", "primary")[last], shortcut="Esc", key="story_end",
                  on_click=go, args=(0,))  # fmt: skip
    if question:
        with answers:
            stage.draw_scene(here, project, scene, run_id, edit, verdict)


try:
    if message := st.session_state.pop("story-problem", ""):
        st.error(plain(one_line(message)))
    if not project.story:
        st.title("Story")
        st.info("This project has no story yet. Write one on Set up, or duplicate the bundled project with its own.")
        st.page_link("setup.py", label="Write a story", query_params=query(step="Story"))
    else:
        story.check(project)
        if number := at():
            on_stage(number, project.story[number - 1])
        else:
            opening()
except Problem as problem:
    st.error(plain(problem.message))

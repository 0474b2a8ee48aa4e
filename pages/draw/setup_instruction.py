"""Set-up, step two: the project's texts and one arm's own, and beside them the prompt they make."""

from dataclasses import replace

import streamlit as st

from core.errors import Problem
from core.project import Instruction, Project, editing, tables
from core.project.instruction import LONGEST, TEMPLATES
from core.runtime import Runtime
from core.text import plain
from pages.draw.editing import save, stamp, table
from pages.draw.setup_prompt import draw_prompt

HELP = {
    "passages": "The block of passages; holds {passages}.",
    "passage": "One passage; holds {text}, and {number} where answers shall cite.",
    "question": "The question closed book; holds {question}.",
    "question_with_passages": "The question below its passages; holds {question}.",
}


def draw_instruction(here: Runtime, project: Project) -> None:
    """Texts at the left, the prompt at the right."""
    left, right = st.columns([3, 2], gap="large")
    with left:
        own = st.selectbox(
            "Texts of", [None, *(arm.name for arm in project.arms)], key=f"texts-{project.id}",
            format_func=lambda name: f"the arm {project.title_of(project.arm(name))}" if name else "the project",
        )  # fmt: skip
        changed = _project_texts(project) if own is None else _arm_texts(project, own)
        if project.tasks:
            st.caption(f"Questions of class {', '.join(map(plain, project.tasks))} have an instruction of their own.")
        unsaved = changed != project
        if not project.bundled and st.button(
            "Save the instruction", type="primary", key="save_instruction", disabled=not unsaved
        ):
            save(here, project, lambda: changed)
    with right:
        draw_prompt(here, changed, own)
        if unsaved:
            st.caption("Not saved yet.")


def _project_texts(project: Project) -> Project:
    """The project with the instruction as typed."""
    now, fixed = project.instruction, project.bundled
    key = f"{project.id}-{stamp(now)}"

    def text(label: str, name: str, height: int, help: str | None = None) -> str:
        value = getattr(now, name)
        return st.text_area(
            label, value, key=f"{name}-{key}", height=height, max_chars=LONGEST, disabled=fixed, help=help
        )

    system = text("Closed book", "system", 100)
    with_passages = text("With passages", "system_with_passages", 120, "Empty: the same as closed book.")
    with st.expander("Templates"):
        templates = {name: text(name.replace("_", " ").capitalize(), name, 68, HELP[name]) for name in TEMPLATES}
    with st.expander(f"Examples ({len(now.examples)})", expanded=bool(now.examples)):
        st.caption("A question and the reply wanted, shown to the model before the question it is asked.")
        rows = table("examples", tables.example_rows(now.examples), tables.EXAMPLE_COLUMNS, {}, fixed=fixed)
    try:
        made = Instruction(system, with_passages, **templates, examples=tables.examples(rows))
        made.check()
    except Problem as problem:
        st.error(plain(problem.message))
        return project
    return project if made == now else replace(project, instruction=made)


def _arm_texts(project: Project, name: str) -> Project:
    """The project with one arm's own texts as typed; empty takes the project's."""
    arm, key = project.arm(name), f"{project.id}-{name}"
    texts = {
        field: st.text_area(
            label, getattr(arm, field) or "", key=f"{field}-{key}", height=100, max_chars=LONGEST,
            disabled=project.bundled, placeholder="the project's",
        )
        for field, label in (
            ("system", "Closed book, this arm"), ("system_with_passages", "With passages, this arm"),
            ("pinned", "Pinned text (context 'pinned' only)"),
        )
    }  # fmt: skip
    changed = editing.with_texts(project, name, {field: text or None for field, text in texts.items()})
    return project if changed.arms == project.arms else changed

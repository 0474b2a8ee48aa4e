"""Set-up, step three: the project's models, one to add with one click, and a table for all that can be said of them."""

from pathlib import Path

import streamlit as st

from core.engine.chats import FORMS
from core.errors import Problem
from core.project import Project, editing, tables
from core.project.values import MOST_MODELS
from core.runtime import Runtime, spec
from core.text import plain
from pages.draw.editing import save, table
from pages.draw.setup_endpoint import add_endpoint, draw_endpoints

PAGES = Path(__file__).resolve().parents[1]
OWN = "the file's own"


def draw_models(here: Runtime, project: Project) -> None:
    """What there is, what is not ready, a form for one more, and the table."""
    if not project.models:
        st.info("No model yet: nothing can answer. Add one, and the playground works.")
    for model in project.models:
        try:
            spec(project, model.id)
        except Problem as problem:
            st.warning(plain(f"{model.title}: {problem.message}"))
    draw_endpoints(project)
    offered, adapters = editing.offered(project), editing.adapters()
    if not project.bundled and len(project.models) < MOST_MODELS:
        _add(here, project, offered, adapters)
        add_endpoint(here, project)
    ids = [model.id for model in project.models]
    files = list(dict.fromkeys([*offered, *(model.file for model in project.models)]))
    chosen = [model.adapter for model in project.models if model.adapter]
    config = {
        "file": st.column_config.SelectboxColumn(options=files),
        "fine-tuned from": st.column_config.SelectboxColumn(options=ids),
        "adapter": st.column_config.SelectboxColumn(options=list(dict.fromkeys([*adapters, *chosen]))),
        "chat template": st.column_config.SelectboxColumn(options=list(FORMS)),
        "stop strings": st.column_config.TextColumn(help="Separated by |. A chosen template brings its own."),
    }
    rows = table("models", tables.model_rows(project), tables.MODEL_COLUMNS, config, fixed=project.bundled)
    if project.bundled:
        return
    st.caption("'Fine-tuned from' is what makes an effect of fine-tuning appear in a report. A removed row goes.")
    if st.button("Save the models", key="save_models"):
        made, gone = editing.with_models(project, tables.models(rows, project.models))
        save(
            here, project, lambda: made, "Saved." + (f" {gone} arms of removed models went with them." if gone else "")
        )
    st.page_link(
        PAGES / "model_files.py", label="Fetch, inspect or choose model files", icon=":material/deployed_code:"
    )
    st.page_link(PAGES / "finetune.py", label="Fine-tune one on your questions", icon=":material/model_training:")


def _add(here: Runtime, project: Project, offered: dict[str, str], adapters: dict[str, str]) -> None:
    titles = {model.id: model.title for model in project.models}
    with st.container(border=True):
        left, right = st.columns(2)
        file = left.selectbox("Add a model", offered, format_func=offered.__getitem__, key="add_file")
        base = right.selectbox("Fine-tuned from", titles, index=None, format_func=titles.__getitem__, key="add_base")
        adapter = left.selectbox(
            "LoRA adapter over it", adapters, index=None, format_func=adapters.__getitem__, key="add_adapter",
            placeholder="none" if adapters else "no adapter in the models folder",
        )  # fmt: skip
        template = right.selectbox(
            "Chat template",
            [OWN, *FORMS],
            key="add_template",
            help="For a file that has none; every answer then says so.",
        )
        if st.button("Add this model", type="primary", key="add_model"):
            title = offered[file] + (f" + {adapters[adapter]}" if adapter else "")
            form = None if template == OWN else template
            save(
                here,
                project,
                lambda: editing.with_model(project, file, title, base=base, adapter=adapter, template=form),
                "Added, with an arm closed book and one with retrieval.",
            )

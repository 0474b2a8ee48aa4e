"""Set-up, step three: a model at an address, to add and to see. Its key is only named here, never typed."""

import streamlit as st

from core.endpoint import INSTALL
from core.evidence import price_lists
from core.project import Project, editing
from core.runtime import Runtime
from core.text import one_line, plain
from pages.draw.editing import save


def draw_endpoints(project: Project) -> None:
    """One line a model that the project asks at an address."""
    for model in project.models:
        if model.endpoint:
            key = f", with the key in {model.key_variable}" if model.key_variable else ", without a key"
            said = f"{model.title} is asked at {model.endpoint} as {one_line(model.file, 100)}{key}."
            st.caption(plain(f"{said} Questions and passages go there."))


def add_endpoint(here: Runtime, project: Project) -> None:
    """The form for one more."""
    titles = {model.id: model.title for model in project.models if model.endpoint}
    with st.expander("Or a model at an address (vLLM, llama-server, a provider)"):
        left, right = st.columns(2)
        url = left.text_input("Address", key="end_url", max_chars=300, placeholder="http://127.0.0.1:8000/v1")
        name = right.text_input("The model's name there", key="end_name", max_chars=200)
        variable = left.text_input(
            "Environment variable with its key", key="end_key", max_chars=60, placeholder="none: it needs no key",
            help="Its name, like OPENAI_API_KEY; set where the app is started. The key itself is kept nowhere here.",
        )  # fmt: skip
        base = right.selectbox(
            "Fine-tuned from (at the endpoint)", titles, index=None, format_func=titles.__getitem__, key="end_base",
            help="A base and a LoRA by its module name make a pair.",
            placeholder="none" if titles else "add the base first",
        )  # fmt: skip
        offers = [one.id for one in price_lists.catalogue().values() if one.kind == "model" and one.output is not None]
        offer = left.selectbox(
            "Its price", offers, index=None, key="end_offer", placeholder="not known: answers show no cost",
            help="An entry of the price catalogue (USD a token, with source and date); more: python -m core prices.",
        )  # fmt: skip
        st.caption(f"Needs one package more: `{INSTALL}`. Nothing is sent before a question is asked.")
        if st.button("Add this endpoint", type="primary", key="add_endpoint"):
            save(
                here,
                project,
                lambda: editing.with_model(
                    project,
                    name.strip(),
                    name,
                    base=base,
                    endpoint=url.strip(),
                    offer=offer,
                    key_variable=variable.strip() or None,
                ),
                "Added, with an arm closed book and one with retrieval.",
            )

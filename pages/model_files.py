"""Every model file there is: what it holds, whether it may be loaded, what it needs; load, unload, device, memory."""

from dataclasses import replace
from typing import Any

import streamlit as st

from core.engine import ModelSpec
from core.engine.inspection import inspect
from core.errors import Problem
from core.text import one_line, plain
from core.weights import catalog
from pages.draw import number_field
from pages.draw.pairs import draw_pairs
from pages.draw.project import current, view
from pages.draw.setup import draw_setup

here = view()
st.title("Model files")
st.caption(
    "Each file is checked before anything loads it: header, sizes and hash, within a second. "
    "It is then loaded in a process of its own, which may crash without harm to this page."
)
draw_setup(here, current())


def specs() -> dict[str, ModelSpec]:
    """Every model that is there: the manifest's and the user's own, by id."""
    found, files = {}, catalog.default()
    for model_id in [*files.manifest.models, *(own.id for own in files.own())]:
        try:
            found[model_id] = files.spec(model_id)
        except Problem:
            continue  # not fetched yet: the box above says so and offers to
    return found


@st.cache_data(show_spinner="Reading the file", max_entries=64)
def described(path: str, stamp: tuple[int, int], context: int, expected: str | None) -> dict[str, Any] | str:
    """The inspection of a file, or the reason why it must not be loaded. `stamp` changes when the file does."""
    from pathlib import Path

    try:
        return inspect(Path(path), context, catalog.bundled_adapters(), expected)
    except Problem as problem:
        return problem.message


def devices() -> None:
    """Where models can run, and the device chosen for what is loaded here."""
    try:
        found = here.engine.devices()
    except Problem as problem:
        st.warning(plain(problem.message))
        return
    has_gpu = any(device["kind"] == "gpu" for device in found)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox("Device", ["auto", "cpu", "gpu"], key="device", disabled=not has_gpu, width=160)
        number_field.number_field("Context (tokens)", 64, 131_072, 2_048, key="context", whole=True, width=160)
        st.number_input("GPU layers (0: automatic)", 0, 512, 0, key="layers", disabled=not has_gpu, width=200)
    for device in found:
        memory = f" · {device['free'] / 1e9:.1f} of {device['total'] / 1e9:.1f} GB free" if device["total"] else ""
        st.caption(plain(f"{device['name']}: {device['description']}{memory}"))


def wished(spec: ModelSpec) -> ModelSpec:
    """The model with the settings chosen above."""
    chosen = st.session_state
    return replace(
        spec,
        device=chosen.get("device", "auto"),
        context=int(number_field.of("context", spec.context)),
        gpu_layers=chosen.get("layers") or None,
    )


def card(spec: ModelSpec, state: dict[str, Any] | None) -> None:
    """One file: figures on top, buttons, and all that is known of it below."""
    about = spec.path.stat()
    found = described(str(spec.path), (about.st_size, about.st_mtime_ns), wished(spec).context, spec.sha256)
    st.header(plain(spec.id), anchor=False)
    if isinstance(found, str):
        st.error(plain(found))
        return
    loaded = state is not None and state["state"] == "ready"
    figures = [
        f"{found['bytes'] / 1e6:,.0f} MB",
        f"{found['parameters'] / 1e6:,.0f} million weights as {found['quantization']}",
        f"needs about {found['estimated_memory'] / 1e6:,.0f} MB for {found['context']:,} tokens",
    ]
    if loaded and state:
        figures.append(f"holds {(state['memory'] or state['peak_memory']) / 1e6:,.0f} MB on {_place(state['model'])}")
    st.text(" · ".join(figures) if loaded else " · ".join([*figures, "not loaded"]))
    buttons(spec, loaded)
    for note in found["notes"]:
        st.caption(plain(note))
    with st.expander("Everything the file says of itself"):
        rows = [
            {"Field": name, "Value": one_line(str(value), 200)}
            for name, value in found.items()
            if name != "chat_template"
        ]
        st.dataframe(rows, width="stretch", hide_index=True)
        if found["chat_template"]:
            st.caption("Chat template")
            st.code(found["chat_template"], language=None, wrap_lines=True)


def buttons(spec: ModelSpec, loaded: bool) -> None:
    """Load and unload; what comes of it is said in place."""
    with st.container(horizontal=True):
        load = st.button("Load", key=f"load-{spec.id}", disabled=loaded)
        unload = st.button("Unload", key=f"unload-{spec.id}", disabled=not loaded)
    try:
        if load:
            here.allow_models()
            with st.spinner("Loading and trying it"):
                here.engine.load(wished(spec))
            st.rerun()
        if unload:
            here.allow_models()
            here.engine.unload(spec)
            st.rerun()
    except Problem as problem:
        st.error(plain(problem.message))


def _place(model: dict[str, Any]) -> str:
    return f"{model['device']}, {model['threads']} threads" + (
        f", {model['gpu_layers']} layers" * bool(model["gpu_layers"])
    )


try:
    draw_pairs(here)
    devices()
    files = specs()
    states = {state["path"]: state for state in here.engine.status()}
    for spec in files.values():
        with st.container(border=True):
            card(spec, states.get(str(spec.path)))
    st.caption("A GGUF of your own appears here when it lies in the models folder or in a folder named by RR_MODELS.")
except Problem as problem:
    st.error(plain(problem.message))

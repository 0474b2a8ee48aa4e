"""Which two models are compared: the default pair, a preset to download by choice, or files of the user's own."""

import streamlit as st

from core.errors import Problem
from core.jobs import JobContext
from core.runtime import Runtime
from core.text import plain
from core.weights import catalog
from core.weights.catalog import Catalog, Pair
from pages.draw import address
from pages.draw.apart import apart

KIND = "fetch"


def draw_pairs(here: Runtime) -> None:
    """Each pair with what it costs before it is fetched, and the choice among all that is there."""
    files = catalog.default()
    st.header("Models compared", anchor=False)
    st.caption(plain(f"Now: base is {_name(files, 'base')}; fine-tuned is {_name(files, 'fine-tuned')}."))
    _default(here, files)
    for pair in files.pairs():
        with st.container(border=True):
            _pair(here, files, pair)
    _own(here, files)


def _default(here: Runtime, files: Catalog) -> None:
    """Which pair this machine gets when nobody chooses, why, and the measurement that it rests on."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(plain(files.default_pair().reason))
        if st.button("Measure this machine", key="measure", type="tertiary", width="content"):
            try:
                here.allow_models()
                with st.spinner("A model writes two short answers"):
                    files.measure_machine(here.engine)
            except Problem as problem:
                st.error(plain(problem.message))
            else:
                st.rerun()


def _name(files: Catalog, role: str) -> str:
    chosen = files.chosen(role)
    if chosen is None:
        return "none, so its panes are absent"
    return files.manifest.models[chosen].name if chosen in files.manifest.models else chosen


def _pair(here: Runtime, files: Catalog, pair: Pair) -> None:
    st.markdown(f"**{plain(pair.name)}**")
    size = "is here" if pair.ready else f"download {pair.download / 1e6:,.0f} MB" if pair.download else "to be made"
    st.caption(
        plain(f"{size} · about {pair.memory / 1e6:,.0f} MB of memory for all of it (estimate, ours) · {pair.licence}")
    )
    if pair.fine_tuned is None:
        st.caption("A base without a fine-tune so far. In use, the playground shows the base's panes only.")
    st.caption(plain(pair.attribution))
    latest = next((job for job in here.jobs.list(KIND) if job.key == pair.name), None)
    if latest and latest.active and not latest.stale:
        _progress(here, latest.id)
        return
    if latest and latest.state == "failed" and not pair.ready:
        st.error(plain(latest.message))
    if pair.ready:
        used = (files.chosen("base"), files.chosen("fine-tuned")) == (pair.base, pair.fine_tuned)
        if st.button("In use" if used else "Use", key=f"use-{pair.name}", disabled=used):
            _choose(here, files, pair.base, pair.fine_tuned)
    elif st.button("Download", key=f"download-{pair.name}"):
        here.jobs.start(KIND, lambda job: _fetch(files, pair, job), key=pair.name)
        st.rerun()


def _fetch(files: Catalog, pair: Pair, job: JobContext) -> None:
    members = [model for model in (pair.base, pair.fine_tuned) if model is not None]
    for number, model in enumerate(members):

        def report(done: float, text: str, number: int = number) -> None:
            job.progress((number + done) / len(members), text)

        files.ensure(model, report, lambda: job.cancelled)


@apart(every=1.0)
def _progress(here: Runtime, job_id: str) -> None:
    job = here.jobs.get(job_id)
    if not job.active:
        address.rerun()
    st.progress(job.progress, text=plain(job.message or "Beginning"))
    if st.button("Stop the download", key=f"stop-{job_id}"):
        here.jobs.cancel(job_id)


def _own(here: Runtime, files: Catalog) -> None:
    """Free choice among every id that is there, when the user has files of their own."""
    own = [item.id for item in files.own()]
    if not own:
        return
    names = [name for name in files.manifest.models if name != "embedder" and files.ready(name)] + own
    with st.form("own-pair", border=True), st.container(horizontal=True, vertical_alignment="bottom"):
        base = st.selectbox("Base", names, width=300)
        tuned = st.selectbox("Fine-tuned (a model, or a LoRA adapter over the base)", names, width=420)
        if st.form_submit_button("Compare these two"):
            _choose(here, files, base, tuned)
    st.caption("An adapter applied at run time slows every token; a merged file does not.")


def _choose(here: Runtime, files: Catalog, base: str, fine_tuned: str | None) -> None:
    try:
        here.allow_models()
        files.choose(base, fine_tuned)
    except Problem as problem:
        st.error(plain(problem.message))
    else:
        st.rerun()

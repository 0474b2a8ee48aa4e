"""Set-up, step one: where a base's vectors lie, and what makes them. Nothing happens before a plan was shown."""

import streamlit as st

from core.errors import Problem
from core.jobs import Jobs, Work
from core.project import Project
from core.retrieval import KnowledgeBase
from core.retrieval.chroma import INSTALL
from core.retrieval.values import Embedding, Place
from core.runtime import Runtime
from core.text import one_line, plain
from pages.draw import address
from pages.draw.apart import apart

KIND = "vectors"


def draw_vectors(here: Runtime, project: Project, knowledge: KnowledgeBase) -> None:
    """Both, folded up, and the job that is changing one of them."""
    with st.expander("Where the vectors lie, and what makes them (for large document sets and servers)"):
        _place(here, project, knowledge)
        st.divider()
        _embedder(here, project, knowledge)
    if job_id := st.session_state.get(f"{KIND}-{project.id}"):
        _progress(here.jobs, job_id)


def _place(here: Runtime, project: Project, knowledge: KnowledgeBase) -> None:
    where = knowledge.where
    if where.place is None:
        st.markdown(f"**Vectors: here**, in the project's own file ({where.here:,}).")
    else:
        waiting = f", {where.waiting:,} wait here to be handed over" if where.waiting else ""
        st.markdown("**Vectors: at a Chroma server**")
        st.caption(plain(f"{where.there:,} at {where.place.url}, collection {where.collection}{waiting}."))
    st.caption(
        "Documents and their words stay here: hybrid search takes BM25 from this machine and the nearest vectors from "
        "the server, which finds them approximately (HNSW). A server that is down leaves words alone, and each answer "
        f"says so. Needs further packages: `{INSTALL}`"
    )
    left, right = st.columns(2)
    url = left.text_input("Chroma server", key="vec_url", max_chars=300, placeholder="http://127.0.0.1:8000")
    variable = right.text_input(
        "Environment variable with its key", key="vec_key", max_chars=60, placeholder="none: it needs no key"
    )
    with st.container(horizontal=True):
        if st.button("Move the vectors there", key="vec_move", disabled=not url.strip()):
            place = Place(url.strip().rstrip("/"), variable.strip())
            _start(here, project, lambda job: knowledge.move(place, job.progress, lambda: job.cancelled))
        if where.place is not None and st.button("Bring them back here", key="vec_back"):
            _start(here, project, lambda job: knowledge.move(None, job.progress, lambda: job.cancelled))


def _embedder(here: Runtime, project: Project, knowledge: KnowledgeBase) -> None:
    st.markdown("**Embedder**")
    st.caption(plain(f"This base is embedded by {knowledge.embedding.title}."))
    ways = ("the bundled embedder", "an endpoint", "a GGUF file")
    way = st.segmented_control("Embed with", ways, default=ways[0], key="emb_way")
    left, right = st.columns(2)
    given = {"before_question": "", "before_passage": ""}
    if way == ways[1]:
        given["url"] = left.text_input("Address", key="emb_url", max_chars=300, placeholder="http://127.0.0.1:8000/v1")
        given["name"] = right.text_input("The model's name there", key="emb_name", max_chars=200)
        left, _ = st.columns(2)  # rows, so that a telephone keeps the order
        given["key_variable"] = left.text_input("Environment variable with its key", key="emb_key", max_chars=60)
    elif way == ways[2]:
        given["file"] = left.text_input("Its id on Model files, or its path", key="emb_file", max_chars=300)
    if way != ways[0]:
        left, right = st.columns(2)
        help_text = "Some models want words before a text, like 'query: ' and 'passage: '."
        given["before_question"] = left.text_input("Before a question", key="emb_q", max_chars=200, help=help_text)
        given["before_passage"] = right.text_input("Before a passage", key="emb_p", max_chars=200, help=help_text)
    kept = f"emb-plan-{project.id}"
    if st.button("Show what that would mean", key="emb_plan"):
        try:
            here.allow_file(given.get("file", "").strip())
            st.session_state[kept] = knowledge.plan_embedding(_choice(given))
        except Problem as problem:
            st.session_state.pop(kept, None)
            st.error(plain(problem.message))
    if kept in st.session_state:
        known, again = st.session_state[kept]
        st.info(
            plain(
                f"{again:,} passages are embedded by {one_line(known.title, 160)}, {known.dimensions} numbers each. "
                "Until that has ended questions are searched by words alone; old and new vectors are never mixed."
            )
        )
        if st.button("Do that", type="primary", key="emb_do"):
            del st.session_state[kept]
            knowledge.choose_embedding(known)
            _start(here, project, lambda job: knowledge.catch_up(job.progress, lambda: job.cancelled))


def _choice(given: dict[str, str]) -> Embedding:
    """What was typed. Raises Problem on what cannot be asked."""
    from core import addresses

    typed = {name: given.get(name, "").strip() for name in ("file", "url", "name", "key_variable")}
    chosen = Embedding(
        typed["file"], typed["url"].rstrip("/"), typed["name"], typed["key_variable"],
        given["before_question"], given["before_passage"],
    )  # fmt: skip
    if "url" in given:
        addresses.check(chosen.url)
        addresses.check_pair(chosen.key_variable, chosen.url)
        if not chosen.name:
            raise Problem("An endpoint wants the model's name too.")
    if "file" in given and not chosen.file:
        raise Problem("Name the GGUF file, by its id on Model files or its path.")
    return chosen


def _start(here: Runtime, project: Project, work: Work) -> None:
    st.session_state[f"{KIND}-{project.id}"] = here.jobs.start(KIND, work, parameters={"project": project.id}).id
    st.rerun()


@apart(every=0.5)
def _progress(jobs: Jobs, job_id: str) -> None:
    job = jobs.get(job_id)
    shown = st.session_state.setdefault("vectors_shown", set())
    if job.active:
        st.progress(job.progress, text=plain(one_line(job.message or "Working", 160)))
        if st.button("Stop", key="vec_stop"):
            jobs.cancel(job_id)
        return
    if job.state != "done":
        st.error(plain(job.message or job.state))
    if job_id not in shown:
        shown.add(job_id)
        address.rerun()

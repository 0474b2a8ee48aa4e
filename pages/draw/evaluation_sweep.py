"""The sweep on the evaluation page: which retrieval settings to try, the heat map, what to do with the cheapest."""

import streamlit as st

from core import evaluate, sweep
from core.charts import sweep as charts
from core.errors import Problem
from core.evaluation import sweeps
from core.evaluation.sweeps import Measure, Setting, Sweep
from core.project import Project
from core.runtime import Runtime
from core.text import one_line, plain
from pages.draw import address
from pages.draw.apart import apart
from pages.draw.documents import follow_job
from pages.draw.evaluation_sweep_form import draw_form

PARAMETER, INDEXING = "sweep", "job"
ANSWERS, RETRIEVAL = "Answers of the arms", "Retrieval settings"
MEASURES: dict[Measure, str] = {"hit": "hit@k", "mrr": "MRR"}
SHARE = {"format": "%.1f %%"}
COLUMNS = {
    "hit@k": st.column_config.NumberColumn(**SHARE, help="Questions whose answer is among the passages."),
    "MRR": st.column_config.NumberColumn(format="%.2f", help="Mean of one over the rank of the first right passage."),
    "tokens": st.column_config.NumberColumn(format="%.0f", help="Of all passages of a question, by the embedder."),
    "points over now": st.column_config.NumberColumn(format="%+.1f", help="Paired, on the same questions."),
    "within the error": st.column_config.CheckboxColumn(
        help="Not behind the best by more than one standard error of the paired difference."
    ),
}


def draw_sections(here: Runtime, project: Project) -> bool:
    """What this page is to compare; True when that is retrieval settings, and they are drawn."""
    st.session_state.setdefault("section", RETRIEVAL if PARAMETER in st.query_params else ANSWERS)
    chosen = st.segmented_control("Compare", [ANSWERS, RETRIEVAL], key="section", label_visibility="collapsed")
    if chosen != RETRIEVAL:
        return False
    try:
        _draw(here, project)
    except Problem as problem:
        st.error(plain(problem.message))
    return True


def _draw(here: Runtime, project: Project) -> None:
    st.caption(
        "Without a model, in a throw-away copy of the documents: does retrieval find the passage with the answer?"
    )
    wanted = st.query_params.get(PARAMETER)
    with st.expander("What to try", expanded=wanted is None):
        if started := draw_form(here, project):
            st.query_params[PARAMETER] = started
            st.rerun()
    if wanted:
        _result(here, project, wanted)
    if job := st.query_params.get(INDEXING):
        follow_job(here.jobs, job)
    past = {job.id: evaluate.name_of(job) for job in sweep.jobs(here, project) if job.id != wanted}
    name = st.selectbox("Earlier sweeps", past, index=None, format_func=past.__getitem__, disabled=not past)
    if name:
        st.query_params[PARAMETER] = name
        st.rerun()


def _result(here: Runtime, project: Project, job_id: str) -> None:
    job = here.jobs.get(job_id)
    if job.kind != sweep.KIND or job.parameters["project"] != project.id:
        raise Problem("This sweep belongs to another project: choose that project first.")
    st.header(plain(one_line(evaluate.name_of(job), 120)), anchor=False)
    if job.active:
        _progress(here, job_id)
    elif job.state != "done":
        st.warning(plain(f"{job.state}: {job.message}"))
    if not here.jobs.rows(job_id):
        return
    measure = st.segmented_control("Best by", MEASURES, default="hit", format_func=MEASURES.__getitem__, key="sweep_by")
    found = sweep.result(here, job_id, measure or "hit")
    st.markdown(f"**{plain(found.sentence)}**")
    _map(found)
    st.dataframe(sweeps.rows(found), hide_index=True, column_config=COLUMNS, placeholder="—", key="swept")
    st.caption(
        f"{found.questions} questions on {found.facts} facts. The best of many settings looks better than it is; "
        "within the error: one standard error of the paired difference. Cheap: few tokens of passages to read."
    )
    _use(here, project, job_id, found)


@apart(every=1.0)
def _progress(here: Runtime, job_id: str) -> None:
    job = here.jobs.get(job_id)
    st.progress(job.progress, text=plain(job.message or "Starting"))
    if st.button("Stop", key="sweep_stop"):
        here.jobs.cancel(job_id)
    if not job.active:
        address.rerun()


def _map(found: Sweep) -> None:
    axes = charts.varied(found)
    if len(axes) < 2:
        return
    with st.container(horizontal=True):
        across = st.selectbox("Across", axes, format_func=charts.TITLES.__getitem__, key="sweep_across", width=240)
        others = [axis for axis in axes if axis != across]
        down = st.selectbox("Down", others, format_func=charts.TITLES.__getitem__, key="sweep_down", width=240)
    figure = charts.heat_map(found, across, down)
    st.plotly_chart(figure, key="sweep_map", alt=f"{MEASURES[found.measure]} by {across} and {down}")


def _ask_model(here: Runtime, project: Project, job_id: str, chosen: Setting) -> None:
    """Before the redraw, so that the choice above turns to the answers, in the browser too."""
    started = sweep.ask_model(here, project, job_id, chosen)
    st.query_params.pop(PARAMETER, None)
    st.query_params["evaluation"] = started.id
    st.session_state["section"] = ANSWERS


def _use(here: Runtime, project: Project, job_id: str, found: Sweep) -> None:
    """What to do with one of the settings: ask the model where it differs, make it the project's."""
    places = {one.setting: one.setting.title for one in (found.cheapest, *found.scored)}
    chosen: Setting = st.selectbox("A setting", places, format_func=places.__getitem__, key="sweep_chosen")
    differ = sweep.differing(here, job_id, chosen) if found.present else ()
    with st.container(horizontal=True):
        st.button(
            f"Ask the model the {len(differ)} questions on which it differs",
            disabled=not differ,
            key="sweep_ask",
            on_click=_ask_model,
            args=(here, project, job_id, chosen),
            help="Those whose answer only this setting or only the present one finds, as an evaluation of both.",
        )
        off = project.bundled or (found.present is not None and chosen == found.present.setting)
        reason = "Arms that retrieve then search like this. Another way of splitting indexes the documents again."
        if project.bundled:
            reason = "This project is bundled: duplicate it, and its settings can be changed."
        if st.button("Use for the arms with retrieval", disabled=off, key="sweep_use", help=reason):
            indexing = sweep.apply(here, project, chosen)
            if indexing:
                st.query_params[INDEXING] = indexing.id
            st.toast("The arms with retrieval now search like this.")
            st.rerun()
    if not project.bundled:
        return
    st.caption("This project is bundled: duplicate it on Projects, and its retrieval settings can be changed.")

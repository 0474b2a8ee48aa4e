"""What to ask whom: the evaluation's form, with what the chosen questions can decide before anything runs."""

import streamlit as st

from core import evaluate
from core.arms import Arm
from core.evaluation import questions
from core.evaluation.planning import Plan
from core.evaluation.questions import Question
from core.evaluation.run import Options
from core.evaluation.variants import SHARES, Variant, dialled
from core.project import Project
from core.runtime import Runtime
from core.text import plain
from pages.draw.number_field import number_field


def draw_form(here: Runtime, project: Project) -> str | None:
    """The form; gives the id of the evaluation that its button started."""
    asked = pick_questions(here, project)
    known = {arm.name: arm for arm in project.every_arm()}
    shown = [arm.name for arm in project.arms]
    st.caption("Arms")  # labels that are there at once: a field's own comes with its code, and moves what is below
    names = st.multiselect(
        "Arms",
        known,
        shown,
        format_func=lambda one: project.title_of(known[one]),
        key=f"arms-{project.id}",
        label_visibility="collapsed",
        wrap=False,
    )
    arms = tuple(known[name] for name in names)
    days: dict[str | None, str] = {name: f"documents of {name.replace('-', ' ')}" for name in project.snapshots}
    days[None] = "documents as they are now"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        snapshot = st.selectbox(
            "Documents of", days, format_func=days.__getitem__, key="snapshot", width=280, label_visibility="collapsed"
        )
        limit = number_field(
            "Questions a class, at most", 1, questions.MOST_QUESTIONS, 10, key="limit", whole=True, width=200
        )
        seed = number_field("Seed", 0, 2**31 - 1, 0, key="seed", whole=True, width=140)
        name = st.text_input(
            "Name of this run",
            max_chars=60,
            key="run_name",
            placeholder="Name of this run",
            label_visibility="collapsed",
        )
    arms, variants = _dialled(arms)
    few = evaluate.limited(asked, int(limit), int(seed))
    plan = evaluate.planned(here, project, few, arms)
    _draw_plan(plan, len(few))
    until = _until(project, names, known)
    if st.button("Evaluate", type="primary", key="evaluate", disabled=not plan.replies):
        options = Options(arms, snapshot, until=until, seed=int(seed), variants=variants)
        return evaluate.start(here, project, few, options, name=name).id
    return None


def pick_questions(here: Runtime, project: Project) -> tuple[Question, ...]:
    """The project's sets, or a file."""
    with st.expander("Questions from a file (CSV or JSONL)"):
        own = st.file_uploader("Your own questions", ["csv", "jsonl"], key="own", max_upload_size=8)
        st.caption("Columns: question, answer, variants, documents, class, graders. Lists are separated by |.")
    if own is not None:
        return questions.parse(own.getvalue(), own.name)
    names = here.questions.names(project)
    if not names:
        return ()
    default = [name for name in names if name in ("static", "changed")] or names[:1]
    st.caption("The project's questions")
    picked = st.pills(
        "The project's questions",
        names,
        selection_mode="multi",
        default=default,
        label_visibility="collapsed",
        wrap=False,
    )
    return tuple(question for name in picked for question in here.questions.read(project, name))


def _dialled(arms: tuple[Arm, ...]) -> tuple[tuple[Arm, ...], tuple[Variant, ...]]:
    """The arms, those that retrieve once more for each share of wrong passages that is asked for."""
    if not any(arm.retrieves for arm in arms) or not st.toggle(
        "Swap passages for near misses",
        key="dial_on",
        help="The wrong-corpus dial: arms that retrieve are asked again with a share of their passages swapped for "
        "those that the retriever ranks next and that do not hold the answer.",
    ):
        return arms, ()
    shares = st.pills(
        "Share of wrong passages",
        SHARES[1:],
        selection_mode="multi",
        default=SHARES[1:],
        format_func="{:.0%}".format,
        key="dial_shares",
    )
    return dialled(arms, shares) if shares else (arms, ())


def _draw_plan(plan: Plan, asked: int) -> None:
    """How long it takes, and what it can decide."""
    st.caption(f"{asked} questions, {plan.replies} replies, {plain(plan.time)}. {plain(plan.sentence)}")
    if len(plan.classes) > 1:
        with st.expander("By class of question"):
            st.dataframe([vars(row) for row in plan.classes], hide_index=True, column_config=_COLUMNS, key="plan")


_COLUMNS = {
    "cls": "class",
    "facts": st.column_config.NumberColumn("facts", help="Questions that ask for one fact count once."),
    "detectable": st.column_config.NumberColumn(
        "decides, points", format="%.0f", help="The smallest true difference between two arms that is decided 4 in 5."
    ),
    "for_ten": st.column_config.NumberColumn("for 10 points", help="How many facts decide a difference of 10 points."),
    "discordance": st.column_config.NumberColumn(
        "part two arms", format="percent", help="The share of questions that only one of two arms gets right."
    ),
    "seen": st.column_config.TextColumn("seen in", help="The earlier run that showed it; empty: expected."),
}


def _until(project: Project, names: list[str], known: dict) -> tuple[str, str] | None:
    """The two arms whose difference ends the run as soon as it is decided."""
    pairs = [(one, two) for at, one in enumerate(names) for two in names[at + 1 :]]
    if not pairs or not st.toggle(
        "Stop as soon as a difference is decided",
        key="sequential",
        help="By an interval that holds at every look, so that watching the run does not make it lie. Questions come "
        "in random order, one a fact first.",
    ):
        return None
    title = {name: project.title_of(known[name]) for name in names}
    return st.selectbox("Between", pairs, format_func=lambda pair: f"{title[pair[0]]} and {title[pair[1]]}")

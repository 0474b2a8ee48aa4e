"""The playground's sidebar: how to run the arms. Reads inputs into ask.Settings; runs nothing."""

from dataclasses import replace
from typing import Any, Final

import streamlit as st

from core import ask
from core.arms import Arm, Search
from core.engine import Sampling
from core.errors import Problem
from core.opening import Opening
from core.project import Project
from core.runtime import Runtime
from core.text import plain
from core.weights import catalog
from pages.draw import sampling
from pages.draw.number_field import number_field
from pages.draw.panes import BIG

MOST_PANES = 6
HOP: Final = (
    "Adds up to two passages of different documents that share rare words, one leading to the other: for answers that "
    "need two documents."
)


def _device(here: Runtime) -> tuple[str, int | None]:
    """Device and GPU layers; a build without a GPU says how to get one."""
    try:
        devices = {device["kind"]: device for device in here.engine.devices()}
    except Problem as problem:
        st.caption(plain(problem.message))
        return "auto", None
    gpu = "gpu" in devices
    device = st.selectbox("Device", ("auto", "cpu", "gpu") if gpu else ("auto", "cpu"), key="device")
    layers = st.number_input("GPU layers", -1, 200, -1, key="layers", disabled=not gpu, help="-1: as many as fit")
    if not gpu:
        st.caption(plain(devices["none"]["description"]))
    return device, None if layers < 0 else int(layers)


def from_sidebar(here: Runtime, project: Project, opening: Opening) -> tuple[ask.Settings, float]:
    """The run's settings and the hourly rate, as chosen in the sidebar."""
    with st.sidebar:
        st.subheader("How to run")
        way = st.radio(
            "Arms",
            ask.WAYS,
            format_func=str.capitalize,
            key="way",
            help="Together: the panes share the processor, so their times are marked contended. "
            "One at a time: warmed up, shuffled, each alone; these are the figures that count.",
        )
        chosen = _arms(project, opening)
        pinned = None
        if any(arm.context == "pinned" for arm in chosen):
            own = next((arm.pinned for arm in opening.arms if arm.pinned), project.pinned)
            pinned = st.text_area("Pinned text", own, key=f"pinned-{project.id}", max_chars=4000)
        search = _search(project, opening)
        usual = opening.arms[0].sampling if opening.arms else Sampling()
        chosen_sampling, repeats = sampling.sampling(usual)
        chosen = sampling.with_instructions(project, chosen, opening.key)
        device, layers = _device(here)
        rate = number_field("Machine, $ per hour", 0, 1000, project.dollars_per_hour, key=f"rate-{project.id}")
        if st.toggle("Bigger type (projector)", key="big"):
            st.html(BIG)
    arms = tuple(
        replace(arm, pinned=pinned, search=replace(arm.search, **search), sampling=chosen_sampling) for arm in chosen
    )
    return ask.Settings(arms, way, device, layers, task=opening.task, repeats=repeats), rate


def _arms(project: Project, opening: Opening) -> list[Arm]:
    """The project's arms, and further ones made of its models."""
    absent = catalog.unplayed()
    every = {arm.name: arm for arm in (*project.every_arm(), *opening.arms)}  # a link's arm goes before its namesake
    known = {name: arm for name, arm in every.items() if not _absent(project, arm, absent)}
    wanted = [arm.name for arm in opening.arms or (*project.arms, *opening.extra_arms)]
    names = st.multiselect(
        "Panes",
        list(known),
        [name for name in known if name in wanted],
        format_func=lambda name: project.title_of(known[name]),
        max_selections=MOST_PANES,
        key=f"panes-{project.id}{'-'.join(sorted(absent))}",
    )
    if any(_absent(project, arm, absent) for arm in project.arms):
        st.caption("The pair in use has no fine-tuned model: its panes are left out. Choose another on Model files.")
    return [known[name] for name in names]


def _absent(project: Project, arm: Arm, absent: frozenset[str]) -> bool:
    model = project.model(arm.model)
    return model.file in absent and not model.endpoint  # a server may call its model by any name


def _search(project: Project, opening: Opening) -> dict[str, Any]:
    """What is set for all arms that retrieve: top-k, second hop, and the dated view of the documents (None: now)."""
    own = next((arm.search for arm in (*opening.arms, *project.arms) if arm.retrieves), Search())
    top_k = st.slider("Passages (top-k)", 1, 20, own.top_k, key=f"top_k-{project.id}")
    hops = 2 if st.toggle("Second hop", own.hops == 2, key=f"hops-{project.id}", help=HOP) else 1
    found: dict[str, Any] = {"top_k": top_k, "hops": hops, "snapshot": None}
    if project.snapshots:
        snapshots: dict[str, str | None] = {"as they are now": None}
        snapshots |= {name.replace("-", " "): name for name in project.snapshots}
        at = list(snapshots.values()).index(own.snapshot) if own.snapshot in snapshots.values() else 0
        found["snapshot"] = snapshots[st.selectbox("Documents", snapshots, at, key="snapshot")]
    return found

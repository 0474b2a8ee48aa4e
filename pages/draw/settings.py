"""The playground's sidebar: how to run the arms. Reads inputs into ask.Settings; runs nothing."""

import streamlit as st

from core import ask
from core.demo import Opening
from core.errors import Problem
from core.runtime import Runtime
from core.text import plain
from core.theme import ARM_NAMES
from pages.draw.panes import BIG

MORE = ("base+pinned",)


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


def from_sidebar(here: Runtime, opening: Opening) -> tuple[ask.Settings, float]:
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
        extra = st.multiselect(
            "More arms",
            MORE,
            [arm for arm in MORE if arm in opening.extra_arms],
            format_func=lambda arm: ARM_NAMES[arm],
            key="extra",
        )
        pinned = st.text_area("Pinned text", key="pinned", max_chars=4000) if extra else None
        top_k = st.slider("Passages (top-k)", 1, 10, ask.Settings.top_k, key="top_k")
        snapshots = {"as they are now": None, "today": "today", "training day": "training-day"}
        snapshot = snapshots[st.selectbox("Documents", snapshots, key="snapshot")]
        max_tokens = int(st.number_input("Max tokens", 1, 1024, ask.Settings.max_tokens, key="max_tokens"))
        temperature = st.slider("Temperature", 0.0, 2.0, 0.0, 0.1, key="temperature", help="0 is greedy.")
        seed = int(st.number_input("Seed", 0, 2**31, 0, key="seed"))
        device, layers = _device(here)
        rate = st.number_input("Machine, $ per hour", 0.0, 1000.0, 0.10, 0.05, key="rate")
        if st.toggle("Bigger type (projector)", key="big"):
            st.html(BIG)
    chosen = ask.Settings(
        arms=ask.ARMS + tuple(extra),
        way=way,
        top_k=top_k,
        snapshot=snapshot,
        temperature=temperature,
        max_tokens=max_tokens,
        seed=seed,
        device=device,
        gpu_layers=layers,
        pinned=pinned,
    )
    return chosen, rate

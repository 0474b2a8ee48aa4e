"""One question, four answers side by side: base and fine-tuned, each without and with retrieval."""

import time

import streamlit as st

from core import ask, demo, export, runtime
from core.charts.playground import latency_chart
from core.errors import Problem
from core.text import one_line, plain
from pages.draw import panes
from pages.draw.setup import draw_setup

TICK_S, SLOW_TICK_S, LONG_ANSWER = 0.1, 0.2, 2000  # each update re-sends the text, so long answers tick slower

here = runtime.get()
st.html(panes.STYLE)
st.title("Playground")
st.caption("One question to a small model and its fine-tune, each without and with the company's documents.")
draw_setup(here)


def device_choice() -> tuple[str, int | None]:
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


def settings_from_sidebar() -> tuple[ask.Settings, float]:
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
        extra = st.multiselect("More arms", ("base+pinned",), format_func=lambda arm: panes.NAMES[arm], key="extra")
        pinned = st.text_area("Pinned text", key="pinned", max_chars=4000) if extra else None
        top_k = st.slider("Passages (top-k)", 1, 10, ask.Settings.top_k, key="top_k")
        snapshots = {"as they are now": None, "today": "today", "training day": "training-day"}
        snapshot = snapshots[st.selectbox("Documents", snapshots, key="snapshot")]
        max_tokens = int(st.number_input("Max tokens", 1, 1024, ask.Settings.max_tokens, key="max_tokens"))
        temperature = st.slider("Temperature", 0.0, 2.0, 0.0, 0.1, key="temperature", help="0 is greedy.")
        seed = int(st.number_input("Seed", 0, 2**31, 0, key="seed"))
        device, layers = device_choice()
        rate = st.number_input("Machine, $ per hour", 0.0, 1000.0, 0.10, 0.05, key="rate")
        if st.toggle("Bigger type (projector)", key="big"):
            st.html(panes.BIG)
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


def follow(run_id: str, rate: float) -> dict:
    """Draw the panes of a run until it has ended. A reload or a click elsewhere re-attaches to the same run."""
    record = here.runs.record(run_id)
    st.subheader(one_line(plain(record["question"]), 400), anchor=False)
    with st.container(key="panes"):
        places = []
        for column, arm in zip(st.columns(len(record["arms"])), record["arms"], strict=True):
            column.markdown(f"**{panes.NAMES[arm['arm']]}**")
            places.append(column.empty())
    shown: list[object] = [None] * len(places)
    while True:
        live = here.runs.live(run_id)
        if live is not None:
            live.touch()
        record = here.runs.record(run_id)
        for index, (place, arm) in enumerate(zip(places, record["arms"], strict=True)):
            ended = record["finished"] or arm["finish"] or arm["problem"]
            now = (ended, arm["answer"], panes.status(arm))
            if now != shown[index]:
                shown[index] = now
                panes.draw_done(place, arm, rate) if ended else panes.draw_live(place, arm)
        if record["finished"] or live is None:
            return record
        long = max(len(arm["answer"]) for arm in record["arms"]) > LONG_ANSWER
        time.sleep(SLOW_TICK_S if long else TICK_S)


def after(record: dict) -> None:
    """What one does with a finished run: read the times, compare two answers, take it along."""
    warning = panes.mismatch(record["arms"])
    if warning:
        st.warning(warning)
    answered = {panes.NAMES[arm["arm"]]: arm for arm in record["arms"] if arm["finish"]}
    times, compare, share = st.tabs(["Where the time went", "Compare two answers", "Export"])
    with times:
        st.plotly_chart(latency_chart(record["arms"]), key="latency", alt="Time per arm by part")
        if record["settings"]["way"] == "together":
            st.caption("The arms ran together and shared the processor. Run 'One at a time' for figures that count.")
    with compare:
        if len(answered) < 2:
            st.caption("Two answers are needed.")
        else:
            left, right = st.columns(2)
            one = left.selectbox("First", answered, key="diff_one")
            two = right.selectbox("Second", answered, index=len(answered) - 1, key="diff_two")
            panes.draw_diff(answered[one], answered[two])
    with share:
        st.caption("This page's address opens this run again on this machine.")
        files = (
            ("JSON", export.as_json, "json"),
            ("CSV", export.as_csv, "csv"),
            ("Markdown", export.as_markdown, "md"),
        )
        with st.container(horizontal=True):
            for name, write, ending in files:
                st.download_button(name, write(record), f"run-{record['id']}.{ending}", on_click="ignore")


settings, rate = settings_from_sidebar()
picked = st.pills("Suggested questions", demo.SUGGESTIONS, format_func=lambda one: one.label, key="picked")
question = st.text_area(
    "Question", value=picked.question if picked else "", key=f"question-{picked.label if picked else ''}", height=80
)
if picked:
    st.caption(picked.shows)
with st.container(horizontal=True):
    asked = st.button("Ask", type="primary", key="ask")
    if st.button("Stop all", key="stop", shortcut="Esc") and (live := here.runs.live(st.query_params.get("run", ""))):
        live.stop()
    past = {row["id"]: row for row in here.runs.history()}

try:
    if asked:
        st.query_params["run"] = here.runs.start(question, settings).id
    if run_id := st.query_params.get("run"):
        finished = follow(run_id, rate)
        if finished["finished"]:
            after(finished)
except Problem as problem:
    st.error(plain(problem.message))
if past:
    with st.expander("Earlier runs"):
        chosen = st.selectbox(
            "Run",
            past,
            index=None,
            format_func=lambda key: f"{past[key]['made']} · {one_line(past[key]['question'], 80)}",
        )
        if chosen and st.button("Open", key="open"):
            st.query_params["run"] = chosen
            st.rerun()

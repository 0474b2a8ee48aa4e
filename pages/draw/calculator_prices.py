"""Prices: pick a model for base and fine-tune, take single prices from the catalogue, bring a list of one's own."""

from datetime import date

import pandas as pd
import streamlit as st

from core import picks
from core.calculator import inputs
from core.calculator.model import Outcome
from core.errors import Problem
from core.evidence import price_lists, prices
from core.evidence.prices import Offer
from core.text import plain
from pages.draw import calculator_state as state


def offers(scenario: inputs.Scenario, outcome: Outcome) -> None:
    """The view "Prices"."""
    st.caption(plain(prices.note()))
    catalogue = price_lists.catalogue()
    warnings(scenario, catalogue)
    left, right = st.columns(2, gap="medium")
    with left:
        pick(scenario, catalogue, "base")
    with right:
        pick(scenario, catalogue, "tuned")
    with st.expander("The whole price list", expanded=True):
        _table(scenario, catalogue)
    with st.expander("A price list of your own"):
        _own_list(catalogue)


def warnings(scenario: inputs.Scenario, catalogue: dict[str, Offer]) -> None:
    """What retires within the horizon, and which prices in use are old."""
    used, today = picks.in_use(scenario, catalogue), date.today()
    ends = picks.ends(used, today, scenario.number("horizon"))
    for line in (*ends, *picks.untunable(scenario, catalogue), prices.old(used, today)):
        if line:
            st.warning(plain(line), icon=":material/event:")


def pick(scenario: inputs.Scenario, catalogue: dict[str, Offer], role: str) -> None:
    """Where a model runs, and which one: a change is taken over at once."""
    today, base = date.today(), role == "base"
    now = scenario.words["hosting" if base else "tuned_hosting"]
    way_now = now if now in picks.WAYS else "api"
    way_key, model_key = f"pick_way_{role}", f"pick_model_{role}"
    state.show(way_key, way_now)
    way = st.selectbox(
        "Base model runs on" if base else "Fine-tuned model runs on",
        list(picks.WAYS),
        format_func=picks.WAYS.get,
        key=way_key,
        on_change=_picked,
        args=(role, way_key, model_key, True),
        help="By the token you pay what you use. Dedicated machines are paid by the hour, idle or not; own ones are "
        "written off monthly. Fine-tunes of open models are served from machines, seldom by the token.",
    )
    found = {one.id: one for one in (picks.bases if base else picks.tunables)(catalogue, way, today)}
    chosen = picks.picked(scenario, catalogue, role)
    options = ["", *found]
    state.show(model_key, chosen.id if chosen and chosen.id in found else "")
    st.selectbox(
        "Base model" if base else "Fine-tune of",
        options,
        format_func=lambda name: _label(found.get(name), way) if name else _none(scenario, role),
        key=model_key,
        on_change=_picked,
        args=(role, way_key, model_key, False),
        help="Only what is still sold is listed"
        + ("." if base else f", and only what a newcomer can have tuned today. {plain(prices.tuning_note())}"),
    )


def _label(one: Offer | None, way: str) -> str:
    if one is None:
        return "?"
    price = f" · {one.input:g} / {one.output:g}" if way == "api" else ""
    return f"{one.title}{price}" + (f" · retires {one.retires}" if one.retires else "")


def _none(scenario: inputs.Scenario, role: str) -> str:
    if role != "base":
        return {"same": "same price as the base", "premium": "the base's price times the premium"}.get(
            scenario.words["tuned_hosting"], "not picked from the list"
        )
    prices_now = (inputs.words(name, scenario.value(name)).split(" ")[0] for name in ("price_in", "price_out"))
    return f"my own price · {' / '.join(prices_now)}" if scenario.words["hosting"] == "api" else "not from the list"


def _picked(role: str, way_key: str, model_key: str, moved: bool) -> None:
    """Take a pick over; when only the way changed, the first model that can be had so."""
    scenario, catalogue, way = st.session_state[state.STATE], price_lists.catalogue(), st.session_state[way_key]
    found = (picks.bases if role == "base" else picks.tunables)(catalogue, way, date.today())
    by_id = {one.id: one for one in found}
    chosen = by_id.get(st.session_state[model_key])
    if chosen is None and moved and found:
        chosen = found[0]
    if chosen is not None:
        state.change((picks.base if role == "base" else picks.tuned)(scenario, catalogue, chosen, way))


def _table(scenario: inputs.Scenario, catalogue: dict[str, Offer]) -> None:
    """Every price, editable; the ticked rows become the scenario's, with source and date attached."""
    known = inputs.every()
    rows = [
        {**row, "Sets": f"{known[row['Input']].label} ({known[row['Input']].unit})"}
        for row in prices.rows(catalogue.values(), date.today())
        if row["Input"] in known
    ]
    table = st.data_editor(
        pd.DataFrame([prices.shown(row) for row in rows]),
        hide_index=True,
        disabled=("Offer", "Sets", "Note", "Source", "Date"),
        column_order=("Use", "Offer", "Sets", "Low", "High", "Note", "Source", "Date"),
        key="prices",
    )
    try:
        chosen = [prices.typed(rows[place], row) for place, row in enumerate(table.to_dict("records")) if row["Use"]]
    except Problem as problem:
        st.warning(plain(problem.message))
        chosen = []
    if st.button("Use the ticked prices", disabled=not chosen, type="primary"):
        changes = {row["Input"]: [row["Low"], row["High"]] for row in chosen}
        origins = {row["Input"]: row["Origin"] for row in chosen}
        state.change(scenario.replace(changes | {k: v[0] for k, v in changes.items() if v[0] == v[1]}, origins))
        st.rerun()


def _own_list(catalogue: dict[str, Offer]) -> None:
    """An uploaded list: what it changes, and keeping it beside the earlier ones."""
    st.caption(
        "llm-prices' JSON (its current-v1.json, from simonw/llm-prices) or a CSV with the columns "
        + plain(price_lists.COLUMNS)
        + ". Kept in the state folder beside earlier lists; for each price the later date wins."
    )
    sent = st.file_uploader("Price list", type=["json", "csv"], key="price_list")
    if sent is None:
        return
    today, origin = date.today(), f"your list {sent.name}"
    found, notes = price_lists.read(sent.getvalue(), origin, today)
    compared = price_lists.changes(catalogue, found)
    shown = [{"Offer": one.id, "Known": one.before or "new", "In this list": one.after} for one in compared.changed]
    st.markdown(
        f"{len(compared.changed)} changed or new, {compared.same} the same, {len(compared.older)} older than what is "
        f"known, {len(notes)} left out."
    )
    if shown:
        st.dataframe(pd.DataFrame(shown), hide_index=True)
    if st.button("Keep this list", type="primary", disabled=not shown):
        price_lists.keep(found, origin, today)
        st.rerun()

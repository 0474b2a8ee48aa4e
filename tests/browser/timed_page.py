"""A page as small as can be: a button names a run in the address, and a timer runs the whole page again, once.

Run by Streamlit in tests/browser/test_timer.py.
"""

import sys
import time
from pathlib import Path

import streamlit as st

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from pages.draw import address
from pages.draw.apart import apart


@apart(every=0.2)
def timer() -> None:
    asked = st.session_state.get("asked", float("inf"))
    if time.time() - asked > 2 and not st.session_state.get("again"):
        st.session_state["again"] = True
        address.rerun()


with address.kept():
    if st.button("Ask"):
        st.query_params["run"] = "1"
        st.session_state["asked"] = time.time()
    timer()
    again = "again" if st.session_state.get("again") else "first"
    st.text(f"Run {st.query_params.get('run', 'none')}, {again}")

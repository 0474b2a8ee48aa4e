"""The first page: the trade-off at a glance, then where to go next."""

import streamlit as st

st.title("Retrieve or Retrain")

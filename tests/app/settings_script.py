"""A page with nothing but the playground's sidebar, for tests/app/test_pairs_page.py."""

import streamlit as st

from core import opening, runtime
from core.project import bundled
from pages.draw import settings

chosen, _ = settings.from_sidebar(runtime.get(), bundled.all_bundled()["brightwater"], opening.Opening())
st.text(" ".join(arm.name for arm in chosen.arms))

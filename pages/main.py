"""The main script: page configuration and navigation over the files beside it. Holds no page of its own."""

from pathlib import Path

import streamlit as st

from core import runtime
from core.errors import Problem
from core.text import plain
from pages.draw import address, curtain, look, present, project

HERE = Path(__file__).resolve().parent

PAGES = {
    "": [
        ("overview", "Overview", ":material/explore:"),
    ],
    "Decide": [
        ("decide", "Decide", ":material/check_circle:"),
        ("advisor", "Advisor", ":material/lightbulb:"),
        ("calculator", "Calculator", ":material/calculate:"),
        ("compare", "Compare", ":material/balance:"),
    ],
    "Try": [
        ("story", "Story", ":material/theater_comedy:"),
        ("playground", "Playground", ":material/science:"),
        ("evaluation", "Evaluation", ":material/analytics:"),
        ("history", "History", ":material/history:"),
    ],
    "Manage": [
        ("projects", "Projects", ":material/folder_open:"),
        ("setup", "Set up", ":material/construction:"),
        ("documents", "Documents", ":material/library_books:"),
        ("finetune", "Fine-tune", ":material/model_training:"),
        ("model_files", "Model files", ":material/deployed_code:"),
    ],
}

# An emoji: a Material icon as favicon would be fetched from another host. Set first, or the page's own icon is.
st.set_page_config(page_icon="🧭", layout="wide")
look.draw()
signed_in = st.user.get("is_logged_in")  # None: nobody is asked, since no secrets.toml has an [auth] section
if signed_in is False or (not signed_in and runtime.asks()):
    st.button("Sign in", on_click=st.login)
    st.stop()
try:
    first = project.heading()
except Problem:  # said below, once the pages are there
    first = ""
page = st.navigation(
    {
        section or first: [
            st.Page(HERE / f"{name}.py", title=title, icon=icon, url_path=name, default=name == "overview")
            for name, title, icon in pages
            if (HERE / f"{name}.py").exists()
        ]
        for section, pages in PAGES.items()
    },
    expanded=True,  # else the pages below the tenth hide behind "View more"
)
name = "" if page.url_path in ("", "overview") else f"{page.title} · "
st.set_page_config(page_title=f"{name}Retrieve or Retrain")
present.arrive()
if signed_in:
    st.sidebar.button("Sign out", on_click=st.logout)
try:
    project.draw_choice()
    present.draw()
    curtain.take_back_left(on_story=page.url_path == "story")
except Problem as problem:
    st.error(plain(problem.message))
    st.stop()
with address.kept():
    page.run()

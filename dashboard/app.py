"""The frame around every page: what is dissected, where one can go, and whether the settings were found."""

from __future__ import annotations

import streamlit as st

from dashboard.links import menu, pages
from dashboard.login import ask_to_log_in
from dashboard.plain import plain
from dashboard.settings import problem_with_settings
from mami_core.store.log import log_problem

st.set_page_config(page_title="MAMI", page_icon="🔎", layout="wide")
page = st.navigation(pages(), position="hidden")  # our own menu keeps the address's parameters
st.html(
    "<style>.stMainBlockContainer{padding-inline:clamp(1rem,3vw,2.6rem)}"
    ".stMainBlockContainer [data-testid=stHeading] h1{padding-top:0}"
    "[data-testid=stSidebarHeader]{height:2.2rem;margin-bottom:0}"
    ".st-key-options button *{white-space:normal;overflow:visible;text-align:left}</style>"  # a caption is read whole
)
if problem := problem_with_settings():
    st.warning(problem)
ask_to_log_in()
menu(page.url_path or "overview")
try:
    page.run()
except (OSError, ValueError) as problem:  # a full disk, a file that went away: said in words, whichever page it met
    log_problem("page failed", page=page.url_path or "overview")
    st.error(plain(problem))

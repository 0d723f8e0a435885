"""The entry point: `streamlit run dashboard/Home.py` serves the pages of `app.py` and our own routes beside them."""  # noqa: N999  # Streamlit's habit

from __future__ import annotations

import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import Mount

from dashboard.login import OnlyLoggedIn
from dashboard.routes import PREFIX, say_served, serving
from dashboard.security import SecurityHeaders
from mami_core.store.log import log_event, open_log

open_log()
log_event("server begins")
say_served()
app = st.App(
    "app.py",
    routes=[Mount(PREFIX, app=OnlyLoggedIn(serving()))],
    middleware=[Middleware(SecurityHeaders)],
)

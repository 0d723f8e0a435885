"""Who is using the dashboard where its operator has turned login on (`[auth]` in Streamlit's secrets.toml)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import config
from streamlit.auth_util import get_secrets_auth_section
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME
from streamlit.web.server.starlette.starlette_websocket import _get_signed_cookie_with_chunks

NAMES = ("email", "preferred_username", "sub", "name")  # the first that an identity provider gives
_LOG_IN_FIRST = PlainTextResponse(
    "Log in first: open the dashboard itself.", 401, headers={"Cache-Control": "no-store"}
)


def identity(user: Mapping[str, Any]) -> str | None:
    """Return the name that a logged-in user's labels carry; None where nobody is logged in."""
    trusted = bool(config.get_option("server.trustedUserHeaders"))  # a proxy has checked who it is
    if not (user.get("is_logged_in") or trusted):
        return None
    return next((str(user[name]).strip() for name in NAMES if str(user.get(name) or "").strip()), None)


def logged_in_as() -> str | None:
    """Return who this session's user is, as the identity provider says; None where login is off."""
    return identity(st.user.to_dict())


def ask_to_log_in() -> None:
    """Where login is on and nobody is logged in: ask, and end the page."""
    if st.user.to_dict().get("is_logged_in") is not False:
        return
    st.info("This dashboard is for its group: log in to see it.")
    st.button("Log in", on_click=st.login)
    st.stop()


class OnlyLoggedIn:
    """Answer our own addresses, where login is on, only to a browser that has logged in."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        open_to_all = scope["type"] != "http" or not get_secrets_auth_section()
        served = open_to_all or _get_signed_cookie_with_chunks(HTTPConnection(scope).cookies, USER_COOKIE_NAME)
        await (self.app if served else _LOG_IN_FIRST)(scope, receive, send)

"""What the dashboard refuses: other origins, framing, and running a file's code unless it was started to do so."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

from mami_core.store.log import log_event

# Streamlit compiles components from blobs and styles elements inline; everything else must come from this server.
POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline' blob:",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' ws: wss: blob: data:",
        "worker-src 'self' blob:",
        "frame-src 'self' blob: data:",
        "object-src 'none'",
        "base-uri 'self'",
        "frame-ancestors 'none'",
    )
)
ALLOWS_CODE = "MAMI_ALLOW_CODE"  # set by `mami dashboard --allow-code`
_FACTORY = re.compile(r"\.py(:|$)")


def check_code(arguments: Iterable[object]) -> None:
    """Refuse `path.py:factory` among what a form or a dissection names, unless the server was started to run it.

    ValueError says how to allow it. Whoever reaches the page could otherwise run any Python file of this machine.
    """
    for argument in arguments:
        if isinstance(argument, str) and _FACTORY.search(argument) and os.environ.get(ALLOWS_CODE) != "1":
            raise ValueError(
                f"{argument!r} runs Python code of a file, which this server was not started to do; "
                "start it with `mami dashboard --allow-code`, or run the command in a terminal"
            )


HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",  # no other site may show our pictures or run our scripts
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}

LONGEST_HEADERS = 2**16  # bytes; the server's own limit holds only where they arrive in pieces
TOO_LONG = PlainTextResponse("The headers of this request are too large.", 431)
FOREIGN = PlainTextResponse("This server does not answer to that name; its operator sets server.allowedHosts.", 403)


class SecurityHeaders:
    """Add `HEADERS` to every HTTP answer, and answer only who calls us by one of our names.

    Streamlit checks `server.allowedHosts` for websockets alone: a page of a stranger whose name suddenly means
    127.0.0.1 could read our addresses otherwise. Websockets pass untouched.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        if sum(len(name) + len(value) for name, value in scope["headers"]) > LONGEST_HEADERS:
            await TOO_LONG(scope, receive, send_with_headers)
            return
        if is_host_allowed(Headers(scope=scope).get("host")):
            await self.app(scope, receive, send_with_headers)
            return
        log_event("request by a foreign name refused", path=scope["path"])
        await FOREIGN(scope, receive, send_with_headers)

"""What the dashboard refuses: other origins, framing, and running a file's code unless it was started to do so."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

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
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class SecurityHeaders:
    """Add `HEADERS` to every HTTP answer; websockets pass untouched."""

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

        await self.app(scope, receive, send_with_headers)

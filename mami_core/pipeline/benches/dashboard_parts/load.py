"""Many people at once: some browsers and many websocket clients on one server, each opening neurons."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from mami_core.pipeline.benches.dashboard_parts.browser import open_unit, switches, window
from mami_core.pipeline.benches.dashboard_parts.server import Server
from mami_core.store import Dissection

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_CLIENTS = "dashboard.bench.clients"


@dataclass(frozen=True, slots=True)
class Crowd:
    """How many at once, and how busy they are."""

    browsers: int
    clients: int
    seconds: float
    every: float = 5.0  # seconds between two switches of one of them


def crowded(browser: Browser, server: Server, dissection: Path, crowd: Crowd, width: int) -> dict[str, Any]:
    """Measure one browser alone, then all at once: medians in milliseconds, their ratio, and every error."""
    layers = Dissection.open(dissection).layers
    errors: list[str] = []
    with ExitStack() as stack:
        pages = [stack.enter_context(window(browser, width)) for _ in range(crowd.browsers)]
        for page, layer in zip(pages, layers * crowd.browsers, strict=False):
            page.on("pageerror", lambda problem: errors.append(f"browser: {problem}"))
            open_unit(page, server.address, d=dissection.name, layer=layer, unit=0)
        steps = max(2, round(crowd.seconds / crowd.every))
        alone = switches(pages[0], min(steps, 12), pause_ms=1000)
        clients = start_clients(server, dissection, clients=crowd.clients, switches=steps, every=crowd.every)
        together = _in_turn(pages, crowd, errors)
        found = finished(clients)
    return {
        **asdict(crowd),
        "alone_ms_median": median(alone),
        "together_ms_median": median(together) if together else None,
        "ratio": median(together) / median(alone) if together else None,
        "browser_switches": len(together),
        "client_switches": len(found["milliseconds"]),
        "client_ms_median": median(found["milliseconds"]) if found["milliseconds"] else None,
        "errors": [*errors, *found["errors"]],
    }


def _in_turn(pages: list[Page], crowd: Crowd, errors: list[str]) -> list[float]:
    """Press J in one browser after the other, so that each does every `crowd.every` seconds; note what goes wrong."""
    from playwright.sync_api import Error

    taken: list[float] = []
    began = time.monotonic()
    for turn in count():
        passed = time.monotonic() - began
        if passed >= crowd.seconds:
            break
        page = pages[turn % len(pages)]
        page.wait_for_timeout(max(0.0, 1000 * (turn * crowd.every / len(pages) - passed)))
        try:
            taken += switches(page, 1, pause_ms=0)
        except Error as problem:
            errors.append(f"browser {turn % len(pages)}: {problem.message.splitlines()[0]}")
    return taken


def start_clients(
    server: Server, dissection: Path, *, clients: int, switches: int, every: float, first: int = 0
) -> subprocess.Popen[str]:
    """Start websocket clients in a process of their own; the first of them begins at unit `first` of its layer."""
    sizes = {layer.name: layer.units for layer in Dissection.open(dissection).manifest.layers}
    plan: dict[str, Any] = {"address": server.address, "dissection": dissection.name, "layers": sizes}
    plan |= {"clients": clients, "switches": switches, "every": every, "first": first}
    command = [sys.executable, "-m", _CLIENTS, json.dumps(plan)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finished(clients: subprocess.Popen[str]) -> dict[str, Any]:
    """Wait for clients and return what they found."""
    out, problems = clients.communicate()
    if clients.returncode != 0:
        raise ValueError(f"the websocket clients failed: {problems[-2000:]}")
    return json.loads(out)


def memory_walk(server: Server, dissection: Path, steps: int, warm: int) -> dict[str, float] | None:
    """Return the server's memory after `warm` and after `steps` switches, MB, and its slope between; None: not told."""
    finished(start_clients(server, dissection, clients=1, switches=warm, every=0))
    before = server.memory_mb()
    finished(start_clients(server, dissection, clients=1, switches=steps - warm, every=0))
    after = server.memory_mb()
    if before is None or after is None:
        return None
    return {"warm_mb": before, "after_mb": after, "slope_mb_per_1000": (after - before) / (steps - warm) * 1000}

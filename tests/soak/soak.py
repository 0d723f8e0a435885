"""Long use: people who switch neurons for hours, label at once, and come in crowds. Each part tells its counts."""

from __future__ import annotations

import contextlib
import multiprocessing
import random
from pathlib import Path
from typing import Any

from mami_core.pipeline.benches.dashboard_parts.load import finished, start_clients
from mami_core.pipeline.benches.dashboard_parts.server import Server
from mami_core.store.labels import Label, LabelConflict, LabelStore

UNITS = 40
_FORK = multiprocessing.get_context("fork")


def handles(server: Server) -> int:
    """Return how many files the server holds open.

    Sockets and event loops are left out: they are the web server's, which keeps those of a reader who has left for as
    long as it remembers his session.
    """
    held = []
    for handle in Path(f"/proc/{server.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed while we looked
            held.append(str(handle.readlink()))
    return sum(target.startswith("/") and not target.startswith("/dev/") for target in held)


def switched(server: Server, dissection: Path, steps: int, warm: int) -> dict[str, Any]:
    """Switch neurons in sessions of 100, each where the last ended; return memory and open files before and after.

    Before is after `warm` steps, when every cache is full.
    """
    found: dict[str, Any] = {"switches": 0, "errors": []}

    def walk(count: int) -> tuple[float, int]:
        for start in range(0, count, 100):
            some, first = min(100, count - start), found["switches"]
            part = finished(start_clients(server, dissection, clients=1, switches=some, every=0, first=first))
            found["switches"] += len(part["milliseconds"])
            found["errors"] += part["errors"]
        return server.memory_mb() or 0.0, handles(server)

    memory, opened = walk(warm)
    later, open_later = walk(steps - warm)
    slope = (later - memory) / (steps - warm) * 1000
    return {**found, "slope_mb_per_1000": slope, "handles_before": opened, "handles_after": open_later}


def crowd(server: Server, dissection: Path, *, clients: int, switches: int, every: float) -> dict[str, Any]:
    """Let many clients open neurons at once; return how many switches they made and what went wrong."""
    before = handles(server)
    found = finished(start_clients(server, dissection, clients=clients, switches=switches, every=every))
    facts = {"clients": clients, "switches": len(found["milliseconds"]), "errors": found["errors"]}
    return {**facts, "handles_before": before, "handles_after": handles(server)}


def _write(path: str, writer: int, count: int) -> None:
    """Save labels: most one's own, one in five over what somebody else may be changing, until it is saved."""
    store, chance = LabelStore(path), random.Random(writer)
    for number in range(count):
        reviewer = "shared" if number % 5 == 0 else f"writer {writer}"
        unit, mark = chance.randrange(UNITS), f"{writer}.{number}"
        while True:
            seen = store.get("soak", "layer", unit, reviewer)
            text = mark if seen is None else f"{seen.text} {mark}"
            try:
                store.save(Label("soak", "layer", unit, reviewer, "edit", text, version=seen.version if seen else 0))
                break
            except LabelConflict:
                continue


def labelled(where: str, *, writers: int, labels: int) -> dict[str, Any]:
    """Let several processes save `labels` labels in all; return how many were saved and how many of them were lost."""
    LabelStore(where).close()
    share = labels // writers
    processes = [_FORK.Process(target=_write, args=(where, writer, share)) for writer in range(writers)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    store = LabelStore(where)
    kept = {mark for text in store.frame("soak")["text"] for mark in text.split()}
    wanted = {f"{writer}.{number}" for writer in range(writers) for number in range(share)}
    failed = [process.exitcode for process in processes if process.exitcode]
    history = len(store.history("soak"))
    return {"writers": writers, "labels": len(wanted), "lost": len(wanted - kept), "failed": failed, "history": history}

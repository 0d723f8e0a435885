"""Faults put into a child process: killed at its n-th change of a folder, or the folder gone at that moment."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

Work = Callable[[], None]
_CHANGES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "fcntl.flock")
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class Moments:
    """Counts what this process changes below a folder, database statements included; acts at one moment."""

    def __init__(self, at: int | None, act: Callable[[], None]) -> None:
        self.count, self._at, self._act = 0, at, act

    def watch(self, folder: Path) -> None:
        """Count from now on: for good, so only in a process of its own."""
        root = str(folder)

        def hook(event: str, arguments: tuple[Any, ...]) -> None:
            if event in _CHANGES or (event == "open" and _for_writing(*arguments[1:])):
                where = arguments[0]
                if isinstance(where, int) or os.fsdecode(where).startswith(root):
                    self._step()

        sys.addaudithook(hook)
        for event in ("before_cursor_execute", "commit"):
            sa.event.listen(sa.Engine, event, lambda *_: self._step())

    def _step(self) -> None:
        self.count += 1
        if self.count == self._at:
            self._act()


def _for_writing(mode: str | None, flags: int) -> bool:
    return bool(flags & _WRITES) if mode is None else any(sign in mode for sign in "wax+")


def run(work: Work, folder: Path, *, at: int | None = None, act: Callable[[], None] | None = None) -> tuple[str, Any]:
    """Do `work` in a child and tell how it ended: ("done", changes), ("said", sentence) or ("killed", None).

    At its change number `at` it does `act`, else it is killed as by `kill -9`. Any other exception fails the test.
    """
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    kill = act or (lambda: os.kill(os.getpid(), signal.SIGKILL))

    def child() -> None:
        moments = Moments(at, kill)
        moments.watch(folder)
        try:
            work()
            theirs.send(("done", moments.count))
        except (OSError, ValueError) as problem:
            theirs.send(("said", str(problem)))

    process = context.Process(target=child)
    process.start()
    theirs.close()
    try:
        ended = ours.recv()
    except EOFError:
        process.join()
        assert process.exitcode == -signal.SIGKILL, f"ended with {process.exitcode}, and not with a sentence"
        return "killed", None
    process.join()
    return ended


def removing(folder: Path) -> Callable[[], None]:
    """Return what makes a folder go away."""
    return lambda: shutil.rmtree(folder, ignore_errors=True)

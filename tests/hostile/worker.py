"""A process that opens what a stranger sent, case after case, and tells how each ended and what it took."""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import os
import resource
import time
import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

SECONDS, MEGABYTES = 10.0, 1024.0
_PATIENCE = 240.0  # of wall time, on a machine that others use: then it is killed, and the case has failed


@dataclass(frozen=True)
class Ended:
    """`how`: done, said (one sentence) or traceback; CPU seconds; megabytes by which the most memory ever used grew."""

    how: str
    text: str
    seconds: float
    megabytes: float


class Worker:
    """Runs targets in a child that is used again and again, and started again when it died."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("fork")
        self._ours, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, self._folder), daemon=True)
        self._process.start()
        theirs.close()

    def ask(self, target: str, case: Any) -> Ended:
        """Open one case by the target's name."""
        self._ours.send((target, case))
        try:
            if self._ours.poll(_PATIENCE):
                return self._ours.recv()
            why = "took too long"
        except EOFError:
            why = "died"
        self._process.kill()
        self._process.join()
        self._start()
        return Ended("traceback", f"the process {why}", SECONDS, 0.0)

    def close(self) -> None:
        self._process.kill()
        self._process.join()


def _serve(pipe: Connection, folder: Path) -> None:
    os.chdir(folder)
    from targets import TARGETS

    while True:
        target, case = pipe.recv()
        before, began = _peak(), time.process_time()
        quiet = io.StringIO()
        with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
            how, text = _tried(TARGETS[target], case, folder)
        if "Traceback" in quiet.getvalue():
            how, text = "traceback", quiet.getvalue()
        pipe.send(Ended(how, text, time.process_time() - began, _peak() - before))


def _tried(target: Any, case: Any, folder: Path) -> tuple[str, str]:
    try:
        target(case, folder)
        return "done", ""
    except (OSError, ValueError) as problem:  # what every command and page says in a sentence
        return ("said", str(problem)) if str(problem) else ("traceback", f"{type(problem).__name__} without a word")
    except BaseException:
        return "traceback", traceback.format_exc()


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

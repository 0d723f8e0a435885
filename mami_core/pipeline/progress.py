"""Progress: a bar on the terminal for people, a row in the job table when the dashboard started this process."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Report = Callable[[str, int, int], None]  # what is being done, how much is done, of how much


JOB_ID = "MAMI_JOB_ID"


def _silent(_what: str, _done: int, _total: int) -> None:
    """Draw nothing."""


@contextlib.contextmanager
def progress(*, quiet: bool = False) -> Iterator[Report]:
    """Give a function that draws progress on standard error; with `quiet` it draws nothing.

    Standard output stays free for results, so `--json` can be piped. A process that is the dashboard's job reports to
    the job table instead.
    """
    if JOB_ID in os.environ:
        from mami_core.store.jobs import JobReporter  # a bare GPU node has no database library

        yield JobReporter.from_environment() or _silent
        return
    if quiet:
        yield _silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, Any] = {}

        def report(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done, total=total)

        yield report


def print_result(result: Mapping[str, Any], *, as_json: bool, text: str) -> None:
    """Print a command's result: JSON for programs, a few lines for people."""
    if as_json:
        json.dump(result, sys.stdout, indent=1, default=str)
        sys.stdout.write("\n")
    else:
        print(text)

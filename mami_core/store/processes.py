"""Child processes that outlive whoever started them, and how to tell whether one still runs."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc/self/stat").exists()
_ENDED: Final = ("Z", "X")
# Runs the command and leaves its exit status in a file: whoever started it may be gone by then. Only the standard
# library: it sits in memory as long as the job runs.
_RUNNER: Final = """
import os, subprocess, sys
try:
    status = subprocess.run(sys.argv[2:], stdin=subprocess.DEVNULL).returncode
except OSError as problem:
    print(f"could not start: {problem}")
    status = 127
with open(sys.argv[1] + ".partial", "w") as file:
    file.write(str(status))
os.replace(sys.argv[1] + ".partial", sys.argv[1])
"""


def start_detached(command: Sequence[str], log: Path, environment: Mapping[str, str]) -> subprocess.Popen:
    """Start a command in a session of its own, both outputs going to `log`; its status will stand in `status_file`."""
    arguments = [sys.executable, "-I", "-c", _RUNNER, str(status_file(log)), *command]
    with log.open("ab") as output:
        return subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
            start_new_session=True,
        )


def status_file(log: Path) -> Path:
    """Return where the exit status of the process that writes `log` will stand."""
    return log.with_name(f"{log.name}.status")


def exit_status(log: Path) -> int | None:
    """Return the exit status of a process that has ended by itself; None while there is none."""
    try:
        return int(status_file(log).read_text())
    except (FileNotFoundError, ValueError):
        return None


def process_mark(pid: int) -> str | None:
    """Return when a process began, as a text to compare; None when it is not running.

    A number alone does not identify a process: systems use it again.
    """
    if _PROC:
        fields = _stat(pid)
        return None if not fields or fields[0] in _ENDED else fields[19]
    found = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state, _, began = found.stdout.strip().partition(" ")
    return None if not state or state.startswith("Z") else began.strip()


def is_alive(pid: int) -> bool:
    """Tell whether some process of this machine has the number now."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def is_running(pid: int, mark: str | None) -> bool:
    """Tell whether the process that began at `mark` still runs under this number."""
    return mark is not None and process_mark(pid) == mark


def stop_group(pid: int, mark: str | None, *, grace: float = 5.0) -> None:
    """Ask a process and all that it started to end; make them, when they have not within `grace` seconds."""
    if not is_running(pid, mark):
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGTERM)
        if not _ends_within(pid, grace):
            os.killpg(pid, signal.SIGKILL)
            _ends_within(pid, 1.0)


def _ends_within(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while _group_lives(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _group_lives(pid: int) -> bool:
    if _PROC:  # a process that ended but that its parent has not asked about counts for kill(), not for us
        stats = (_stat(int(path.name)) for path in Path("/proc").iterdir() if path.name.isdecimal())
        return any(fields and fields[2] == str(pid) and fields[0] not in _ENDED for fields in stats)
    try:
        os.killpg(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _stat(pid: int) -> list[str]:
    """Return a process's state, parent, group, … (proc(5), from the third field on); empty when there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return text.rpartition(")")[2].split()  # a program's name may hold spaces and brackets

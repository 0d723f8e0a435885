"""Write a file so that a killed program leaves either the old one or the new one, never half of either."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import re
from collections.abc import Iterator
from pathlib import Path

from safetensors import SafetensorError

from mami_core.store.processes import is_alive

PARTIAL = ".partial"
_numbers = itertools.count()  # two threads of one process may write the same file
_OS_ERROR = re.compile(r"os error (\d+)")
_OF_PROCESS = re.compile(r"\.(\d+)-\d+\.partial$")


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; when the block ends well it takes the place of `path` in one step.

    OSError where the disk takes no more, whoever writes.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}-{next(_numbers)}{PARTIAL}")
    try:
        yield partial
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    except SafetensorError as problem:  # its writer has errors of its own
        number = _OS_ERROR.search(str(problem))
        if number is None:
            raise
        raise OSError(int(number.group(1)), os.strerror(int(number.group(1))), str(path)) from problem
    finally:
        partial.unlink(missing_ok=True)


def remove_partials(folder: Path) -> None:
    """Delete what killed writers left behind in `folder` and below; what a living one is writing stays."""
    for path in folder.rglob(f"*{PARTIAL}"):
        writer = _OF_PROCESS.search(path.name)
        if writer is None or not is_alive(int(writer.group(1))):
            path.unlink(missing_ok=True)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the turn to change a folder: another process that asks for it waits. Ends with the process, however."""
    try:
        import fcntl
    except ImportError:  # Windows: two commands on one dissection are the user's to avoid there
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

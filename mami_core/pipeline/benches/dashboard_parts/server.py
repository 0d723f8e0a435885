"""A Streamlit server of our own, started as its users start it, and how much memory it holds."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PATIENCE_S: Final = 120
_LOG: Final = "server.log"


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers, and its process."""

    address: str  # http://127.0.0.1:port
    pid: int

    def memory_mb(self) -> float | None:
        """Return its resident memory, mapped files included; None where the system does not tell (not Linux)."""
        return self._status("VmRSS")

    def peak_memory_mb(self) -> float | None:
        """Return the most resident memory that it ever had."""
        return self._status("VmHWM")

    def _status(self, name: str) -> float | None:
        path = Path(f"/proc/{self.pid}/status")
        lines = path.read_text().splitlines() if path.is_file() else []
        return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:")), None)


@contextmanager
def serving(page: Path, dissections: Sequence[Path], folder: Path) -> Iterator[Server]:
    """Serve one Streamlit file on some dissections until the block ends; `folder` is its MAMI_HOME and keeps its log.

    ValueError with the end of its log where it does not start.
    """
    folder.mkdir(parents=True, exist_ok=True)
    named = os.pathsep.join(str(path.resolve()) for path in dissections)
    environment = {**os.environ, "MAMI_HOME": str(folder), "MAMI_DISSECTIONS": named}
    port = _free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(page), f"--server.port={port}", "--server.headless=true"]
    with (folder / _LOG).open("w") as log:
        running = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        try:
            address = f"http://127.0.0.1:{port}"
            _until_up(address, running, folder / _LOG)
            yield Server(address, running.pid)
        finally:
            running.terminate()
            running.wait(timeout=20)


def errors_logged(folder: Path) -> list[str]:
    """Return the lines of a server's log that tell of something gone wrong."""
    lines = (folder / _LOG).read_text(encoding="utf-8", errors="replace").splitlines()
    return [line for line in lines if "Traceback" in line or "ERROR" in line or "Exception" in line]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _until_up(address: str, running: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and running.poll() is None:
        try:
            urllib.request.urlopen(f"{address}/_stcore/health", timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise ValueError(
        f"the dashboard did not start within {PATIENCE_S} s; its log ends with:\n{log.read_text()[-2000:]}"
    )

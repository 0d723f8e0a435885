"""A PostgreSQL of the test's own: a fresh cluster in a temporary folder, on a loopback port, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_ACCOUNTS = ("postgres", "nobody")  # the server refuses to run as root


def find_postgres() -> Path | None:
    """Return the folder of its programs: on the PATH, or where Debian puts them; None where there is none."""
    on_path = shutil.which("initdb")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = [Path(on_path)] if on_path else debian[-1:]
    return found[0].resolve().parent if found else None


def _account() -> str | None:
    """Return who runs the server: nobody else than we, but for root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in _ACCOUNTS if name in known)


@contextmanager
def running(programs: Path) -> Iterator[str]:
    """Serve until the block ends; give the URL of its first database."""
    account = _account()
    folder = Path(tempfile.mkdtemp(prefix="mami-postgres-"))
    if account is not None:
        shutil.chown(folder, account)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data = str(folder / "data")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c max_connections=40"

    def call(program: str, *arguments: str) -> None:
        command = [str(programs / program), *arguments]
        subprocess.run(command, user=account, cwd=folder, check=True, stdout=subprocess.DEVNULL)

    try:
        call("initdb", "-D", data, "-U", "mami", "-A", "trust", "-E", "UTF8", "--no-sync")
        call("pg_ctl", "start", "-w", "-D", data, "-l", str(folder / "log"), "-o", options)
        yield f"postgresql+psycopg://mami@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run(
            [str(programs / "pg_ctl"), "stop", "-m", "immediate", "-D", data],
            user=account, cwd=folder, check=False, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        shutil.rmtree(folder, ignore_errors=True)

"""Commands that run beside the dashboard: started, watched, cancelled; they outlive a reload and a restart."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from subprocess import Popen
from typing import Any, Final, Literal

import sqlalchemy as sa

from mami_core.store import processes
from mami_core.store.database import Database
from mami_core.store.home import home
from mami_core.store.log import log_event
from mami_core.store.tables import JOBS

JobState = Literal["running", "done", "failed", "cancelled", "lost"]
JOB_ID: Final = "MAMI_JOB_ID"  # in a job's environment: which row is its own
PROGRAM: Final = (sys.executable, "-m", "mami_core")
_TAIL_BYTES: Final = 65_536


@dataclass(frozen=True, slots=True)
class Job:
    """One command. `lost`: its process is gone and left no exit status (killed from outside, or the machine fell)."""

    id: int
    command: tuple[str, ...]
    state: JobState
    message: str  # what it is doing, or why it ended
    done: float | None
    total: float | None
    host: str
    pid: int | None
    process_mark: str | None
    log: Path
    exit_code: int | None
    started: datetime
    heartbeat: datetime  # when it last said something
    finished: datetime | None

    @property
    def progress(self) -> float | None:
        """Return how much is done, 0 to 1; None when the job has not said."""
        return None if self.done is None or not self.total else min(1.0, self.done / self.total)


class JobStore:
    """The table of jobs. Any process may read it, start jobs and cancel them."""

    def __init__(self, where: str | Path | None = None, *, logs: Path | None = None) -> None:
        """Open a file's path, a database URL, or (None) the one of this user; `logs` is where outputs go."""
        self._database = Database(where)
        self._logs = logs or home() / "jobs"
        self._children: dict[int, Popen] = {}

    def close(self) -> None:
        """Let go of the database; jobs go on."""
        self._database.close()

    def start(self, arguments: Sequence[str], *, program: Sequence[str] = PROGRAM) -> Job:
        """Start `mami ARGUMENTS` as a process of its own and return its row."""
        self._logs.mkdir(parents=True, exist_ok=True)
        now = datetime.now(UTC)
        row = {"command": json.dumps(list(arguments)), "state": "running", "message": "starting", "log": ""}
        row |= {"host": socket.gethostname(), "started": now, "heartbeat": now}  # type: ignore[dict-item]
        with self._database.writing() as connection:
            number = connection.execute(sa.insert(JOBS).values(**row).returning(JOBS.c.id)).scalar_one()
        log = self._logs / f"{number}.log"
        processes.status_file(log).unlink(missing_ok=True)
        environment = {JOB_ID: str(number), "MAMI_DATABASE_URL": self._database.url.render_as_string(False)}
        try:
            child = processes.start_detached([*program, *arguments], log, environment)
        except OSError as problem:
            self._set(number, state="failed", message=f"could not start: {problem}", log=str(log), finished=now)
            raise ValueError(f"job {number} could not be started: {problem}") from problem
        self._children[number] = child
        log_event("job started", job=number, command=list(arguments))
        self._set(number, pid=child.pid, process_mark=processes.process_mark(child.pid), log=str(log))
        return self.get(number)

    def get(self, number: int) -> Job:
        """Return one job as it is now; KeyError when there is none of that number."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(JOBS).where(JOBS.c.id == number)).mappings().first()
        if row is None:
            raise KeyError(f"no job {number}")
        return self._as_it_is(_job(row))

    def recent(self, *, limit: int = 100) -> list[Job]:
        """Return the newest jobs, newest first, as they are now."""
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(JOBS).order_by(JOBS.c.id.desc()).limit(limit)).mappings().all()
        return [self._as_it_is(_job(row)) for row in rows]

    def cancel(self, number: int, *, grace: float = 5.0) -> Job:
        """End a running job and all that it started; a job that has ended stays as it is.

        It is asked first, and made to end when it has not within `grace` seconds.

        ValueError for a job of another machine: its processes cannot be reached from here.
        """
        job = self.get(number)
        if job.state != "running":
            return job
        if job.host != socket.gethostname():
            raise ValueError(f"job {number} runs on {job.host}; cancel it there")
        self._finish(number, "cancelled", "cancelled")
        if job.pid is not None:
            processes.stop_group(job.pid, job.process_mark, grace=grace)
        return self.get(number)

    def tail(self, number: int, *, lines: int = 50) -> list[str]:
        """Return the last lines that a job wrote; a bar that redraws itself counts as one line."""
        log = self.get(number).log
        if not log.is_file():
            return []
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
            text = file.read().decode("utf-8", errors="replace")
        return [line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n") if line.strip()][-lines:]

    def wait(self, number: int, *, timeout: float | None = None) -> Job:
        """Wait until a job has ended; TimeoutError when it has not within `timeout` seconds."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while (job := self.get(number)).state == "running":
            if deadline is not None and time.monotonic() > deadline:
                raise TimeoutError(f"job {number} still runs after {timeout} s")
            time.sleep(0.02)
        return job

    def _as_it_is(self, job: Job) -> Job:
        """Correct a row that says `running` of a process that has ended."""
        child = self._children.get(job.id)
        if child is not None and child.poll() is not None:
            del self._children[job.id]
        if job.state != "running" or job.pid is None or job.host != socket.gethostname():
            return job
        alive = processes.is_running(job.pid, job.process_mark)  # asked first: the status is written before the end
        status = processes.exit_status(job.log)
        if status is None and alive:
            return job
        if status is None:
            self._finish(job.id, "lost", "its process is gone and left no exit status")
        else:
            self._finish(job.id, "done" if status == 0 else "failed", f"ended with status {status}", status)
        with self._database.reading() as connection:
            return _job(connection.execute(sa.select(JOBS).where(JOBS.c.id == job.id)).mappings().one())

    def _finish(self, number: int, state: JobState, message: str, exit_code: int | None = None) -> None:
        values = {"state": state, "message": message, "exit_code": exit_code, "finished": datetime.now(UTC)}
        running = sa.and_(JOBS.c.id == number, JOBS.c.state == "running")  # the first to say how it ended is right
        with self._database.writing() as connection:
            first = connection.execute(sa.update(JOBS).where(running).values(**values)).rowcount
        if first:
            log_event("job ended", job=number, state=state, reason=message, status=exit_code)

    def _set(self, number: int, **values: Any) -> None:
        with self._database.writing() as connection:
            connection.execute(sa.update(JOBS).where(JOBS.c.id == number).values(**values))


class JobReporter:
    """How a running job says how far it is; writes at most once in `interval` seconds."""

    def __init__(self, number: int, where: str | Path | None = None, *, interval: float = 1.0) -> None:
        self._number, self._interval, self._last = number, interval, -float("inf")
        self._database = Database(where)

    @classmethod
    def from_environment(cls) -> JobReporter | None:
        """Return the reporter of the job that this process is; None when it is nobody's job."""
        number = os.environ.get(JOB_ID, "")
        return cls(int(number)) if number.isdecimal() else None

    def __call__(self, what: str, done: float, total: float) -> None:
        """Say what is being done and how much of it; the last step is always written."""
        if done < total and time.monotonic() - self._last < self._interval:
            return
        self._last = time.monotonic()
        values = {"message": what, "done": done, "total": total, "heartbeat": datetime.now(UTC)}
        mine = sa.and_(JOBS.c.id == self._number, JOBS.c.state == "running")
        with self._database.writing() as connection:
            connection.execute(sa.update(JOBS).where(mine).values(**values))


def _job(row: sa.RowMapping) -> Job:
    facts = {**row, "command": tuple(json.loads(row["command"])), "log": Path(row["log"])}
    for name in ("started", "heartbeat", "finished"):
        moment = facts[name]
        if moment is not None and moment.tzinfo is None:
            facts[name] = moment.replace(tzinfo=UTC)  # SQLite keeps no time zone; we only ever write UTC
    return Job(**facts)

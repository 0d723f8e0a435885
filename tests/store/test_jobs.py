"""Jobs with real child processes: they run, say how far they are, can be ended, and outlive who started them."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mami_core.store.jobs import JobReporter, JobStore
from mami_core.store.processes import is_running, process_mark

PYTHON = (sys.executable, "-c")
PATIENCE = 60.0  # an upper limit for a loaded machine, never waited for when all is well


@pytest.fixture
def jobs(database: str, tmp_path: Path) -> JobStore:
    return JobStore(database, logs=tmp_path / "logs")


def until(fifo: Path) -> str:
    """Code that goes on when somebody writes into `fifo`."""
    return f"open({str(fifo)!r}).read()"


def release(fifo: Path) -> None:
    fifo.write_text("go")


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    path = tmp_path / "gate"
    os.mkfifo(path)
    return path


def test_a_job_that_ends_well_is_done(jobs: JobStore) -> None:
    job = jobs.start(["print('captioned 3 units')"], program=PYTHON)

    ended = jobs.wait(job.id, timeout=PATIENCE)

    assert (ended.state, ended.exit_code) == ("done", 0)
    assert ended.finished is not None
    assert ended.finished >= ended.started
    assert jobs.tail(job.id) == ["captioned 3 units"]


def test_a_job_that_fails_says_its_status_and_keeps_its_words(jobs: JobStore) -> None:
    job = jobs.start(["import sys; sys.exit('mami: no layer conv9')"], program=PYTHON)

    ended = jobs.wait(job.id, timeout=PATIENCE)

    assert (ended.state, ended.exit_code) == ("failed", 1)
    assert jobs.tail(job.id) == ["mami: no layer conv9"]


def test_a_job_is_running_until_it_ends(jobs: JobStore, gate: Path) -> None:
    job = jobs.start([until(gate)], program=PYTHON)

    assert jobs.get(job.id).state == "running"
    assert jobs.get(job.id).progress is None
    release(gate)
    assert jobs.wait(job.id, timeout=PATIENCE).state == "done"


def test_a_cancelled_job_ends_with_all_that_it_started(jobs: JobStore, gate: Path, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    os.mkfifo(pids)
    grandchild = f"import subprocess, sys; c = subprocess.Popen([sys.executable, '-c', {until(gate)!r}]); "
    job = jobs.start([f"{grandchild} open({str(pids)!r}, 'w').write(str(c.pid)); c.wait()"], program=PYTHON)
    pid = int(pids.read_text())
    mark = process_mark(pid)

    cancelled = jobs.cancel(job.id)

    assert cancelled.state == "cancelled"
    assert jobs.get(job.id).state == "cancelled"
    assert not is_running(pid, mark)


def test_a_job_that_ignores_the_request_is_made_to_end(jobs: JobStore, gate: Path, tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    os.mkfifo(ready)
    stubborn = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    tell = f"import os; open({str(ready)!r}, 'w').write(str(os.getpid())); "
    job = jobs.start([stubborn + tell + until(gate)], program=PYTHON)
    pid = int(ready.read_text())
    mark = process_mark(pid)

    jobs.cancel(job.id, grace=0.2)

    assert not is_running(pid, mark)


def test_cancelling_what_has_ended_changes_nothing(jobs: JobStore) -> None:
    job = jobs.start(["pass"], program=PYTHON)
    jobs.wait(job.id, timeout=PATIENCE)

    assert jobs.cancel(job.id).state == "done"


def test_a_killed_job_is_lost_not_running_for_ever(jobs: JobStore, gate: Path) -> None:
    job = jobs.start([until(gate)], program=PYTHON)
    assert job.pid is not None
    os.killpg(job.pid, signal.SIGKILL)

    ended = jobs.wait(job.id, timeout=PATIENCE)

    assert ended.state == "lost"
    assert "left no exit status" in ended.message


def test_a_number_that_somebody_else_uses_now_is_not_our_process() -> None:
    assert is_running(os.getpid(), process_mark(os.getpid()))
    assert not is_running(os.getpid(), "0")


def test_a_job_outlives_the_process_that_started_it(tmp_path: Path, gate: Path) -> None:
    server = (
        "import sys; from mami_core.store.jobs import JobStore; from pathlib import Path; "
        "jobs = JobStore(sys.argv[1], logs=Path(sys.argv[2])); "
        "print(jobs.start([sys.argv[3]], program=(sys.executable, '-c')).id)"
    )
    arguments = [sys.executable, "-c", server, tmp_path / "jobs.sqlite", tmp_path / "logs", until(gate) + "; print(7)"]
    number = int(subprocess.run(arguments, capture_output=True, text=True, check=True).stdout)
    jobs = JobStore(tmp_path / "jobs.sqlite", logs=tmp_path / "logs")

    job = jobs.get(number)
    assert job.state == "running"
    assert job.pid is not None
    ending = os.pidfd_open(job.pid)
    release(gate)
    select.select([ending], [], [], PATIENCE)

    assert jobs.wait(number, timeout=PATIENCE).state == "done"
    assert jobs.tail(number) == ["7"]


def test_a_job_says_how_far_it_is(jobs: JobStore, gate: Path, tmp_path: Path) -> None:
    said = tmp_path / "said"
    os.mkfifo(said)
    code = (
        "from mami_core.store.jobs import JobReporter; report = JobReporter.from_environment(); "
        f"report('captioning', 3, 12); open({str(said)!r}, 'w').write('x'); {until(gate)}"
    )
    job = jobs.start([code], program=PYTHON)
    said.read_text()

    now = jobs.get(job.id)

    assert (now.message, now.progress) == ("captioning", 0.25)
    assert now.heartbeat > now.started
    jobs.cancel(job.id)


def test_reports_are_thinned_but_the_last_is_written(jobs: JobStore, gate: Path, database: str) -> None:
    job = jobs.start([until(gate)], program=PYTHON)
    report = JobReporter(job.id, database, interval=3600)

    seen = []
    for done in (1, 2, 3):
        report("dissecting", done, 3)
        seen.append(jobs.get(job.id).done)

    assert seen == [1, 1, 3]
    jobs.cancel(job.id)


def test_a_process_that_is_no_job_has_no_reporter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAMI_JOB_ID", raising=False)

    assert JobReporter.from_environment() is None


def test_the_newest_job_comes_first_and_a_bar_is_one_line(jobs: JobStore) -> None:
    first = jobs.start(["print('a')"], program=PYTHON)
    second = jobs.start(["print('10 %\\r50 %\\r100 %\\nready')"], program=PYTHON)
    jobs.wait(first.id, timeout=PATIENCE)
    jobs.wait(second.id, timeout=PATIENCE)

    assert [job.id for job in jobs.recent()] == [second.id, first.id]
    assert jobs.tail(second.id) == ["100 %", "ready"]


def test_a_command_that_does_not_exist_fails(jobs: JobStore) -> None:
    job = jobs.start([], program=("/no/such/program",))

    assert jobs.wait(job.id, timeout=PATIENCE).exit_code == 127
    assert "could not start" in jobs.tail(job.id)[0]


def test_an_unknown_job_is_named(jobs: JobStore) -> None:
    with pytest.raises(KeyError, match="no job 99"):
        jobs.get(99)


def test_a_job_is_a_command_of_this_program(jobs: JobStore, intact: Path) -> None:
    job = jobs.start(["inspect", str(intact), "--verify"])

    assert jobs.wait(job.id, timeout=PATIENCE).state == "done"
    assert any("every file is what was written" in line for line in jobs.tail(job.id))
    assert job.command == ("inspect", str(intact), "--verify")


def test_a_command_that_refuses_its_input_fails_with_its_own_sentence(jobs: JobStore, tmp_path: Path) -> None:
    job = jobs.start(["inspect", str(tmp_path / "nowhere")])

    ended = jobs.wait(job.id, timeout=PATIENCE)

    assert (ended.state, ended.exit_code) == ("failed", 2)
    assert "is not a dissection" in jobs.tail(job.id)[-1]

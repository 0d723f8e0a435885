"""Commands that a page starts in the background, and what it shows while they run."""

from __future__ import annotations

import streamlit as st

from dashboard import loaders
from dashboard.plain import plain
from dashboard.security import check_code

state = st.session_state


def start_job(line: list[str], *runs: str) -> None:
    """Start a command; one that would run a file's code (in it, or in what else it `runs`) only where allowed."""
    try:
        check_code([*line, *runs])
        started = loaders.job_store().start(line)
    except ValueError as problem:
        st.error(plain(problem))
        return
    st.toast(f"Job {started.id} started")
    state.setdefault("watched jobs", []).append(started.id)


def running_jobs(command: str) -> None:
    """Draw the jobs of a command that run, again every second; when one that was watched ends, the page is redrawn."""
    jobs = [job for job in loaders.job_store().recent(limit=20) if job.command[:1] == (command,)]
    if any(job.state == "running" for job in jobs) or state.get("watched jobs"):
        _watched(command)


@st.fragment(run_every=1.0)
def _watched(command: str) -> None:
    jobs = [job for job in loaders.job_store().recent(limit=20) if job.command[:1] == (command,)]
    for job in jobs:
        if job.state == "running":
            st.progress(job.progress or 0.0, plain(f"job {job.id}: {job.message}"))
    ended = [job for job in jobs if job.state != "running" and job.id in state.get("watched jobs", [])]
    if not ended:
        return
    state["watched jobs"] = [number for number in state["watched jobs"] if number not in {job.id for job in ended}]
    failed = [job for job in ended if job.state != "done"]
    state["job problems"] = ["\n".join(loaders.job_store().tail(job.id, lines=3)) for job in failed]
    st.rerun()


def job_problems() -> None:
    """Say why the last job that this page waited for did not end well."""
    for text in state.pop("job problems", []):
        st.error(plain(text or "the job ended without saying why; see Jobs"))

"""Jobs: start a command, watch it, cancel it. It goes on when the page or the server does not."""

from __future__ import annotations

import streamlit as st

from dashboard import loaders
from dashboard.forms import command_form
from dashboard.links import here
from dashboard.plain import plain
from dashboard.security import check_code
from mami_core.cli import COMMANDS
from mami_core.store.jobs import Job

STARTED_HERE = ("dissect", "caption", "train", "evaluate", "export")
STATE_COLOURS = {"running": "blue", "done": "green", "failed": "red", "cancelled": "gray", "lost": "orange"}


def start(line: list[str]) -> None:
    """Start a command; one that would run a file's code only where the server allows it."""
    try:
        check_code(line)
        started = loaders.job_store().start(line)
    except ValueError as problem:
        st.error(plain(problem))
        return
    st.toast(f"Job {started.id} started")


def cancel(number: int) -> None:
    """End a job; one of another machine says so."""
    try:
        loaders.job_store().cancel(number)
    except ValueError as problem:
        st.toast(str(problem))


def card(job: Job) -> None:
    """Draw one job."""
    with st.container(border=True):
        st.markdown(
            f":{STATE_COLOURS[job.state]}-badge[{job.state}] **{job.id}** {plain(' '.join(('mami', *job.command)))}"
        )
        if job.state == "running":
            st.progress(job.progress or 0.0, plain(job.message))
            st.button("Cancel", key=f"cancel {job.id}", on_click=cancel, args=(job.id,))
        elif job.message:
            st.caption(plain(job.message))
        with st.expander("Output"):
            st.code("\n".join(loaders.job_store().tail(job.id)) or "nothing yet", language=None)


@st.fragment(run_every=1.0)
def watched() -> None:
    """Draw the jobs, again every second while one runs."""
    jobs = loaders.job_store().recent(limit=20)
    if not jobs:
        st.info("No job yet.")
    for job in jobs:
        card(job)


st.title("Jobs")
names = [name for name in STARTED_HERE if name in COMMANDS]
name = st.segmented_control("Command", names, default=names[0], key="command", label_visibility="collapsed")
command = COMMANDS[name or names[0]]
found = here()
suggested = {"device": loaders.preferences().device} | ({"dissection": str(found.path)} if found else {})
line = command_form(name or names[0], command.config, command.positional, suggested)
if line is not None:
    start(line)
st.subheader("Recent", anchor=False)
watched()

"""Long use in short; `make soak` is the long form."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_dissection import make_dissection
from soak import crowd, labelled, switched

from mami_core.pipeline.benches.dashboard_parts.server import errors_logged, serving

HOME_PAGE = Path(__file__).parents[2] / "dashboard" / "Home.py"
CLIENTS = 17
KEPT = 16  # of use to the next reader: the label store's pooled connections, each two files, and a layer's maps


def test_five_writers_at_once_lose_no_label(tmp_path):
    found = labelled(f"sqlite:///{tmp_path / 'labels.sqlite'}", writers=5, labels=100)
    assert (found["lost"], found["failed"], found["labels"], found["history"]) == (0, [], 100, 100)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open files are counted in /proc")
def test_a_walk_and_a_crowd_meet_no_error_and_leave_no_file_open(tmp_path):
    squares = make_dissection(tmp_path / "squares")
    with serving(HOME_PAGE, [squares], tmp_path / "server") as server:
        walked = switched(server, squares, 40, 20)
        many = crowd(server, squares, clients=CLIENTS, switches=2, every=0)
    assert walked["errors"] + many["errors"] + errors_logged(tmp_path / "server") == []
    assert (walked["switches"], many["switches"]) == (40, 2 * CLIENTS)
    assert walked["handles_after"] <= walked["handles_before"] + KEPT
    assert many["handles_after"] <= many["handles_before"] + KEPT

"""Many readers at once on a made dissection; `mami bench dashboard` is the long form, and times how long they wait."""

from __future__ import annotations

import pytest

from mami_core.pipeline.benches.dashboard_parts.load import Crowd, crowded, memory_walk
from mami_core.pipeline.benches.dashboard_parts.made import made_dissection
from mami_core.pipeline.benches.dashboard_parts.server import errors_logged, serving
from mami_core.pipeline.dashboard import home_page

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def crowd_of_units(tmp_path_factory):
    return made_dissection(400, 112, tmp_path_factory.mktemp("made"))


def test_twenty_readers_at_once_meet_no_error_and_all_are_served(browser, crowd_of_units, tmp_path):
    crowd = Crowd(browsers=3, clients=17, seconds=30)
    with serving(home_page(), [crowd_of_units], tmp_path) as server:
        found = crowded(browser, server, crowd_of_units, crowd, width=1440)
    assert found["errors"] + errors_logged(tmp_path) == []
    assert found["client_switches"] == 17 * 6
    assert found["browser_switches"] >= 3


def test_memory_stays_where_it_is_once_every_unit_was_shown(browser, crowd_of_units, tmp_path):
    assert browser.is_connected()
    with serving(home_page(), [crowd_of_units], tmp_path) as server:
        walked = memory_walk(server, crowd_of_units, steps=600, warm=400)  # each unit once, then half of them again
    if walked is None:
        pytest.skip("this system does not tell a process's memory")
    assert walked["slope_mb_per_1000"] * 0.2 < 4  # MB in 200 switches: what remains of caches filling included

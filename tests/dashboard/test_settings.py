"""Theme and server settings reach Streamlit, which reads only .streamlit/config.toml."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from dashboard.scripts import PARTS, bundle

TOP = Path(__file__).parents[2]


@pytest.mark.parametrize("folder", [TOP, TOP / "dashboard"], ids=["from the repository", "from anywhere"])
def test_the_settings_are_where_streamlit_looks(folder):
    found = folder / ".streamlit" / "config.toml"
    assert found.read_text() == (TOP / "streamlit_config.toml").read_text()


def test_the_server_listens_here_only_and_sends_nothing_away():
    settings = tomllib.loads((TOP / "streamlit_config.toml").read_text())
    assert settings["server"]["address"] == "127.0.0.1"
    assert settings["browser"]["gatherUsageStats"] is False
    assert {"light", "dark"} <= settings["theme"].keys()


@pytest.mark.parametrize("name", PARTS)
def test_a_script_is_joined_whole(name):
    text = bundle(name).text
    assert text.count("export default") == 1
    assert "import " not in text.replace("import(", "")
    assert "innerHTML" not in text

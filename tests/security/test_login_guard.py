"""With login on, a real server gives nothing to who is not logged in."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from mami_core.pipeline.benches.dashboard_parts.server import Server, serving

HOME_PAGE = Path(__file__).parents[2] / "dashboard" / "Home.py"
SECRETS = """
[auth]
redirect_uri = "http://127.0.0.1:1/oauth2callback"
cookie_secret = "not a secret: it is in a test"
client_id = "mami"
client_secret = "none"
server_metadata_url = "http://127.0.0.1:1/.well-known/openid-configuration"
"""


@pytest.fixture(scope="module")
def guarded(squares: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("guarded")
    (folder / ".streamlit").mkdir()
    (folder / ".streamlit" / "secrets.toml").write_text(SECRETS)
    with serving(HOME_PAGE, [squares], folder) as running:
        yield running


@pytest.mark.parametrize("cookie", [None, "_streamlit_user=forged", "_streamlit_user=2|1:0|10:1|4:mami|x|y"])
@pytest.mark.parametrize("path", ["-/units.json", "early/0.json", "early/0.jpg"])
def test_who_is_not_logged_in_is_answered_401_without_a_word_of_what_is_there(guarded, path, cookie):
    request = urllib.request.Request(f"{guarded.address}/mami/squares/{path}", headers={"Cookie": cookie or ""})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=60)
    assert refused.value.code == 401
    assert refused.value.read() == b"Log in first: open the dashboard itself."
    assert refused.value.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["-/units.json", "early/0.json", "early/0.jpg"])
def test_the_same_addresses_answer_where_login_is_off(server, path):
    with urllib.request.urlopen(f"{server.address}/mami/squares/{path}", timeout=60) as answer:
        assert answer.status == 200

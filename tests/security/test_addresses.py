"""A real server, asked as an attacker would: by another name, from another page, for other files, with too much."""

from __future__ import annotations

import http.client
import json
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from dashboard.security import HEADERS
from mami_core.pipeline.benches.dashboard_parts.server import Server


def ask(server: Server, path: str, *, method: str = "GET", body: bytes | None = None, **headers: str):
    """Send one request with exactly this path: clients tidy `..` away otherwise. Return status, headers, body."""
    connection = http.client.HTTPConnection(urlsplit(server.address).netloc, timeout=60)
    connection.request(
        method, path, body=body, headers={name.replace("_", "-"): text for name, text in headers.items()}
    )
    answer = connection.getresponse()
    return answer.status, dict(answer.getheaders()), answer.read().decode(errors="replace")


def websocket(server: Server, **headers: str) -> None:
    address = server.address.replace("http", "ws", 1) + "/_stcore/stream"
    with connect(address, subprotocols=["streamlit"], open_timeout=60, **headers):  # type: ignore[arg-type]
        pass


@pytest.mark.parametrize("path", ["/", "/mami/squares/early/0.json", "/mami/squares/nowhere/0.json", "/_stcore/health"])
def test_every_answer_forbids_framing_guessing_types_and_other_origins(server, path):
    _, headers, _ = ask(server, path)
    found = {name.title(): text for name, text in headers.items()}
    assert {name: found.get(name.title()) for name in HEADERS} == HEADERS
    assert "frame-ancestors 'none'" in found["Content-Security-Policy"]
    assert "Access-Control-Allow-Origin" not in found or found["Access-Control-Allow-Origin"] != "*"


@pytest.mark.parametrize("path", ["/", "/mami/squares/early/0.json", "/mami/squares/early/0.jpg", "/_stcore/health"])
def test_a_name_of_a_stranger_that_means_this_machine_is_not_answered(server, path):
    status, headers, text = ask(server, path, Host="rebound.example:80")
    assert status == 403
    assert "early" not in text
    assert headers.get("x-frame-options") == "DENY"


def test_a_websocket_by_a_strangers_name_is_not_opened(server):
    websocket(server)
    with pytest.raises(InvalidStatus):
        websocket(server, additional_headers={"Host": "rebound.example"})


def test_a_websocket_from_a_strangers_page_is_not_opened(server):
    with pytest.raises(InvalidStatus):
        websocket(server, origin="https://evil.example")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_our_addresses_change_nothing(server, method):
    status, _, _ = ask(server, "/mami/squares/early/0.json", method=method, body=b"{}")
    assert status == 405


def test_a_file_cannot_be_uploaded_from_a_strangers_page(server):
    status, _, _ = ask(server, "/_stcore/upload_file/a/b", method="PUT", body=b"x", Origin="https://evil.example")
    assert status == 403


def test_the_program_interface_for_agents_is_off(server):
    body = json.dumps({"query": ""}).encode()
    status, _, text = ask(server, "/_stcore/agent/interact", method="POST", body=body, Content_Type="application/json")
    assert status >= 400
    assert "does not serve" in text


SECRETS = ("root:", "sha256", "[server]", "SecurityHeaders")


@pytest.mark.parametrize(
    "path",
    [
        "/mami/../../../../etc/passwd",
        "/mami/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "/mami/squares/..%2f..%2f..%2fetc%2fpasswd/0.json",
        "/mami/..%2fsquares/early/0.json",
        "/mami/squares/../../dissection.json",
        "/mami/squares/dissection.json",
        "/mami/%2fetc%2fpasswd/early/0.json",
        "/mami/-/000000000000/..%2f..%2fHome.py",
        "/mami/-/000000000000/%2e%2e%2fsecurity.js",
        "/app/static/../security.py",
        "/static/..%2f..%2f..%2f..%2fetc%2fpasswd",
        "/component/..%2f..%2fetc%2fpasswd",
        "/media/..%2f..%2fetc%2fpasswd",
        "//etc/passwd",
        "/mami/squares/early%00/0.json",
        "/mami/squares/early/0.json%00.jpg",
    ],
)
def test_no_address_leads_to_another_file(server, path):
    status, _, text = ask(server, path)
    assert status < 500
    assert not any(secret in text for secret in SECRETS)
    assert "Traceback" not in text


@pytest.mark.parametrize(
    "query",
    [
        "text=%3Cscript%3Ealert(1)%3C/script%3E",
        "text=/(a%2B)%2B$/",
        "text=" + "a" * 8000,
        "start=" + "9" * 5000,
        "count=-1",
        "sort=../../etc/passwd",
        "layer=%00",
        "least=nan&most=inf",
        "text=%ff%fe",
        "text=%ED%A0%80",
        "=&=&=&" * 200,
    ],
)
def test_no_query_breaks_the_list(server, query):
    status, headers, text = ask(server, "/mami/squares/-/units.json?" + query)
    assert status in (200, 404)
    assert "Traceback" not in text
    assert headers["content-type"].split(";")[0] in ("application/json", "text/plain")


@pytest.mark.parametrize("unit", ["9" * 30, "9" * 5000, "-1", "1e3", "%D9%A1", "0x1"])
def test_no_number_breaks_a_units_address(server, unit):
    status, _, text = ask(server, f"/mami/squares/early/{unit}.json")
    assert (400 <= status < 500, "Traceback" in text) == (True, False)


def test_a_request_with_too_large_a_header_is_refused(server):
    status, _, _ = ask(server, "/mami/squares/early/0.json", X_Large="a" * 100_000)
    assert 400 <= status < 500


def test_an_oversized_upload_is_refused_before_it_is_read(server):
    _, headers, _ = ask(server, "/_stcore/host-config")
    cookie = next((text.split(";")[0] for name, text in headers.items() if name.lower() == "set-cookie"), "")
    token = cookie.partition("=")[2]
    with connect(server.address.replace("http", "ws", 1) + "/_stcore/stream", subprotocols=["streamlit"]):
        connection = http.client.HTTPConnection(urlsplit(server.address).netloc, timeout=60)
        connection.putrequest("PUT", "/_stcore/upload_file/a/b")
        for name, text in {"Cookie": cookie, "X-Xsrftoken": token, "Content-Length": str(10**12)}.items():
            connection.putheader(name, text)
        connection.endheaders()
        assert 400 <= connection.getresponse().status < 500

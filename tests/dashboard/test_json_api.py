"""The JSON API's page is true: every address in it answers, with exactly the fields that its tables name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from made_dissection import COLOURS
from starlette.testclient import TestClient

from dashboard.routes import PREFIX, serving

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "json-api.md"
NAMES = {"D": "squares", "LAYER": "late.conv", "UNIT": "2", "IMAGE": "3"}


def sections() -> dict[str, str]:
    """Return what stands below each address of the page."""
    parts = re.split(r"^## `(/mami/[^`]*)`$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def fields(text: str) -> set[str]:
    """Return the names in the first column of a section's table."""
    rows = re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


def address(template: str) -> str:
    for word, value in NAMES.items():
        template = re.sub(rf"\b{word}\b", value, template)
    return template.removeprefix(PREFIX)


@pytest.fixture
def client(squares) -> TestClient:
    assert squares.id == NAMES["D"]
    return TestClient(serving())


def test_every_route_that_answers_data_is_on_the_page() -> None:
    shapes = {re.sub(r"\{[^}]*\}", "*", route.path) for route in serving().routes}
    documented = {re.sub(r"\b(D|LAYER|UNIT|IMAGE)\b", "*", name).removeprefix(PREFIX) for name in sections()}
    pictures = {name.replace("jpg", "*").replace("webp", "*") for name in documented}
    assert shapes - {"/-/*/*.js"} == {name for name in documented if name.endswith("json")} | {
        name for name in pictures if not name.endswith("json")
    }


@pytest.mark.parametrize("template", [name for name in sections() if name.endswith(".json")])
def test_an_answer_has_the_documented_fields(template: str, client: TestClient) -> None:
    answer = client.get(address(template))
    assert answer.status_code == 200
    body = answer.json()
    found = [set(entry) for entry in (body if isinstance(body, list) else [body])]
    assert set().union(*found) == fields(sections()[template])


def test_nested_fields_are_those_the_page_names(client: TestClient) -> None:
    text = sections()["/mami/D/LAYER/UNIT.json"]
    body = client.get("/squares/late.conv/2.json").json()

    def named(row: str) -> set[str]:
        (line,) = re.findall(rf"^\| `{row}` \| (.*) \|$", text, re.MULTILINE)
        return set(re.findall(r"`([^`]+)`", line))

    assert set(body["statistics"]) == named("statistics")
    assert set(body["histogram"]) == named("histogram")
    assert set(body["exemplars"]["top"][0]) == named("exemplars") - {"top", "random", "bottom", "band-0"}
    assert set(body["maps"]["top"]) == named("maps")
    assert set(body["captions"][0]) == named("captions")
    assert set(body["references"][0]) == named("references")
    (head,) = re.findall(r"^\| head \| (.*) \|$", text, re.MULTILINE)
    assert set(body["captions"][0]["heads"][0]) == set(re.findall(r"`([^`]+)`", head))


@pytest.mark.parametrize("template", [name for name in sections() if not name.endswith(".json")])
def test_the_pictures_are_pictures(template: str, client: TestClient) -> None:
    answer = client.get(address(template))
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("image/")


def test_it_is_read_only(client: TestClient) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        for template in sections():
            assert client.request(method, address(template)).status_code == 405


def test_a_list_is_filtered_and_cut_as_the_page_says(client: TestClient) -> None:
    answer = client.get("/squares/-/units.json?layer=early&start=1&count=2").json()
    assert answer["total"] == len(COLOURS)
    assert [unit["unit"] for unit in answer["units"]] == [1, 2]
    (line,) = re.findall(r"^\| `units` \| (.*) \|$", sections()["/mami/D/-/units.json"], re.MULTILINE)
    assert set(answer["units"][0]) == set(re.findall(r"`([^`]+)`", line))

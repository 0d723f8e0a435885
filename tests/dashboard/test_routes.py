"""Our own addresses: what they answer, what they refuse, how long it may be kept."""

from __future__ import annotations

import io
import json
import shutil

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from dashboard import loaders
from dashboard.routes import serving
from mami_core.store import Dissection, DissectionWriter


@pytest.fixture
def client(squares) -> TestClient:
    assert squares.id == "squares"
    return TestClient(serving())


def test_a_unit_is_answered_as_json_that_may_be_kept_for_ever(client, squares):
    answer = client.get(f"/{squares.address}/late.conv/2.json")
    assert answer.status_code == 200
    assert "immutable" in answer.headers["cache-control"]
    assert answer.json()["unit"] == 2


def test_without_a_version_the_answer_is_asked_for_again(client):
    answer = client.get("/squares/late.conv/2.json")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")


@pytest.mark.parametrize(
    "address",
    [
        "nothing/early/0.json",
        "squares~00000000/early/0.json",
        "squares/early/99.json",
        "squares/nowhere/0.json",
        "squares/../../early/0.json",
        "squares/early/0.png",
        "squares/-/image/9999.webp",
        "-/000000000000/viewer.js",
        "-/000000000000/passwords.js",
    ],
)
def test_what_is_not_there_is_refused_in_words(client, address):
    answer = client.get(f"/{address}")
    assert answer.status_code == 404
    assert answer.text
    assert "Traceback" not in answer.text


def test_the_sprite_holds_the_stored_pictures_strongest_first(client, squares, made):
    sheet = Image.open(io.BytesIO(client.get(f"/{squares.address}/early/1.jpg").content))
    dissection = Dissection.open(made)
    assert sheet.size == (5 * 56, 3 * 56)
    for place, entry in enumerate(dissection.exemplars_of("early", 1)["top"]):
        x, y = 56 * (place % 5), 56 * (place // 5)
        tile = np.asarray(sheet.crop((x, y, x + 56, y + 56)), dtype=float)
        assert np.abs(tile - dissection.images.array(entry.image_id)).mean() < 6  # JPEG's own error


def test_a_filter_in_the_address_chooses_and_sorts_units(client):
    found = client.get("/squares/-/units.json", params={"text": "/^(red|blue) /", "sort": "maximum"}).json()
    assert found["total"] == 4
    assert found["figure"] == "maximum activation"
    maxima = [unit["figure"] for unit in found["units"]]
    assert maxima == sorted(maxima, reverse=True)


@pytest.mark.parametrize("parameters", [{"text": "/(/"}, {"sort": "luck"}, {"count": "100000"}, {"start": "-1"}])
def test_a_wrong_filter_is_refused_in_words(client, parameters):
    answer = client.get("/squares/-/units.json", params=parameters)
    assert (answer.status_code, "Traceback" in answer.text) == (404, False)


def test_the_record_holds_the_stored_maps_to_the_bit(client, made):
    import base64

    record = client.get("/squares/early/3.json").json()
    raw = np.frombuffer(base64.b64decode(record["maps"]["top"]["float16"]), dtype="<f2")
    assert (raw.reshape(record["maps"]["top"]["grid"]) == Dissection.open(made).maps("early")[3]).all()


def test_what_was_not_computed_is_null_never_a_number(client):
    body = client.get("/squares/early/4.json").text
    record = json.loads(body)
    assert "NaN" not in body
    assert record["statistics"]["skewness"] is None
    assert [caption["state"] for caption in record["captions"]] == ["dead_unit", "dead_unit"]
    assert record["captions"][0]["pmi"] is None


def test_the_histogram_counts_every_position_that_was_kept(client, made):
    histogram = client.get("/squares/late.conv/0.json").json()["histogram"]
    highest = float(Dissection.open(made).units.query("layer == 'late.conv' and unit == 0")["max"].iloc[0])
    assert (histogram["low"], histogram["high"]) == (0, pytest.approx(highest, rel=1e-3))
    assert sum(histogram["counts"]) == pytest.approx(30 * 49, abs=50)


def test_units_of_another_dissection_of_the_same_images_are_found(client, squares, made, tmp_path, monkeypatch):
    other = shutil.copytree(made, tmp_path / "other")
    monkeypatch.setenv(loaders.NAMED, f"{made}:{other}")
    found = similar(client)
    assert {entry["dissection"] for entry in found["peaks over all images", "other"]["units"]} == {"other"}
    first = found["caption, mami@made", "other"]["units"][0]
    assert (first["unit"], first["score"]) == (2, pytest.approx(1))
    for where, layers in (("this layer", {"early"}), ("other layers", {"late.conv"})):
        units = found["peaks over all images", where]["units"]
        assert {(entry["dissection"], entry["layer"]) for entry in units} == {(squares.id, name) for name in layers}


def similar(client) -> dict[tuple[str, str], dict]:
    """Return what the view offers beside early · 2, by measure and place."""
    answer = client.get("/squares/early/2/similar.json").json()
    return {(entry["measure"], entry["where"]): entry for entry in answer}


def test_a_dissection_without_region_features_says_so_in_words(client):
    entry = similar(client)["features", "this layer"]
    assert "No region features are kept here" in entry["why"]
    assert "units" not in entry


def test_units_of_like_features_are_offered_here_and_where_the_encoder_is_the_same(client, made, tmp_path, monkeypatch):
    vectors = np.random.default_rng(0).normal(size=(11, 4)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    copies = [shutil.copytree(made, tmp_path / name) for name in ("squares", "same", "else")]
    for folder, encoder in zip(copies, ("parts.01", "parts.01", "parts.99"), strict=True):
        DissectionWriter.open(folder).write_features(encoder, vectors)
    monkeypatch.setenv(loaders.NAMED, ":".join(map(str, copies)))
    keys = Dissection.open(made).unit_keys()
    cosine = vectors @ vectors[keys.index(("early", 2))]

    found = similar(client)

    for where in ("this layer", "other layers", "same"):
        for entry in found["features, parts", where]["units"]:
            assert entry["score"] == pytest.approx(cosine[keys.index((entry["layer"], entry["unit"]))], abs=1e-3)
    assert found["features, parts", "same"]["units"][0]["unit"] == 2
    assert "keeps no region features by the encoder" in found["features, parts", "else"]["why"]


def test_a_record_says_how_to_cite_it_and_what_was_not_stored(client):
    record = client.get("/squares/late.conv/2.json").json()
    assert record["citation"].startswith("@misc{mami-squares-late-conv-2")
    assert [caption["gate"] for caption in record["captions"]] == [[], []]
    assert record["captions"][1]["heads"][0]["without"] == []

"""Published captioners by name: downloaded once, pinned by their hash, run on a dissection from the command line."""

from __future__ import annotations

import json
import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch
from made_dissection import DEAD, K, make_dissection

from mami_core.captioning.captioner import Captioner
from mami_core.captioning.encoders import open_encoder
from mami_core.cli import main
from mami_core.pipeline.exchange.published import NAMES, fetch, open_published
from mami_core.store import Dissection, DissectionWriter


class Quiet(SimpleHTTPRequestHandler):
    """A server of files that counts what it is asked for; `promise` makes it claim more bytes than it sends."""

    asked: list[str]
    promise = 0

    def do_GET(self) -> None:
        self.asked.append(self.path)
        super().do_GET()

    def send_header(self, keyword: str, value: str) -> None:
        more = self.promise if keyword == "Content-Length" else 0
        super().send_header(keyword, str(int(value) + more) if more else value)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def published(golden_dir) -> Path:
    path = golden_dir / "decoder" / "alexnetfmt" / "decoder.pth"
    if not path.is_file():
        pytest.skip("this golden set has no alexnetfmt")
    return path


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("MAMI_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def server(tmp_path, monkeypatch, home):  # noqa: ARG001  # downloads go there
    """A stand-in for the server of MILAN; gives the folder it serves and its handler."""
    folder = tmp_path / "served"
    folder.mkdir()
    handler = type("Handler", (Quiet,), {"asked": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder))) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        monkeypatch.setenv("MAMI_MILAN_URL", f"http://127.0.0.1:{serving.server_port}/models/..")
        yield folder, handler
        serving.shutdown()


@pytest.fixture
def dissection(tmp_path) -> Path:
    folder = make_dissection(tmp_path / "made", captioned=False)
    units = Dissection.open(folder).units
    DissectionWriter.open(folder).write_units(units.assign(threshold=np.where(units["state"] == "alive", 0.5, np.nan)))
    return folder


def test_a_captioner_is_downloaded_once_and_its_hash_recorded(server, published, home):
    folder, handler = server
    shutil.copy(published, folder / "milan-base.pth")
    told: list[tuple[int, int]] = []

    path, digest = fetch("base", progress=lambda done, total: told.append((done, total)))
    again = fetch("base")

    assert path == home / "models" / "milan-base.pth"
    assert path.read_bytes() == published.read_bytes()
    assert again == (path, digest)
    assert len(handler.asked) == 1
    assert told[-1] == (path.stat().st_size,) * 2
    assert (home / "models" / "milan-base.pth.sha256").read_text().split()[0] == digest


def test_a_file_that_changed_after_its_first_use_is_refused(home, published):
    path = home / "models" / "milan-gen.pth"
    path.parent.mkdir(parents=True)
    shutil.copy(published, path)
    fetch("gen")
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(ValueError, match=r"milan-gen\.pth has changed since it was first used"):
        fetch("gen")


def test_a_download_of_another_file_than_before_is_not_kept(server, published):
    folder, _ = server
    shutil.copy(published, folder / "milan-cls.pth")
    path, _ = fetch("cls")
    path.unlink()
    (folder / "milan-cls.pth").write_bytes(b"something else")
    with pytest.raises(ValueError, match="is not the file that was first used"):
        fetch("cls")
    assert sorted(p.name for p in path.parent.iterdir()) == ["milan-cls.pth.sha256"]


def test_a_broken_connection_leaves_no_captioner_but_what_goes_on(server, published, home):
    folder, handler = server
    shutil.copy(published, folder / "milan-base.pth")
    handler.promise = 100
    with pytest.raises(FileNotFoundError, match="could not be downloaded"):
        fetch("base")
    assert {path.name for path in (home / "models").iterdir()} == {"milan-base.pth.part", "milan-base.pth.part.json"}


def test_without_a_network_the_message_says_where_to_put_the_file(home, monkeypatch, dissection, capsys):
    monkeypatch.setenv("MAMI_MILAN_URL", "http://127.0.0.1:9")  # nobody listens there
    assert main(["caption", str(dissection), "--captioner", "milan:base", "--json"]) == 2
    said = capsys.readouterr().err
    assert "could not be downloaded" in said
    assert f"put it at {home / 'models' / 'milan-base.pth'}" in said


@pytest.mark.usefixtures("server")
def test_a_server_without_the_file_and_an_unknown_name_are_told():
    with pytest.raises(FileNotFoundError, match="answered 404"):
        fetch("base")
    with pytest.raises(ValueError, match=r"no captioner 'bigan'; try milan:biggan"):
        fetch("bigan")
    assert len(NAMES) == 8


def test_a_dissection_is_captioned_by_a_published_captioner(home, published, dissection, capsys):
    (home / "models").mkdir(parents=True)
    shutil.copy(published, home / "models" / "milan-base.pth")

    assert main(["caption", str(dissection), "--captioner", "milan:base", "--units", "3-4", "--json"]) == 0

    told = json.loads(capsys.readouterr().out)
    assert told["files"]["milan:base"] == fetch("base")[1]
    made = Dissection.open(dissection)
    facts = made.manifest.captioners["milan:base"]
    assert facts["simulated"] is False
    assert facts["decoding"]["strategy"] == "pmi"
    key = ("early", 3)
    caption = made.caption("milan:base", *key)
    assert caption is not None
    assert caption.state == "ok"
    (head,) = made.attention("milan:base", *key)
    assert head.grid == (K, 1, 1)
    assert head.weights.sum(1) == pytest.approx(1, abs=0.02)
    assert made.caption("milan:base", *DEAD).state == "dead_unit"


def test_a_converted_captioner_says_the_same_and_brings_its_encoder(home, published, tmp_path, capsys):
    out = tmp_path / "converted"
    assert main(["convert", str(published), str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["encoder"]["config"] == "alexnet"

    (home / "models").mkdir(parents=True)
    shutil.copy(published, home / "models" / "milan-base.pth")
    original, encoder = open_published("milan:base")
    copy, copied = Captioner.load(out), open_encoder(out / "milan-pyramid")
    images = torch.rand(2, 3, 224, 224)
    assert torch.equal(encoder.pool(images), copied.pool(images))
    features = torch.randn(3, 5, encoder.feature_size).abs()
    assert [c.words for c in original.caption(features)] == [c.words for c in copy.caption(features)]
    assert not list(out.rglob("*.pth"))
    assert main(["convert", str(published), str(out)]) == 2


def test_a_captioner_with_a_foreign_encoder_is_converted_without_it(golden_dir, tmp_path, capsys):
    toy = golden_dir / "decoder" / "toy" / "decoder.pth"
    if not toy.is_file():
        pytest.skip("this golden set has no toy")
    assert main(["convert", str(toy), str(tmp_path / "toy")]) == 0
    assert "without its encoder" in capsys.readouterr().out
    assert Captioner.load(tmp_path / "toy").checkpoint.encoder["sha256"] is None

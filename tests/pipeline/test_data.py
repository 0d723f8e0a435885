"""Published data by name, from a host of our own: interrupted, resumed, changed, unsafe, offline; then used by name."""

from __future__ import annotations

import http.server
import io
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mami_core.pipeline.exchange.data import open_described
from mami_core.store import Dissection
from mami_core.store.download import download, unpack


class Host(http.server.BaseHTTPRequestHandler):
    """Serves `content`, from any byte on; `cut` is how many bytes of an answer it sends before it hangs up."""

    content = b""
    mark = '"one"'
    cut: int | None = None
    asked: list[str | None] = []  # noqa: RUF012  # set anew by the fixture

    def do_GET(self) -> None:
        start, wanted = 0, self.headers.get("Range")
        type(self).asked.append(wanted)
        if wanted and self.headers.get("If-Range") == self.mark:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
        if start and start >= len(self.content):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(self.content) - start))
        self.send_header("ETag", self.mark)
        self.end_headers()
        self.wfile.write(self.content[start:][: self.cut])

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Host]]:
    """Stand in for the download host."""
    serving = type("Serving", (Host,), {"asked": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), serving)
    monkeypatch.setenv("MAMI_MILAN_DATA_URL", f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield serving
    server.shutdown()
    server.server_close()


@pytest.fixture
def address(host: type[Host]) -> str:  # noqa: ARG001
    import os

    return os.environ["MAMI_MILAN_DATA_URL"] + "/set.zip"


def test_an_interrupted_download_goes_on_where_it_was(host: type[Host], address: str, tmp_path: Path) -> None:
    host.content, host.cut = bytes(range(256)) * 100, 10_000
    path, seen = tmp_path / "set.zip", []

    with pytest.raises(FileNotFoundError, match=r"broke after 10000 of 25600 bytes.*goes on where it was"):
        download(address, path)
    assert not path.exists()
    host.cut = None
    download(address, path, progress=lambda done, total: seen.append((done, total)))

    assert path.read_bytes() == host.content
    assert host.asked == [None, "bytes=10000-"]
    assert seen[-1] == (25600, 25600)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["set.zip", "set.zip.sha256"]


def test_a_file_that_changed_meanwhile_is_brought_anew(host: type[Host], address: str, tmp_path: Path) -> None:
    host.content, host.cut = b"a" * 1000, 400
    with pytest.raises(FileNotFoundError):
        download(address, tmp_path / "set.zip")
    host.content, host.cut, host.mark = b"b" * 900, None, '"two"'

    download(address, tmp_path / "set.zip")

    assert (tmp_path / "set.zip").read_bytes() == b"b" * 900


def test_a_part_longer_than_the_file_is_begun_again(host: type[Host], address: str, tmp_path: Path) -> None:
    host.content, host.cut = b"a" * 1000, 400
    with pytest.raises(FileNotFoundError):
        download(address, tmp_path / "set.zip")
    host.content, host.cut = b"a" * 300, None

    download(address, tmp_path / "set.zip")

    assert (tmp_path / "set.zip").read_bytes() == b"a" * 300


def test_another_file_than_at_first_use_is_not_kept(host: type[Host], address: str, tmp_path: Path) -> None:
    path = tmp_path / "set.zip"
    host.content = b"first"
    download(address, path)
    path.unlink()
    host.content = b"other"

    with pytest.raises(ValueError, match=r"not the file that was first used.*Delete set\.zip\.sha256"):
        download(address, path)
    assert [entry.name for entry in tmp_path.iterdir() if entry.suffix != ".sha256" and "json" not in entry.name] == []


def zipped(entries: dict[str, bytes], link: str | None = None) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in entries.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (0o120777 if name == link else 0o100644) << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


UNSAFE = [
    (zipped({"fine": b"", "../out": b"x"}), "'../out' leads out of the folder"),
    (zipped({"a/../../out": b"x"}), "leads out of the folder"),
    (zipped({"/out": b"x"}), "'/out' leads out of the folder"),
    (zipped({"C:/out": b"x"}), "leads out of the folder"),
    (zipped({"way": b"/etc"}, link="way"), "'way' is a link"),
    (b"PK not a zip", "is damaged"),
]


@pytest.mark.parametrize(("content", "says"), UNSAFE, ids=[says for _, says in UNSAFE])
def test_an_unsafe_archive_is_refused_before_anything_is_written(content: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / "set.zip").write_bytes(content)

    with pytest.raises(ValueError, match=r"set\.zip") as problem:
        unpack(tmp_path / "set.zip", tmp_path / "folder")

    assert says in str(problem.value)
    assert [entry.name for entry in tmp_path.iterdir()] == ["set.zip"]


@pytest.fixture
def published(golden_dir: Path) -> bytes:
    """A published set: the reference's toy set as an archive."""
    root = golden_dir / "milannotations"
    if not root.is_dir():
        pytest.skip(f"{golden_dir} holds no milannotations")
    files = sorted(path for path in root.glob("*/*/**/*") if path.is_file())
    return zipped({"/".join(path.relative_to(root).parts[2:]): path.read_bytes() for path in files})


def silent(_what: str, _done: int, _total: int) -> None:
    """Report to nobody."""


def test_a_group_is_downloaded_unpacked_and_opened_by_name(host: type[Host], published: bytes, own_home: Path) -> None:
    host.content = published

    opened = open_described("milannotations:places365", silent)

    names = [found.name for found in opened]
    assert names == [f"milannotations-{network}-places365" for network in ("alexnet", "resnet152", "biggan")]
    assert all(found.splits.keys() == {"train", "val", "test"} and len(found.references) for found in opened)
    assert len(host.asked) == 3
    again = open_described(Path("milannotations:alexnet/places365"), silent)
    assert (again[0].path, len(host.asked)) == (opened[0].path, 3)
    assert sorted(path.name for path in (own_home / "data" / "milannotations").glob("*.zip*")) == [
        f"{network}-places365.zip.sha256" for network in ("alexnet", "biggan", "resnet152")
    ]


def test_a_folder_on_disk_needs_no_network(published: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILAN_DATA_DIR", str(tmp_path / "sets"))
    monkeypatch.setenv("MAMI_MILAN_DATA_URL", "http://127.0.0.1:9")
    (tmp_path / "set.zip").write_bytes(published)
    (tmp_path / "sets" / "biggan").mkdir(parents=True)
    unpack(tmp_path / "set.zip", tmp_path / "sets" / "biggan" / "imagenet")

    assert open_described("milannotations:biggan/imagenet", silent)[0].manifest.network == "biggan"
    with pytest.raises(FileNotFoundError, match=r"could not be downloaded.*put it at .*biggan-places365\.zip"):
        open_described("milannotations:biggan", silent)


def test_a_plain_folder_is_a_dissection_of_its_own(host: type[Host], published: bytes) -> None:
    host.content = published
    opened = open_described("milannotations:biggan/places365", silent)[0]

    assert isinstance(open_described(opened.path, silent)[0], Dissection)

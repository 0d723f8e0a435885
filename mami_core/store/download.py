"""Bring a large file over HTTP: go on where it broke off, record its hash at first use, take no other afterwards."""

from __future__ import annotations

import contextlib
import http.client
import json
import shutil
import stat
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Final

from mami_core.store.atomic import replacing, sha256_of

Progress = Callable[[int, int], None]  # bytes done, bytes in all (0: not known)
_CHUNK: Final = 1 << 20
_TIMEOUT: Final = 30  # seconds without a byte


def download(address: str, path: Path, *, progress: Progress | None = None) -> str:
    """Bring `address` to `path` and return its SHA-256; what broke off earlier goes on where it was.

    FileNotFoundError says what to do where it cannot be had, ValueError where it is another file than at first use.
    """
    partial = path.with_name(f"{path.name}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    advice = f"the same command goes on where it was; or bring {address} by other means and put it at {path}"
    try:
        _bring(address, partial, progress or (lambda _done, _total: None))
    except urllib.error.HTTPError as problem:
        raise FileNotFoundError(f"{address} answered {problem.code} {problem.reason}; {advice}") from None
    except (OSError, http.client.HTTPException) as problem:  # no network, a broken connection
        raise FileNotFoundError(f"{address} could not be downloaded ({problem}); {advice}") from None
    digest = _checked(address, partial, path)
    partial.replace(path)
    return digest


def _checked(address: str, partial: Path, path: Path) -> str:
    """Return the hash of a whole download; ValueError where it is not the file that was first used."""
    _about(partial).unlink(missing_ok=True)
    digest, known = sha256_of(partial), recorded_hash(path)
    if known is None:
        record_hash(path, digest)
    elif known != digest:
        partial.unlink()
        raise ValueError(
            f"{address} is not the file that was first used: SHA-256 {digest}, recorded {known}; it was not kept. "
            f"Delete {_record(path).name} if you trust the new one"
        )
    return digest


def _bring(address: str, partial: Path, progress: Progress) -> None:
    done = partial.stat().st_size if partial.is_file() else 0
    request = urllib.request.Request(address)
    mark = _mark(partial) if done else None
    if mark is not None:  # the rest, if it is still the rest of the same file
        request.add_header("Range", f"bytes={done}-")
        request.add_header("If-Range", mark)
    try:
        answer = urllib.request.urlopen(request, timeout=_TIMEOUT)
    except urllib.error.HTTPError as problem:
        if problem.code != 416:
            raise
        partial.unlink()  # more is there than the host has: begin again
        _bring(address, partial, progress)
        return
    with contextlib.closing(answer):
        goes_on = answer.status == 206
        _remember(partial, answer.headers.get("ETag") or answer.headers.get("Last-Modified"))
        _receive(answer, partial, done if goes_on else 0, progress)


def _receive(answer: http.client.HTTPResponse, partial: Path, done: int, progress: Progress) -> None:
    length = int(answer.headers.get("Content-Length") or 0)
    total = done + length if length else 0
    with partial.open("ab" if done else "wb") as file:
        while chunk := answer.read(_CHUNK):
            file.write(chunk)
            done += len(chunk)
            progress(done, total)
    if done < total:
        raise ConnectionError(f"the connection broke after {done} of {total} bytes")


def _about(partial: Path) -> Path:
    return partial.with_name(f"{partial.name}.json")


def _mark(partial: Path) -> str | None:
    """Return by what the host knows the file that a part is of; None where it did not say, so nothing can go on."""
    if not _about(partial).is_file():
        return None
    return json.loads(_about(partial).read_text(encoding="utf-8"))["mark"]


def _remember(partial: Path, mark: str | None) -> None:
    with replacing(_about(partial)) as written:
        written.write_text(json.dumps({"mark": mark}), encoding="utf-8")


def _record(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def recorded_hash(path: Path) -> str | None:
    """Return the SHA-256 that was recorded when a file was first used; None before."""
    record = _record(path)
    return record.read_text(encoding="utf-8").split()[0] if record.is_file() else None


def record_hash(path: Path, digest: str) -> None:
    """Record what a file hashes to at its first use."""
    with replacing(_record(path)) as partial:
        partial.write_text(f"{digest}  {path.name}\n", encoding="utf-8")


def unpack(archive: Path, folder: Path, *, progress: Progress | None = None) -> None:
    """Unpack a zip into a new folder, whole or not at all.

    ValueError, before anything is written, where a name leads out of the folder, an entry is a link, or the archive
    is damaged.
    """
    told = progress or (lambda _done, _total: None)
    unpacked = folder.with_name(f"{folder.name}.unpacking")
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = opened.infolist()
            for entry in entries:
                _refuse_unsafe(archive, entry)
            shutil.rmtree(unpacked, ignore_errors=True)
            unpacked.mkdir(parents=True)
            total, done = sum(entry.file_size for entry in entries), 0
            for entry in entries:
                opened.extract(entry, unpacked)  # reads in pieces, checks the CRC
                done += entry.file_size
                told(done, total)
    except zipfile.BadZipFile as problem:
        shutil.rmtree(unpacked, ignore_errors=True)
        raise ValueError(f"{archive} is damaged ({problem}); delete it to download it again") from None
    unpacked.replace(folder)


def _refuse_unsafe(archive: Path, entry: zipfile.ZipInfo) -> None:
    name = entry.filename.replace("\\", "/")
    leads_out = name.startswith("/") or ".." in PurePosixPath(name).parts or ":" in name.partition("/")[0]
    is_link = stat.S_ISLNK(entry.external_attr >> 16)
    if leads_out or is_link:
        what = "is a link" if is_link else "leads out of the folder"
        raise ValueError(f"{archive}: {entry.filename!r} {what}; nothing was unpacked")

"""The application as Streamlit runs it without a browser, on dissections made for the test."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from made_dissection import make_dissection
from streamlit.testing.v1 import AppTest

from dashboard import loaders

APP = Path(loaders.__file__).with_name("app.py")


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty `MAMI_HOME`, no bundled demo, nothing named on the command line, nobody's labels."""
    monkeypatch.setenv("MAMI_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MAMI_DATABASE_URL", raising=False)
    monkeypatch.delenv(loaders.NAMED, raising=False)
    monkeypatch.setattr(importlib.import_module("mami_core.store.home"), "DEMO", tmp_path / "no demo")
    for store in (loaders.label_store, loaders.job_store):
        store.cache_clear()
    yield tmp_path / "home"
    for store in (loaders.label_store, loaders.job_store):
        store.cache_clear()


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dissection of eleven units; tests do not change it."""
    return make_dissection(tmp_path_factory.mktemp("dissections") / "squares")


@pytest.fixture
def squares(made: Path, monkeypatch: pytest.MonkeyPatch) -> loaders.Found:
    """The made dissection, as the only one the dashboard finds."""
    monkeypatch.setenv(loaders.NAMED, str(made))
    return loaders.found_dissections()["squares"]


@pytest.fixture
def opened_at() -> Callable[..., AppTest]:
    """Open a page of the application with parameters in its address."""

    def at(page: str, **parameters: str) -> AppTest:
        test = AppTest.from_file(str(APP), default_timeout=120)
        for name, value in parameters.items():
            test.query_params[name] = value
        if page != "overview":
            test.run().switch_page(f"views/{page}.py")
            for name, value in parameters.items():
                test.query_params[name] = value
        return test.run()

    return at

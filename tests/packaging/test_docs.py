"""The documentation's site: it builds without a warning, needs nothing from elsewhere, and leaves nothing out."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mami_core.cli import COMMANDS

ROOT = Path(__file__).parents[2]
DRAWN = re.compile(
    r"""<(?:script|img|iframe|source)[^>]*?src=["']([^"']+)|<link[^>]*?rel=["']([^"']+)["'][^>]*?href=["']([^"']+)"""
)


def public_modules() -> list[str]:
    """Return the modules that define a function or a class for others."""
    found = []
    for path in sorted((ROOT / "mami_core").rglob("*.py")):
        public = re.search(r"^(?:def|class) [A-Za-z]", path.read_text(encoding="utf-8"), re.MULTILINE)
        if public and path.stem not in ("__init__", "__main__") and "migrations" not in path.parts:
            found.append(".".join(path.relative_to(ROOT).with_suffix("").parts))
    return found


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as `make docs` builds it, elsewhere, beside a list of the modules that there were."""
    folder = tmp_path_factory.mktemp("docs") / "site"
    folder.with_name("modules.txt").write_text("\n".join(public_modules()), encoding="utf-8")
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder


@pytest.mark.slow
def test_no_page_loads_anything_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 20
    for page in pages:
        for source, relation, target in DRAWN.findall(page.read_text(encoding="utf-8")):
            if relation != "canonical":
                assert "//" not in (source or target), f"{page.name} loads {source or target}"


@pytest.mark.slow
def test_formulas_are_drawn_and_none_is_left_as_source(site: Path) -> None:
    methods = (site / "methods.html").read_text(encoding="utf-8")
    assert methods.count("<math") > 30
    shown = re.sub(r"<(code|annotation).*?</\1>", "", methods, flags=re.DOTALL)
    assert "\\frac" not in shown
    assert "$" not in re.sub(r"<script.*?</script>", "", shown, flags=re.DOTALL)


@pytest.mark.slow
def test_every_command_and_every_public_module_is_in_the_reference(site: Path) -> None:
    commands = (site / "reference" / "commands.html").read_text(encoding="utf-8")
    for name in COMMANDS:
        assert f"mami {name}</code>" in commands
    pages = "".join(path.read_text(encoding="utf-8") for path in (site / "reference").glob("*.html"))
    for module in site.with_name("modules.txt").read_text(encoding="utf-8").split():
        assert f'id="{module}' in pages, module


def test_the_rooms_of_the_architecture_are_all_on_the_reference_pages() -> None:
    told = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "reference").glob("*.md"))
    rooms = {path.name for path in (ROOT / "mami_core").iterdir() if (path / "__init__.py").is_file()}
    assert {room for room in rooms if f"::: mami_core.{room}" not in told} == set()


def test_the_tools_that_build_it_are_pinned() -> None:
    pinned = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8")
    for tool in ("mkdocs-material", "mkdocstrings-python", "latex2mathml"):
        assert f"{tool}==" in pinned
    assert shutil.which("mkdocs", path=str(Path(sys.executable).parent))

"""Browsing computes nothing, so it must not pay for torch: a second at the start and 270 MB in every server."""

from __future__ import annotations

import subprocess
import sys

BROWSE = """
import sys
from dashboard import kept_tables, loaders, probes, routes, similar, written

found = loaders.found_dissections()["squares"]
for answer in (loaders.unit_json, similar.similar_json, probes.doubts_json):
    answer(found, "late.conv", 2)
loaders.unit_sprite(found, "late.conv", 2, "jpg")
loaders.units_json(found, loaders.UnitFilter(text="blue", sort="meaning"), 0, 10)
kept = kept_tables.kept_table2()
if kept:
    kept_tables.behind(kept, kept_tables.Row.named(next(iter(kept.figures["rows"]))), "bleu", "worst", 0)
print(sorted({"torch", "torchvision"} & set(sys.modules)))
"""
GUARDED = """
import sys
import mami_core

assert "torch" not in sys.modules
import torchvision

print(torchvision.models.alexnet.__name__)
"""


def said(script: str) -> str:
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    return found.stdout.strip()


def test_a_server_that_shows_units_does_not_import_torch(squares):
    assert squares.path.is_dir()
    assert said(BROWSE) == "[]"


def test_torchvision_imports_although_nothing_imported_torch_before():
    assert said(GUARDED) == "alexnet"

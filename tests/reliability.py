"""`make faults` and `make soak`: run the long forms and write what they counted into docs/reliability.md."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
OUT = ROOT / "docs" / "reliability.md"
TITLE = "Reliability"
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "soak")]


def run_faults() -> int:
    """Inject every fault and send all bad input; write the counts."""
    from mami_core.pipeline.tables.sections import write_section

    with tempfile.TemporaryDirectory() as folder:
        tally = Path(folder) / "tally"
        command = [
            sys.executable,
            "-m",
            "pytest",
            "tests/faults",
            "tests/hostile",
            "-m",
            "slow or not slow",
            "-p",
            "no:xdist",
        ]
        status = subprocess.run(command, cwd=ROOT, env={**os.environ, "MAMI_TALLY": str(tally)}, check=False).returncode
        lines = [json.loads(line) for line in tally.read_text().splitlines()] if tally.is_file() else []
    verdict = "Every test passed." if status == 0 else "**Tests failed: only those that passed count.**"
    faults, cases = [x for x in lines if "fault" in x], [x for x in lines if "family" in x]
    write_section(OUT, "faults", "\n".join([*_fault_lines(faults, verdict), "", *_case_lines(cases)]), title=TITLE)
    return status


def _fault_lines(faults: Sequence[dict[str, Any]], verdict: str) -> list[str]:
    damage = Counter(x["fault"] for x in faults if x["operation"] == "inspect --verify")
    injected = [x for x in faults if x["operation"] != "inspect --verify"]
    rows = Counter((x["fault"], x["operation"], x["ended"]) for x in injected)
    return [
        "## Faults",
        "",
        f"Written by `make faults`: {len(injected)} faults injected. {verdict} After each, every file is the old one "
        "or the new one, and the next run of the same command ends where an undisturbed one does.",
        "",
        *_table(("fault", "while", "ended", "times"), ([*key, count] for key, count in sorted(rows.items()))),
        "",
        f"`killed`: by `kill -9`; `said`: with one sentence; `done`: it ended well all the same. "
        f"Damage: {sum(damage.values())} changed files ({', '.join(f'{k}: {n}' for k, n in damage.items())}), "
        "all found by `mami inspect --verify`, which named the file.",
    ]


def _case_lines(cases: Sequence[dict[str, Any]]) -> list[str]:
    total = sum(x["done"] + x["said"] for x in cases)
    rows: dict[str, dict[str, float]] = {}
    for x in cases:
        row = rows.setdefault(x["family"], {"done": 0, "said": 0, "seconds": 0.0, "megabytes": 0.0})
        row["done"], row["said"] = row["done"] + x["done"], row["said"] + x["said"]
        row["seconds"], row["megabytes"] = max(row["seconds"], x["seconds"]), max(row["megabytes"], x["megabytes"])
    cells = ([name, *(f"{value:g}" for value in row.values())] for name, row in rows.items())
    return [
        "## Bad input",
        "",
        f"Written by `make faults`: {total:,} generated cases, none of which ended in a traceback.",
        "",
        *_table(("what", "opened", "refused in a sentence", "CPU seconds at most", "MB more at most"), cells),
    ]


def run_soak(share: float) -> int:
    """Use the dashboard for long, and label at once; write the counts of each part as soon as it ends."""
    from soak import crowd, labelled, switched

    from mami_core.pipeline.benches.dashboard_parts.made import made_dissection
    from mami_core.pipeline.benches.dashboard_parts.server import errors_logged, serving

    size = "in full" if share == 1 else f"at {share:.0%} of its full size"
    errors: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        began = time.monotonic()
        labels = labelled(f"sqlite:///{folder / 'labels.sqlite'}", writers=5, labels=round(2000 * share))
        _write_part("soak-labels", "Labels at once", size, began, [
            f"{labels['labels']:,} labels by {labels['writers']} writers at once: {labels['lost']} lost, "
            f"{labels['history']:,} versions in the history."
        ])  # fmt: skip
        large = made_dissection(400, 112, folder / "made")
        with serving(ROOT / "dashboard" / "Home.py", [large], folder / "server") as server:
            began = time.monotonic()
            walked = switched(server, large, round(10_000 * share), round(1000 * share))
            errors += walked["errors"]
            _write_part("soak-switches", "Long use", size, began, [
                f"{walked['switches']:,} switches between the 400 units of a made dissection, one after the other: "
                f"{walked['slope_mb_per_1000']:+.2f} MB per 1,000 after the first tenth; {_handles(walked)}; "
                f"{len(walked['errors'])} errors."
            ])  # fmt: skip
            began = time.monotonic()
            many = crowd(server, large, clients=17, switches=max(2, round(120 * share)), every=5.0)
            logged = errors_logged(folder / "server")
            errors += [*many["errors"], *logged]
            _write_part("soak-crowd", "A crowd", size, began, [
                f"{many['clients']} clients for {5 * max(2, round(120 * share))} s: {many['switches']:,} switches; "
                f"{_handles(many)}; {len(many['errors'])} errors.",
                f"Errors in the server's log, of all that it did: {len(logged)}.",
            ])  # fmt: skip
    print("\n".join(errors))
    return 1 if errors or labels["lost"] or labels["failed"] else 0


def _write_part(section: str, title: str, size: str, began: float, facts: Sequence[str]) -> None:
    from mami_core.pipeline.tables.sections import write_section

    minutes = f"Written by `make soak`, {size}, in {(time.monotonic() - began) / 60:.1f} minutes."
    write_section(
        OUT, section, "\n".join([f"## {title}", "", minutes, "", *(f"- {fact}" for fact in facts)]), title=TITLE
    )
    print(*facts, sep="\n", flush=True)


def _handles(found: dict[str, Any]) -> str:
    return f"files open: {found['handles_before']} before, {found['handles_after']} after"


def _table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[str]:
    lines = [header, ["---"] * len(header), *rows]
    return [f"| {' | '.join(map(str, line))} |" for line in lines]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("what", choices=("faults", "soak"))
    parser.add_argument("--share", type=float, default=1.0, help="of the long use: 0.1 is a tenth")
    chosen = parser.parse_args()
    sys.exit(run_faults() if chosen.what == "faults" else run_soak(chosen.share))

"""`mami reproduce published`: every caption file of a folder, held against whatever the folder has for it.

A file `METHOD_on_NETWORK.csv` is held against `milannotations_NETWORK.csv` where that is there; files that bring scores
of their own, a simulation's or people's, are summarised with intervals, and methods that scored the same units of a
network are compared in pairs. What a caption says, how long and how varied, is counted for all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, Final

import numpy as np

from mami_core.config import PublishedConfig
from mami_core.evaluation.intervals import bootstrap_mean, paired_difference
from mami_core.evaluation.report import evaluate_captions, variety
from mami_core.interop.captions_csv import CaptionFile, read_captions
from mami_core.pipeline.progress import print_result, progress
from mami_core.pipeline.tables.published_table import as_markdown
from mami_core.pipeline.tables.sections import write_section
from mami_core.store import UnitKey

REFERENCES: Final = "milannotations_"
_SIMULATED: Final = "simscore_"
_ON: Final = "_on_"
# measures that mean the same whatever the method; similarities and IoUs are each method's own
COMPARABLE: Final = ("correlation of simulated and real activation", "mean of two people's ratings, 1 to 5")


@dataclass(frozen=True, eq=False)
class Published:
    """One column of captions of one file."""

    file: str
    method: str
    network: str
    captions: Mapping[UnitKey, str]
    scores: Mapping[UnitKey, float]
    score_name: str | None


def run_published(config: PublishedConfig) -> None:
    """Evaluate every caption file of a folder, print the figures and write them into the results file."""
    with progress(quiet=config.json) as report:
        table = published_table(config.data, seed=config.seed, meteor=config.meteor, report=report)
    text = as_markdown(table, command="mami reproduce published --data FOLDER")
    if config.out is not None:
        write_section(config.out, "published", text, title="Results")
    print_result(table, as_json=config.json, text=text)


def published_table(folder: Path, *, seed: int, meteor: bool, report: Any) -> dict[str, Any]:
    """Return the figures of every caption file in `folder`, ready for JSON.

    FileNotFoundError where it holds none.
    """
    paths = sorted(path for path in folder.glob("*.csv") if _ON in path.stem or "ratings" in path.stem)
    if not paths:
        raise FileNotFoundError(f"{folder} holds no caption files; they are named METHOD_on_NETWORK.csv")
    found = [one for path in paths for one in read_published(path)]
    references = {path.stem.removeprefix(REFERENCES): read_captions(path).references()
                  for path in folder.glob(f"{REFERENCES}*.csv")}  # fmt: skip
    held: dict[str, Any] = {}
    for done, one in enumerate(found):
        report("caption files", done, len(found))
        if one.network in references and not one.scores:
            held[one.file] = evaluate_captions(
                one.captions, references[one.network], coco=True, meteor=meteor, seed=seed
            )
    report("caption files", len(found), len(found))
    return {
        "files": {f"{one.file}:{one.method}": _counted(one, seed) for one in found},
        "against_references": held,
        "pairs": pairs_of(found, seed),
        "scores_of_captions": same_captions(found),
    }


def read_published(path: Path) -> list[Published]:
    """Return the columns of captions of one file, each with its scores."""
    read = read_captions(path)
    if _ON in path.stem:
        method, _, network = path.stem.partition(_ON)
    else:
        method, network = "rated", path.stem.split("ratings_")[-1]
    return [_column(read, path.name, source, method, network) for source in read.sources]


def _column(read: CaptionFile, file: str, source: str, method: str, network: str) -> Published:
    rows = [row for row in read.rows if row.source == source]
    scores = {(row.layer, row.unit): row.score for row in rows if row.score is not None}
    named = method if len(read.sources) == 1 else source.removesuffix("_label")
    return Published(file, named, network, read.by_unit(source), scores, read.score_name)


def _counted(one: Published, seed: int) -> dict[str, Any]:
    """Return how one file's captions look, and the mean of its own scores."""
    entry: dict[str, Any] = {
        "method": one.method,
        "network": one.network,
        "units": len(one.captions),
        "text": variety(list(one.captions.values())),
    }
    if one.scores:
        mean = bootstrap_mean(list(one.scores.values()), seed)
        entry["score"] = {"name": one.score_name, "mean": mean.mean, "interval": [mean.low, mean.high],
                          "units": mean.count}  # fmt: skip
    return entry


def pairs_of(found: Sequence[Published], seed: int) -> list[dict[str, Any]]:
    """Return every two methods that were scored by the same measure on the same network, on the units both have."""
    scored = [one for one in found if one.score_name in COMPARABLE]
    pairs = []
    for first, second in combinations(scored, 2):
        shared = sorted(first.scores.keys() & second.scores.keys())
        if first.network != second.network or first.score_name != second.score_name or not shared:
            continue
        compared = paired_difference(
            [first.scores[key] for key in shared], [second.scores[key] for key in shared], seed
        )
        pairs.append({
            "network": first.network, "first": first.method, "second": second.method, "units": len(shared),
            "measure": first.score_name, "difference": compared.interval.mean,
            "interval": [compared.interval.low, compared.interval.high], "p": compared.p,
        })  # fmt: skip
    return pairs


def same_captions(found: Sequence[Published]) -> list[dict[str, Any]]:
    """Return, for caption files without scores, those of a scored file of the same network that say the same.

    A score of `simscore_METHOD` is one of METHOD's captions only where the words are the same.
    """
    entries = []
    for scored in (one for one in found if one.file.startswith(_SIMULATED)):
        stem = scored.method.removeprefix(_SIMULATED)
        for plain in (one for one in found if one.network == scored.network and one.method.startswith(stem)):
            shared = sorted(scored.scores.keys() & plain.captions.keys())
            same = [key for key in shared if plain.captions[key].lower() == scored.captions[key].lower()]
            if same:
                mean = float(np.mean([scored.scores[key] for key in same]))
                entries.append({"file": plain.file, "scored_by": scored.file, "shared": len(shared),
                                "same": len(same), "mean": mean})  # fmt: skip
    return entries

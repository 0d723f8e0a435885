"""`mami reproduce table2`: every captioner of the table, trained on each source and on all, and ours beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import torch

from mami_core.captioning.consensus_captioner import BRIEF, FULL
from mami_core.captioning.encoders import AnyEncoder
from mami_core.config import Table2Config, settings_sha256
from mami_core.pipeline.captions.caption import encoder_at
from mami_core.pipeline.progress import Report, print_result, progress
from mami_core.pipeline.tables.sections import data_option, write_section
from mami_core.pipeline.tables.table2.figures import table_of
from mami_core.pipeline.tables.table2.gathered import gather_said
from mami_core.pipeline.tables.table2.keeping import WEIGHTS, keep, keep_weights
from mami_core.pipeline.tables.table2.markdown import as_markdown
from mami_core.pipeline.tables.table2.names import CONSENSUS
from mami_core.pipeline.tables.table2.published_units import PublishedUnits, find_described
from mami_core.pipeline.tables.table2.said import Said
from mami_core.pipeline.tables.table2.trainings import (
    EPOCHS,
    NAMING,
    PAPERS,
    PENALTIES,
    RunFolders,
    Training,
    epochs_of,
    planned,
    run_training,
)
from mami_core.pipeline.tables.table2.units import TableUnits, WorldUnits
from mami_core.pipeline.worlds.world import find_world
from mami_core.store import cache_folder
from mami_core.training.consensus import ConsensusRecipe

CAPTIONERS: Final = ("milan", "luong", "self", "mami", CONSENSUS, *PENALTIES)
MEASURED_ON: Final = 2600  # training units
# CPU seconds of a training with its decoding on so many, one thread; people's descriptions are as short as `short`
COST: Final[Mapping[str, Mapping[str, float]]] = {
    "short": {"milan": 50, "luong": 50, "self": 50, "mami": 60, CONSENSUS: 75},
    "long": {"milan": 130, "luong": 130, "self": 130, "mami": 160, CONSENSUS: 220},
}


def run_table2(config: Table2Config) -> None:
    """Train what is not trained yet, write captions and figures, print the table."""
    if config.captions is not None:
        said, kind = Said.load(config.captions), "captions that were kept"
    else:
        said, kind = _made(config)
    table = table_of(said, config.bertscore_backbone)
    text = as_markdown(table, said, command=_command(config), world=kind)
    if config.keep is not None:
        keep(config.keep, table, said)
    if config.out is not None:
        write_section(config.out, "table2", text, title="Results")
    print_result(table, as_json=config.json, text=text)


def _made(config: Table2Config) -> tuple[Said, str]:
    """Return what every training says of the test units, and of which world; what is at hand is not made again."""
    torch.set_num_threads(config.threads)
    encoder = encoder_at(config.encoder)
    with progress(quiet=config.json) as report:
        world = open_units(config.data, encoder, report)
        folders = run_folders(world, encoder)
        trainings = [
            one for one in planned(world.source_names, config.seeds, list(world.texts)) if _wanted(one, config)
        ]
        missing = [training for training in trainings if not folders.kept(training).is_file()]
        if config.finished:
            trainings = [training for training in trainings if training not in missing]
        elif missing and not config.json:
            minutes = expected_minutes(missing, world)
            print(f"{len(missing)} of {len(trainings)} trainings to do: about {minutes:.0f} CPU-minutes")
        if not trainings:
            raise ValueError(
                f"no training to show: none is finished, or --captioners names none of {', '.join(CAPTIONERS)}"
            )
        runs = _all_runs(trainings, world, folders, report)
        report("table 2: floors", 0, 1)
        said = gather_said(world, runs)
        report("table 2: floors", 1, 1)
        if config.keep is not None:
            keep_weights(config.keep / WEIGHTS, world, folders)
    return said, world.title


def open_units(data: Path, encoder: AnyEncoder, report: Report) -> TableUnits:
    """Return the units of a painted world, or those of dissections that people described: see `find_described`."""
    described = find_described(data, report)
    if described:
        return PublishedUnits.read(described, encoder, report)
    return WorldUnits.read(find_world(data, report), encoder, report)


def _all_runs(
    trainings: Sequence[Training], world: TableUnits, folders: RunFolders, report: Report
) -> dict[Training, Mapping[str, Any]]:
    runs: dict[Training, Mapping[str, Any]] = {}
    for done, training in enumerate(trainings):
        report("table 2: trainings", done, len(trainings))
        runs[training] = run_training(training, world, folders, report)
    report("table 2: trainings", len(trainings), len(trainings))
    return runs


def _wanted(training: Training, config: Table2Config) -> bool:
    return not config.captioners or training.captioner in config.captioners


def run_folders(world: TableUnits, encoder: AnyEncoder) -> RunFolders:
    """Return where trainings are kept: another world, encoder or recipe has other folders."""
    facts = {**world.facts, "encoder": encoder.sha256, "epochs": EPOCHS, "one source": "as many steps"}
    facts["decodings"] = {name: decoding.to_json() for name, decoding in PAPERS.items()}
    shared = cache_folder() / "table2" / settings_sha256(facts)[:16]
    recipe = settings_sha256({"consensus": repr((ConsensusRecipe(), FULL, BRIEF, NAMING))})
    return RunFolders(shared, shared / f"consensus-{recipe[:8]}")


def expected_minutes(trainings: Sequence[Training], world: TableUnits) -> float:
    """Return about how many CPU-minutes some trainings take."""
    units = {source: len(world.rows(source, "train")) for source in {one.source for one in trainings}}
    seconds = sum(
        COST.get(one.references, COST["short"])[one.kind]
        * (units[one.source] / MEASURED_ON)
        * (epochs_of(one, world) / EPOCHS)
        for one in trainings
    )
    return seconds / 60


def _command(config: Table2Config) -> str:
    if config.captions is not None:
        return f"mami reproduce table2 --captions {config.captions.as_posix()}"
    return f"mami reproduce table2{data_option(config.data)} --seeds {config.seeds}"

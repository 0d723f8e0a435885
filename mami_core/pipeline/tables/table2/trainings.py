"""One training of one captioner: what it says of the test units, kept so that it is made only once.

All captioners learn from the same units, the described units of the training split. The extra units that `mami world`
makes (sums of two channels) are used by none.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from mami_core.captioning.consensus_captioner import BRIEF, Consensus
from mami_core.captioning.consensus_files import DESCRIPTION, KeptConsensus, load_consensus, save_consensus
from mami_core.captioning.decoder import Decoder
from mami_core.captioning.decoding import Decoding
from mami_core.captioning.ensemble import Ensemble
from mami_core.captioning.language_model import LanguageModel
from mami_core.evaluation.report import bleu_interval
from mami_core.evaluation.text import bleu_from_statistics, bleu_statistics
from mami_core.pipeline.progress import Report
from mami_core.pipeline.tables.table2.names import COMPOUND, CONSENSUS, PARTS, TOLD
from mami_core.pipeline.tables.table2.units import PLANTED, SETS, TableUnits, TrainingUnits
from mami_core.store.atomic import locked, replacing
from mami_core.training.captioner import CaptionerRecipe, PaddedRecipe, train_captioner
from mami_core.training.consensus import (
    ConsensusRecipe,
    as_words,
    learnt_words,
    pooled_regions,
    train_consensus,
    with_slope,
)
from mami_core.training.language_model import train_language_model
from mami_core.training.loop import LoopHistory, LoopSettings, last_state
from mami_core.training.selection import decoded_captions
from mami_core.training.words import LearntWords

EPOCHS: Final = 6  # over the units of all sources; captioners of one source take as many steps, so more epochs
# MILAN with the doubly stochastic penalty over a caption's words, and over its padding too, as in MILAN's code
PENALTIES: Final[Mapping[str, type[CaptionerRecipe]]] = {"milan+penalty": CaptionerRecipe, "milan+padded": PaddedRecipe}
ACROSS_SEEDS: Final = 2  # at most, of trainings with a source held out: three times as many, and larger, as a source's
CHOSEN_ON: Final = 150  # at most so many validation units, evenly drawn, choose weights and decoding
NORMALISED: Final = 0.9  # a beam ranked by plain sums says two words
PAPERS: Final[Mapping[str, Decoding]] = {
    "greedy": Decoding("greedy"),
    "beam": Decoding("beam"),
    "beam, by length": Decoding("beam", length_power=NORMALISED),
    "pmi 0.2": Decoding("pmi", pmi_weight=0.2),
    "pmi 0.2, by length": Decoding("pmi", pmi_weight=0.2, length_power=NORMALISED),
    "pmi 1, by length": Decoding("pmi", pmi_weight=1.0, length_power=NORMALISED),
}
CUT: Final = Decoding("beam", length_power=NORMALISED, length=15)  # as MILAN's decoding is
# of planted neurons the rule is asked for, not agreement
NAMING: Final = replace(BRIEF, neighbours=10, trust=0.3, word_weight=2.5, word_cost=0.04, first=0.0)
# with ours as well: how much of our captioner's gain is decoding alone
AGREEING: Final = Decoding("consensus", samples=24)


@dataclass(frozen=True)
class RunFolders:
    """Where trainings are kept: ours apart, so that a change of ours leaves the paper's captioners trained."""

    shared: Path  # the paper's captioners and the language models
    ours: Path

    def kept(self, training: Training) -> Path:
        """Return the file of what a training said."""
        return self.run(training).with_suffix(".json")

    def run(self, training: Training) -> Path:
        """Return the folder of a training's state."""
        return (self.ours if training.captioner == CONSENSUS else self.shared) / training.name


@dataclass(frozen=True)
class Training:
    """Which captioner, trained on the units of which source and set of references, from which seed."""

    captioner: str
    source: str
    references: str
    seed: int

    @property
    def kind(self) -> str:
        """Return the captioner's own name, without what its training adds."""
        return self.captioner.partition("+")[0]

    @property
    def name(self) -> str:
        """Return a file's name."""
        return f"{self.references}-{self.source}-{self.captioner}-{self.seed}"


def run_training(training: Training, world: TableUnits, folders: RunFolders, report: Report) -> dict[str, Any]:
    """Return what a training says of its test units, made now or in an earlier run."""
    kept = folders.kept(training)
    if kept.is_file():
        found: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
        return found
    units = with_few(TrainingUnits.of(world, training.source, training.references))
    started = time.process_time()
    if training.captioner == CONSENSUS:
        result = _consensus(training, world, units, folders, report)
    else:
        result = _attention(training, units, folders, report, epochs_of(training, world))
    result["cpu_seconds"] = round(time.process_time() - started, 1)
    with replacing(kept) as partial:
        partial.write_text(json.dumps(result), encoding="utf-8")
    return result


def with_few(units: TrainingUnits) -> TrainingUnits:
    """Return the units with as many validation units as weights and decoding are chosen on."""
    every = units.splits["val"]
    few = every.take(range(0, len(every), math.ceil(len(every) / CHOSEN_ON)))
    return replace(units, splits={**units.splits, "val": few})


def epochs_of(training: Training, world: TableUnits) -> int:
    """Return how often a training sees each unit: the few of one source so often that the steps are as many."""
    if training.source not in world.source_names:
        return EPOCHS
    return round(EPOCHS * len(world.rows(COMPOUND, "train")) / len(world.rows(training.source, "train")))


def recipe_of(training: Training, epochs: int = EPOCHS) -> CaptionerRecipe:
    """Return how every captioner of the paper's is trained, and MILAN with the penalty in either form."""
    loop = LoopSettings(epochs=epochs, patience=epochs, seed=training.seed)
    recipe = CaptionerRecipe(regions=32, select="bleu", loop=loop)
    if training.captioner not in PENALTIES:
        return recipe
    penalised = PENALTIES[training.captioner](**vars(recipe))
    return replace(penalised, penalty=1.0, batches="unit")  # batches of like length have hardly any padding


def _attention(
    training: Training, units: TrainingUnits, folders: RunFolders, report: Report, epochs: int
) -> dict[str, Any]:
    """Train a captioner of the paper's; say the test units by its best weights and by its last."""
    decoder, history = trained_decoder(training, units, folders, report, epochs)
    model = language_model_of(units, folders.shared)
    result: dict[str, Any] = {"epochs": history.epochs, "best_epoch": history.best_epoch, "length": units.length}
    result["best"] = _decoded(decoder, model, units)
    if training.source == COMPOUND:
        if training.captioner == "milan" and training.seed == 0:
            result["decodings"] = _each_decoding(decoder, model, units)
        _load_last(decoder, folders.run(training))
        result["last"] = {"captions": _say(decoder, model, units, PAPERS[result["best"]["decoding"]])}
    return result


def trained_decoder(
    training: Training, units: TrainingUnits, folders: RunFolders, report: Report, epochs: int = EPOCHS
) -> tuple[Decoder, LoopHistory]:
    """Return a captioner of the paper's with its best weights, trained now or in an earlier run."""
    return train_captioner(
        training.kind,
        units.splits["train"],
        units.splits["val"],
        units.vocabulary,
        length=units.length,
        recipe=recipe_of(training, epochs),
        folder=folders.run(training),
        progress=lambda done, total, _: report(training.name, done, total),
    )


def language_model_of(units: TrainingUnits, folder: Path) -> LanguageModel:
    """Return the language model of these units' references: all captioners of the same units share it."""
    shared = folder / f"{units.references}-{units.source}-language-model"
    shared.mkdir(parents=True, exist_ok=True)
    with locked(shared):  # another process may be training captioners of the same units
        model, _ = train_language_model(
            units.splits["train"], units.splits["val"], units.vocabulary, length=units.length, folder=shared
        )
    return model


def _load_last(decoder: Decoder, run: Path) -> None:
    """Give a decoder the weights of the last epoch, as MILAN's own training returns them."""
    held = {key: value for key, value in last_state(run).items() if key.startswith("decoder.")}
    decoder.load_state_dict({key.removeprefix("decoder."): value for key, value in held.items()})


def _decoded(decoder: Decoder, model: LanguageModel, units: TrainingUnits) -> dict[str, Any]:
    """Choose the decoding on validation units and say the test units by it.

    By the lower end of BLEU's 95 % interval: captions of two words hold so few 4-grams that BLEU itself is a lottery,
    in which plain beam search now and then draws first.
    """
    figures = {name: _on_validation(decoder, model, units, decoding) for name, decoding in PAPERS.items()}
    best = max(figures, key=lambda name: figures[name]["low"])
    return {"decoding": best, "validation": figures, "captions": _say(decoder, model, units, PAPERS[best])}


def _on_validation(
    decoder: Decoder, model: LanguageModel, units: TrainingUnits, decoding: Decoding
) -> dict[str, float]:
    validation = units.splits["val"]
    said = decoded_captions(decoder, units.vocabulary, validation, decoding, language_model=model)
    statistics = bleu_statistics(said, validation.texts)
    low, high = bleu_interval(statistics, "milan", seed=0, draws=300)
    score = bleu_from_statistics(statistics.sum(axis=0)).score
    return {"bleu": round(score, 2), "low": round(low, 2), "high": round(high, 2)}


def _say(decoder: Decoder, model: LanguageModel, units: TrainingUnits, decoding: Decoding) -> list[str]:
    return decoded_captions(decoder, units.vocabulary, units.splits["test"], decoding, language_model=model)


def _each_decoding(decoder: Decoder, model: LanguageModel, units: TrainingUnits) -> dict[str, list[str]]:
    """Say the test units by every setting: what the decoding alone changes."""
    settings = {**PAPERS, "beam, by length, 15 words": CUT, "word agreement among samples": AGREEING}
    return {name: _say(decoder, model, units, decoding) for name, decoding in settings.items()}


def _consensus(
    training: Training, world: TableUnits, units: TrainingUnits, folders: RunFolders, report: Report
) -> dict[str, Any]:
    """Train our captioner; say the test units with and without each of its parts."""
    made, words = trained_consensus(training, world, units, folders, report)
    expected = {split: made.words.reader.shares(pooled_regions(units.splits[split])) for split in ("val", "test")}
    parts: dict[str, list[str]] = {}
    if training.seed == 0 and training.source == COMPOUND:
        parts = _parts(made, words, units, expected, language_model_of(units, folders.shared))
    return {
        "words": {"known": len(words.vectors.reader.words), "ridge": words.ridge, "explained": words.explained},
        "length": units.length,
        "best": {"decoding": "consensus", "settings": made.described(), "captions": made.captions(expected["test"])},
        "parts": parts,
    }


def trained_consensus(
    training: Training, world: TableUnits, units: TrainingUnits, folders: RunFolders, report: Report
) -> tuple[Consensus, LearntWords]:
    """Return our captioner and the words it was told, trained now or in an earlier run.

    What speaks is what is kept, in half precision: who has the files can have every caption said again.
    """
    words = learnt_words(world.described(training.source, "train", "+".join(world.texts)), seed=training.seed)
    run = folders.run(training)
    if not (run / DESCRIPTION).is_file():
        made = train_consensus(
            units.splits["train"],
            units.splits["val"],
            units.vocabulary,
            words=words,
            length=units.length,
            recipe=ConsensusRecipe(settings=NAMING if training.source == PLANTED else None, seed=training.seed),
            folder=run,
            progress=lambda done, total, _: report(training.name, done, total),
        )
        save_consensus(run, KeptConsensus(made, world.encoder, {"training": training.name}))
    return load_consensus(run).made, words


ALONE: Final = "agreement"


def _parts(
    made: Consensus,
    words: LearntWords,
    units: TrainingUnits,
    expected: Mapping[str, np.ndarray],
    model: LanguageModel,
) -> dict[str, list[str]]:
    """Say the test units with one part of the captioner after the other."""
    told = {split: as_words(units.splits[split], words, expected[split]) for split in ("val", "test")}
    said = {TOLD: _decoded(made.ensemble.decoders[0], model, replace(units, splits=told))["captions"]}
    alone = replace(made, ensemble=Ensemble(made.ensemble.decoders[:1]))
    spoken = {one: {split: list(one.speak(shares)) for split, shares in expected.items()} for one in (alone, made)}
    for name, changes in PARTS.items():
        speaker = alone if name == ALONE else made
        own = with_slope(speaker.with_settings(**changes), expected["val"], spoken[speaker]["val"])
        said[name] = own.captions(expected["test"], spoken[speaker]["test"])
    return said


def nearest_references(units: TrainingUnits) -> list[str]:
    """Return for each test unit the first reference of the training unit whose mean region is most like its own."""
    from mami_core.evaluation.floors import nearest_captions

    train, test = units.splits["train"], units.splits["test"]
    return nearest_captions(pooled_regions(test), pooled_regions(train), train.texts)


def planned(sources: Sequence[str], seeds: int, sets: Sequence[str] = SETS) -> list[Training]:
    """Return all trainings of the table, those that most depends on first.

    The paper's rows are of the first set of references; whether it holds on a new network is asked of the last.
    """
    both, each = sets[::-1], range(seeds)
    papers, last = sets[0], sets[-1]
    ours = [Training(name, COMPOUND, set_, seed) for seed in each for set_ in both for name in (CONSENSUS, "milan")]
    mami = [Training("mami", COMPOUND, set_, seed) for seed in each for set_ in both]
    others = [Training(name, COMPOUND, papers, seed) for seed in each for name in ("luong", "self")]
    across = [
        Training(name, f"without-{source}", last, seed)
        for seed in each[:ACROSS_SEEDS]
        for source in sources
        if len(sources) > 1
        for name in (CONSENSUS, "milan")
    ]
    own = [
        Training(name, source, papers, seed)
        for seed in each
        for source in sources
        for name in ("milan", "luong", "self", "mami")
    ]
    penalties = [Training(name, COMPOUND, papers, 0) for name in PENALTIES]
    first = [one for one in (*ours, *mami, *others) if one.seed == 0]
    return list(dict.fromkeys([*first, *ours, *mami, *others, *across, *own, *penalties]))

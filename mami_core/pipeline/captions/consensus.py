"""`mami caption D --captioner FOLDER` where the folder holds captioner `consensus`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from mami_core.captioning.consensus_captioner import Candidates, Consensus
from mami_core.captioning.consensus_files import DESCRIPTION, KeptConsensus, load_consensus
from mami_core.captioning.encoder import CONFIG
from mami_core.captioning.encoders import AnyEncoder, open_encoder
from mami_core.pipeline.captions.speaking import take_down, with_settings_sha256
from mami_core.pipeline.progress import Report
from mami_core.pipeline.worlds.regions import regions_to_caption
from mami_core.records import Caption, join_words
from mami_core.store import Dissection, UnitKey, find_model

NAME: Final = "consensus"
_ALTERNATIVES: Final = 5


def is_consensus(name: str) -> bool:
    """Tell whether a captioner's folder or name is one of captioner `consensus`."""
    try:
        return (find_model(name, DESCRIPTION) / DESCRIPTION).is_file()
    except FileNotFoundError:
        return False


def open_consensus(name: str) -> tuple[KeptConsensus, AnyEncoder]:
    """Return captioner `consensus` by folder or name, with the encoder it was trained on.

    ValueError when that encoder has changed since.
    """
    folder = find_model(name, DESCRIPTION)
    kept = load_consensus(folder)
    encoder = open_encoder(find_model(str(kept.encoder["name"]), CONFIG, beside=folder.resolve().parent))
    if encoder.sha256 != kept.encoder["sha256"]:
        raise ValueError(f"captioner {folder} was trained on another encoder {kept.encoder['name']!r}; train it again")
    return kept, encoder


def provenance_of(kept: KeptConsensus) -> Mapping[str, Any]:
    """Return what is written beside its captions."""
    facts = {"captioner": NAME, "decoding": {"strategy": NAME, **kept.made.described()}}
    return {**facts, "encoder": dict(kept.encoder), **kept.provenance}


def caption_by_consensus(
    dissection: Dissection,
    name: str,
    kept: KeptConsensus,
    encoder: AnyEncoder,
    keys: Sequence[UnitKey],
    *,
    batch_size: int,
    report: Report,
) -> dict[UnitKey, Caption]:
    """Caption units and write the result; what the same captioner said of other units in the same way is kept."""
    features = regions_to_caption(dissection, encoder, keys, name, report)
    pooled = features.pooled()

    def speak(batch: Sequence[UnitKey]) -> list[Caption]:
        shares = kept.made.words.reader.shares(pooled[features.rows_of(batch)])
        return [_caption(name, kept.made, unit) for unit in kept.made.candidates(shares)]

    facts = with_settings_sha256(provenance_of(kept))
    return take_down(dissection, name, facts, keys, speak, batch_size=batch_size, report=report)


def _caption(name: str, made: Consensus, unit: Candidates) -> Caption:
    """Return the best candidate of a unit, with the next ones and by how much they are expected to be worse."""
    weight = made.settings.word_weight
    scores = made.slope.scores(unit.statistics) + weight * unit.worth
    order = unit.best(made.slope, weight)[:_ALTERNATIVES]
    said = tuple((join_words(unit.captions[place]), float(scores[place])) for place in order)
    unknown = float("nan")  # it chooses by expected agreement; no one model's probability is behind it
    return Caption(name, unit.captions[order[0]], unknown, unknown, alternatives=said)

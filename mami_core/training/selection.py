"""Choose how a captioner is decoded: by BLEU on validation units, every setting run as a user would run it.

Plain beam search and PMI collapse to two-word captions when references differ in length, whatever the model; which
setting is best depends on the references. So it is measured, and kept with its figures in the captioner.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import torch

from mami_core.captioning.decoder import Decoder
from mami_core.captioning.decoding import Decoding, decode
from mami_core.captioning.language_model import LanguageModel
from mami_core.captioning.match import Matcher
from mami_core.captioning.sampling import content_seeds
from mami_core.captioning.vocabulary import Vocabulary
from mami_core.training.batches import DescribedUnits
from mami_core.training.captioner import corpus_bleu, move

SETTINGS: Final[Mapping[str, Decoding]] = {
    "greedy": Decoding("greedy"),
    "beam 10": Decoding("beam"),
    "beam 10, length^0.9": Decoding("beam", length_power=0.9),
    "pmi 0.2": Decoding("pmi"),
    "pmi 0.2, length^0.9": Decoding("pmi", length_power=0.9),
    "consensus": Decoding("consensus"),
}
PLAIN: Final = {name: decoding for name, decoding in SETTINGS.items() if decoding.strategy in ("greedy", "beam")}


@dataclass(frozen=True)
class ChosenDecoding:
    """The best setting, and what every setting reached on the validation units."""

    name: str
    decoding: Decoding
    figures: Mapping[str, Mapping[str, float]]  # setting → BLEU and mean words


def select_decoding(
    decoder: Decoder,
    language_model: LanguageModel | None,
    vocabulary: Vocabulary,
    validation: DescribedUnits,
    *,
    matcher: Matcher | None = None,
    settings: Mapping[str, Decoding] = SETTINGS,
) -> ChosenDecoding:
    """Return the setting with the highest corpus BLEU on `validation`; the first of those that are equal.

    Settings that need a language model are left out where there is none.
    """
    figures: dict[str, Mapping[str, float]] = {}
    for name, decoding in settings.items():
        if language_model is None and decoding.strategy in ("pmi", "token-pmi"):
            continue
        captions = decoded_captions(
            decoder, vocabulary, validation, decoding, language_model=language_model, matcher=matcher
        )
        words = sum(len(caption.split()) for caption in captions) / len(captions)
        figures[name] = {"bleu": round(corpus_bleu(captions, validation.texts), 2), "words": round(words, 2)}
    best = max(figures, key=lambda name: figures[name]["bleu"])
    return ChosenDecoding(best, settings[best], figures)


@torch.no_grad()
def decoded_captions(
    decoder: Decoder,
    vocabulary: Vocabulary,
    units: DescribedUnits,
    decoding: Decoding,
    *,
    language_model: LanguageModel | None = None,
    matcher: Matcher | None = None,
    batch_size: int = 32,
) -> list[str]:
    """Return one caption per unit, found as `decoding` says."""
    device = next(decoder.parameters()).device
    captions: list[str] = []
    for places in torch.arange(len(units)).split(batch_size):
        regions = move(units.regions(places), device)
        memory = decoder.prepare(regions.features, regions.weight)
        match = None if matcher is None else partial(matcher.scores, regions.features, regions.weight)
        # of the whole grid, as a captioner draws them: padding would make samples depend on batch mates
        dense = np.stack([units.features.dense(units.rows[place])[0] for place in places.tolist()])
        seeds = content_seeds(torch.from_numpy(dense), seed=decoding.seed)
        found = decode(decoder, memory, vocabulary, decoding, language_model=language_model, seeds=seeds, match=match)
        captions += [" ".join(vocabulary.decode(row)) for row in found.tokens[:, 0]]
    return captions


def report_lines(chosen: ChosenDecoding) -> Sequence[str]:
    """Return what every setting reached, a line each, the chosen one marked."""
    return [
        f"{'*' if name == chosen.name else ' '} {name}: BLEU {entry['bleu']:.1f}, {entry['words']:.1f} words"
        for name, entry in chosen.figures.items()
    ]

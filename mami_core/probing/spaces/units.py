"""Units as points: by what an encoder sees in their masks, by what is said of them, by when they fire."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from mami_core.probing.sentences import SentenceModel
from mami_core.probing.spaces.space import Space
from mami_core.probing.words import TextIndex, caption_texts
from mami_core.store import Dissection, UnitKey
from mami_core.store.layout import peaks_file

IMAGES: Final = 512  # an even sample of the images; each is one number of a profile
KINDS: Final = ("features", "caption", "profile")


def unit_space(dissection: Dissection, by: str, *, sentence_model: str | Path | None = None) -> Space:
    """Return units as points by `features`, `caption` or `profile`; `KIND:NAME` for a certain encoder or captioner.

    Captions are weighed by TF-IDF, or turned into vectors by a local sentence model. ValueError where the dissection
    was not prepared for it.
    """
    kind, _, name = by.partition(":")
    if kind == "features":
        return _by_features(dissection, name)
    if kind == "caption":
        return _by_caption(dissection, name, sentence_model)
    if kind == "profile":
        return _by_profile(dissection)
    raise ValueError(f"units have no map by {by!r}; choose features, caption, profile, or words:CAPTIONER")


def unit_spaces(dissection: Dissection) -> list[str]:
    """Return what a dissection's units can be laid out by, as `unit_space` takes it."""
    peaks = all(peaks_file(layer) in dissection.manifest.files for layer in dissection.layers)
    captions = [f"caption:{name}" for name in dissection.captioners]
    return [*(f"features:{name}" for name in dissection.encoders), *captions, *(["profile"] if peaks else [])]


def _by_features(dissection: Dissection, encoder: str) -> Space:
    labels = dissection.encoders
    known = {**{label.rpartition(".")[0]: label for label in labels}, **{label: label for label in labels}}
    if not known or (encoder and encoder not in known):
        raise ValueError(
            f"{dissection.name} keeps no features{f' by {encoder!r}' if encoder else ''}; `mami caption` keeps them"
            + (f" (there are {', '.join(labels)})" if known else "")
        )
    label = known[encoder] if encoder else labels[0]
    vectors = np.asarray(dissection.features(label), dtype=np.float32)
    return Space.of(f"region features, {label.rpartition('.')[0]}", dissection.unit_keys(), vectors)


def _by_caption(dissection: Dissection, captioner: str, sentence_model: str | Path | None) -> Space:
    if not dissection.captioners or (captioner and captioner not in dissection.captioners):
        known = ", ".join(dissection.captioners) or "nobody yet"
        raise ValueError(f"{dissection.name} has no captions by {captioner or 'anybody'}; captioned by: {known}")
    chosen = captioner or dissection.captioners[0]
    texts = caption_texts(dissection, chosen)
    keys = dissection.unit_keys()
    if sentence_model is not None:
        model = SentenceModel.open(sentence_model)
        place = {text: row for row, text in enumerate(dict.fromkeys(text for text in texts if text))}
        vectors = model.embed(list(place))
        nothing = np.full(vectors.shape[1], np.nan, dtype=np.float32)
        rows = np.stack([vectors[place[text]] if text else nothing for text in texts])
        return Space.of(f"captions of {chosen}, sentence model {model.name}", keys, rows)
    index = TextIndex.of(texts)
    kept = np.flatnonzero(np.diff(index.rows.indptr))
    if len(kept) < 2:
        raise ValueError(f"{chosen} said something of fewer than two units of {dissection.name}")
    vectors = index.rows[kept].astype(np.float32)
    return Space(f"captions of {chosen}, TF-IDF", tuple(keys[at] for at in kept), vectors, len(keys) - len(kept))


def _by_profile(dissection: Dissection) -> Space:
    keys = dissection.unit_keys()
    found = unit_profiles(dissection, keys)
    if len(found) < 2:
        raise ValueError(f"{dissection.name}: the peaks of fewer than two units vary, so there are no profiles")
    space = Space.of("peaks over images (cosine is Pearson's r)", list(found), np.stack(list(found.values())))
    return Space(space.name, space.keys, space.vectors, len(keys) - len(space))


def unit_profiles(dissection: Dissection, keys: Sequence[UnitKey]) -> dict[UnitKey, np.ndarray]:
    """Return the standardised peaks float32 (images,) of the units that have any, in order.

    Over up to 512 images, evenly chosen, less their mean, over their deviation: a cosine is Pearson's r.
    """
    found: dict[UnitKey, np.ndarray] = {}
    for layer in dict.fromkeys(layer for layer, _ in keys):
        peaks = dissection.peaks(layer)
        rows = np.unique(np.linspace(0, len(peaks) - 1, min(len(peaks), IMAGES)).astype(int))
        values = np.asarray(peaks[rows], dtype=np.float32)
        values = values[np.isfinite(values).any(axis=1)]  # an image that could not be read is NaN for all
        spread = values.std(axis=0)  # (units,)
        for key in (key for key in keys if key[0] == layer):
            column = dissection.row(*key)
            if np.isfinite(spread[column]) and spread[column] > 0:
                found[key] = (values[:, column] - values[:, column].mean()) / spread[column]
    return {key: found[key] for key in keys if key in found}

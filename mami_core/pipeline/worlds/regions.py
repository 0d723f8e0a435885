"""The regions that a captioner reads, and what a dissection keeps of them: a vector a unit, to find units like it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mami_core.captioning.encoders import AnyEncoder
from mami_core.captioning.features import UnitFeatures, alive_units, unit_features
from mami_core.captioning.pooled import unit_vectors
from mami_core.pipeline.progress import Report
from mami_core.store import Dissection, DissectionWriter, UnitKey, layout


def regions_to_caption(
    dissection: Dissection, encoder: AnyEncoder, keys: Sequence[UnitKey], captioner: str, report: Report
) -> UnitFeatures:
    """Return the regions of the living among `keys`; their vectors are kept in the dissection."""
    alive = set(alive_units(dissection))
    features = unit_features(
        dissection,
        encoder,
        [key for key in keys if key in alive],
        progress=lambda done, total: report(f"{captioner}: regions", done, total),
    )
    if encoder.sha256:  # one that was never saved cannot be told from another
        keep_vectors(dissection, layout.encoder_label(encoder.name, encoder.sha256), features)
    return features


def keep_vectors(dissection: Dissection, encoder: str, features: UnitFeatures) -> None:
    """Write the units' vectors beside those that were kept of other units."""
    made = unit_vectors(features.pooled())  # (U, D)
    vectors = np.full((len(dissection.units), made.shape[1]), np.nan, np.float16)
    if encoder in dissection.encoders:
        vectors[:] = dissection.features(encoder)
    vectors[[dissection.position(*key) for key in features.keys]] = made
    DissectionWriter.open(dissection.path).write_features(encoder, vectors)

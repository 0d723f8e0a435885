"""The one durable format: which files a dissection folder holds, their columns, and how names become file names."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

import pyarrow as pa

SCHEMA_VERSION: Final = 1
MANIFEST: Final = "dissection.json"
UNITS: Final = "units.parquet"
EXEMPLARS: Final = "exemplars.parquet"
IMAGES: Final = "images.arrow"
REFERENCES: Final = "references.parquet"
TRUTH: Final = "truth.parquet"
SPLITS: Final = "splits.json"
PEAK_IDS: Final = "peak_ids.npy"  # only where the peaks are of a sample of the images
FEATURES: Final = "features/"
LABELS: Final = "image_labels.npy"  # int32, the class of every image; only where images have classes

UNIT_SCHEMA: Final = pa.schema(
    [
        ("layer", pa.string()),
        ("unit", pa.int32()),
        ("threshold", pa.float32()),
        ("max", pa.float32()),
        ("mean", pa.float32()),
        ("variance", pa.float32()),
        ("skewness", pa.float32()),
        ("kurtosis", pa.float32()),
        ("fraction_positive", pa.float32()),
        ("state", pa.string()),  # alive, dead, constant, not_finite
        ("histogram", pa.list_(pa.int32())),  # counts in the bins of `histogram_edges()`; empty: not kept
        ("histogram_low", pa.float32()),  # the smallest activation
        ("histogram_high", pa.float32()),  # the largest
    ]
)
EXEMPLAR_SCHEMA: Final = pa.schema(
    [
        ("layer", pa.string()),
        ("unit", pa.int32()),
        ("set", pa.string()),  # top, random, bottom, or band-<n> of equal shares of the images
        ("rank", pa.int32()),
        ("image_id", pa.int64()),
        ("image_name", pa.string()),
        ("activation", pa.float32()),
        ("peak_y", pa.int16()),
        ("peak_x", pa.int16()),
    ]
)
IMAGE_SCHEMA: Final = pa.schema(
    [("image_id", pa.int64()), ("image_name", pa.string()), ("format", pa.string()), ("data", pa.binary())]
)
CAPTION_SCHEMA: Final = pa.schema(
    [
        ("layer", pa.string()),
        ("unit", pa.int32()),
        ("caption", pa.string()),
        ("tokens", pa.list_(pa.string())),  # what was decoded: attention has a row for each
        ("log_p_given_exemplars", pa.float32()),
        ("log_p", pa.float32()),
        ("pmi", pa.float32()),
        ("words", pa.int32()),
        ("state", pa.string()),  # ok, failed, dead_unit
        ("alternatives", pa.list_(pa.struct([("text", pa.string()), ("score", pa.float32())]))),
        ("gate", pa.list_(pa.float32())),  # per token: β; absent from older files
        ("score", pa.float64()),  # by the maker's own measure; absent from older files
    ]
)
ATTENTION_SCHEMA: Final = pa.schema(
    [
        ("unit", pa.int32()),
        ("head", pa.string()),
        ("grid", pa.list_(pa.int16())),  # exemplars, h, w
        ("weights", pa.binary()),  # uint8 (words, regions), row-major
        ("scale", pa.list_(pa.float32())),  # per word: weight = byte * scale
        ("share", pa.list_(pa.float32())),
        ("mask_overlap", pa.list_(pa.float32())),
        ("caption", pa.string()),  # decoded with only this head's context
        ("norm", pa.list_(pa.float32())),  # this and what follows: absent from older files
        ("entropy", pa.list_(pa.float32())),
        ("without", pa.string()),  # decoded with this head's context left out
    ]
)
REFERENCE_SCHEMA: Final = pa.schema(
    [
        ("layer", pa.string()),
        ("unit", pa.int32()),
        ("set", pa.string()),
        ("position", pa.int32()),
        ("text", pa.string()),
    ]
)
TRUTH_SCHEMA: Final = pa.schema([("layer", pa.string()), ("unit", pa.int32()), ("content", pa.string())])  # JSON


def file_name(name: str) -> str:
    """Return `name` (a layer's, a captioner's) as a file name that is legal everywhere and keeps names distinct."""
    return quote(name, safe="@.-_+=")


def maps_file(layer: str, exemplar_set: str = "top") -> str:
    """Return where the maps of one set of exemplars lie: float16 (units, k, h, w)."""
    middle = "" if exemplar_set == "top" else f".{exemplar_set}"
    return f"maps/{file_name(layer)}{middle}.npy"


def peaks_file(layer: str) -> str:
    """Return where every image's spatial maximum lies: float16 (images, units)."""
    return f"peaks/{file_name(layer)}.npy"


def classes_file(layer: str) -> str:
    """Return where each unit's mean peak by class lies, if images have labels: float32 (classes, units)."""
    return f"classes/{file_name(layer)}.npy"


def encoder_label(name: str, sha256: str) -> str:
    """Return how an encoder is told from others of its name: two dissections' vectors compare where labels agree."""
    return f"{name}.{sha256[:12]}"


def features_file(encoder: str) -> str:
    """Return where each unit's vector by one encoder (its label) lies: float16 (units, D) of length 1, or NaN."""
    return f"{FEATURES}{file_name(encoder)}.npy"


def captions_file(captioner: str) -> str:
    """Return the table of one captioner's captions."""
    return f"captions/{file_name(captioner)}.parquet"


def imported_file(captioner: str) -> str:
    """Return the file that a captioner's captions were imported from, kept as it was."""
    return f"imports/{file_name(captioner)}"


def attention_file(captioner: str, layer: str) -> str:
    """Return the table of one captioner's attention over one layer."""
    return f"attention/{file_name(captioner)}/{file_name(layer)}.arrow"

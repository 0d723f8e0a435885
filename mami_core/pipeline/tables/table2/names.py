"""What units, sources, captioners and parts are called in the table: read without torch, by the screen too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

NeuronKey: TypeAlias = tuple[str, str, int]  # dissection, layer, unit
COMPOUND: Final = "compound"
MILAN: Final = "milan"
CONSENSUS: Final = "consensus"
TOLD: Final = "words instead of regions"
# each adds one thing to the one before; the last is the captioner itself
PARTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "agreement": {"neighbours": 0, "crossed": 0, "word_weight": 0.0},  # by one decoder, the next by all
    "several decoders": {"neighbours": 0, "crossed": 0, "word_weight": 0.0},
    "similar units' references": {"crossed": 0, "word_weight": 0.0},
    "crossing": {"paired": 0, "listed": 0, "word_weight": 0.0},
    "joining": {"word_weight": 0.0},
}

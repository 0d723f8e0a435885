"""Table 2 as MAMI prints it: BLEU, and BERTScore's precision, recall and F1; None where it prints none.

Units of three networks trained on Places365, described in MILANNOTATIONS. The paper states neither the splits, nor
how captions were decoded, nor which BERTScore, nor on which split the table was measured: it cannot be reproduced as
such, only shown beside ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

Row: TypeAlias = tuple[float | None, float | None, float | None, float | None]
CAPTIONERS: Final[Mapping[str, str]] = {
    "baseline": "Bahdanau (Baseline)",  # MILAN's own published figure
    "milan": "Bahdanau retrained",
    "luong": "Luong Attention",
    "self": "Self Attention",
    "mami": "MAMI",
}
# what a group of five rows was trained and tested on: theirs, ours of a painted world, ours of published units
GROUPS: Final[Mapping[str, tuple[str, str, str]]] = {
    "alexnet": ("AlexNet", "AlexNet-like, painted scenes", "AlexNet, this data"),
    "resnet": ("ResNet-152", "ResNet-like, painted scenes", "ResNet-152, this data"),
    "generator": ("BigGAN", "generator from layouts, painted scenes", "BigGAN, this data"),
    "compound": (
        "Compound",
        "all three; weights of the last epoch",
        "all of this data; weights of the last epoch",
    ),
    "compound-best": (
        "Compound-Best-BLEU",
        "all three; weights of the epoch with the highest validation BLEU",
        "all of this data; weights of the epoch with the highest validation BLEU",
    ),
}
PRINTED: Final[Mapping[str, Mapping[str, Row]]] = {
    "alexnet": {
        "baseline": (None, None, None, 0.47),
        "milan": (12.3666, 0.4740, 0.3589, 0.4026),
        "luong": (12.8666, 0.4996, 0.3952, 0.4373),
        "self": (11.1016, 0.4748, 0.3642, 0.4100),
        "mami": (12.8611, 0.4659, 0.3892, 0.4145),
    },
    "resnet": {
        "baseline": (None, None, None, 0.28),
        "milan": (3.8679, 0.3313, 0.3178, 0.3107),
        "luong": (5.6136, 0.4337, 0.3008, 0.3521),
        "self": (6.7876, 0.4603, 0.2947, 0.3607),
        "mami": (8.5397, 0.4430, 0.2910, 0.3498),
    },
    "generator": {
        "baseline": (None, None, None, 0.52),
        "milan": (30.2698, 0.5894, 0.4940, 0.5308),
        "luong": (24.5812, 0.5834, 0.5241, 0.5458),
        "self": (34.8311, 0.5839, 0.5025, 0.5334),
        "mami": (32.2052, 0.5832, 0.5023, 0.5328),
    },
    "compound": {
        "baseline": (None, None, None, None),
        "milan": (14.5538, 0.5341, 0.4340, 0.4733),
        "luong": (16.0248, 0.5293, 0.4507, 0.4784),
        "self": (15.7811, 0.5204, 0.4425, 0.4712),
        "mami": (17.7420, 0.5455, 0.4394, 0.4811),
    },
    "compound-best": {
        "baseline": (None, None, None, None),
        "milan": (20.0595, None, None, 0.4685),
        "luong": (20.2451, None, None, 0.4747),
        "self": (18.6446, None, None, 0.4764),
        "mami": (21.2262, None, None, 0.4870),
    },
}

"""The names of all truth measures, in words: what reports, lists and pages share."""

from __future__ import annotations

from typing import Final

from mami_core.evaluation.firing import FIRING
from mami_core.evaluation.truth import MEASURES

CONTENT: Final = MEASURES  # against what masks hold
RULED: Final = "rule_f1"
TRUTHS: Final = (*CONTENT, RULED, *FIRING)
TITLES: Final = {
    "names_top": "names the top part",
    "first_is_top": "first part right",
    "recall_top3": "recall of the top three",
    "precision": "precision",
    "attribute_f1": "attribute F1",
    "rule_f1": "F1 against the rule",
    "auprc": "AUPRC",
    "lift": "lift over prevalence",
    "pearson": "Pearson's r",
    "iou": "pixel IoU",
}

"""What peers' caption files look like: one line a form, recognised by its columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final


@dataclass(frozen=True, slots=True)
class Form:
    """How one project writes captions. Columns are named as `column_name` writes them."""

    name: str
    needs: frozenset[str]  # columns that tell it from the others
    captions: tuple[str, ...]  # columns with captions; several: rival captions of one unit
    scores: tuple[tuple[str, ...], ...] = ()  # for each caption column, those whose mean is its score
    score_name: str | None = None
    unit: tuple[str, ...] = ("unit",)
    first_unit: int = 0  # NetDissect counts from 1

    def unit_column(self, header: Sequence[str]) -> str | None:
        """Return the column with unit numbers; None when the file has none."""
        return next((name for name in self.unit if name in header), None)


def column_name(text: str) -> str:
    """Return a header's cell as one spelling of it.

    >>> column_name(" Sim correlation")
    'sim_correlation'
    """
    return "_".join(text.strip().lower().split())


# Describe-and-Dissect's candidates: the stem of the label's column and that of the ratings' columns, spelt apart.
_RATED: Final = {
    "mean_caption": "mean_caption",
    "topk_sq_caption": "topk_sq",
    "image_products": "image_products",
    "topk_compare": "topk_compare",
}

# From the most particular to the plainest: the first whose columns are all there is the one.
FORMS: Final = (
    Form(
        "describe-and-dissect-ratings",
        frozenset(f"{name}_label" for name in _RATED),
        tuple(f"{name}_label" for name in _RATED),
        tuple((f"{stem}_e1_rating", f"{stem}_e2_rating") for stem in _RATED.values()),
        "mean of two people's ratings, 1 to 5",
    ),
    Form(
        "describe-and-dissect",
        frozenset({"neuron_id", "label_1"}),
        ("label_1", "label_2", "label_3"),
        unit=("neuron_id",),
    ),
    Form(
        "linear-explanations",
        frozenset({"unit", "weight0", "concept0"}),
        ("concepts",),  # put together from the weighted ones
        (("sim_correlation",),),
        "correlation of simulated and real activation",
    ),
    Form(
        "simscore",
        frozenset({"unit", "description", "sim_correlation"}),
        ("description",),
        (("sim_correlation",),),
        "correlation of simulated and real activation",
    ),
    Form("netdissect", frozenset({"unit", "category", "label", "iou"}), ("label",), (("iou",),), "IoU"),
    Form(
        "netdissect-tally",
        frozenset({"unit", "category", "label", "score"}),
        ("label",),
        (("score",),),
        "IoU",
        first_unit=1,
    ),
    Form(
        "invert",
        frozenset({"concept", "concept_id", "metric"}),
        ("concept",),
        (("metric",),),
        "AUC",
        unit=("unit", "neuron"),
    ),
    Form(
        "clip-dissect",
        frozenset({"unit", "description", "similarity"}),
        ("description",),
        (("similarity",),),
        "similarity",
    ),
    Form("milannotations", frozenset({"unit", "summary"}), ("summary",)),
    Form("milan", frozenset({"unit", "description"}), ("description",)),
)
OURS: Final = "mami"
_OURS_NEEDS: Final = frozenset({"network", "weights_sha256", "layer", "unit", "exemplar_ids"})


def column_names(cells: Sequence[str]) -> list[str]:
    """Return the names of a header's columns; in our own form as they stand, since captioners' names are in them."""
    plain = [cell.strip() for cell in cells]
    return plain if {*plain} >= _OURS_NEEDS else [column_name(cell) for cell in cells]


def form_of(header: Sequence[str]) -> Form | None:
    """Return the form that has these columns (as `column_name` spells them); None when no form has."""
    present = frozenset(header)
    if present >= _OURS_NEEDS:
        captions = tuple(name for name in header if name.endswith(".caption"))
        scores = tuple((name.removesuffix("caption") + "pmi",) for name in captions)
        return Form(OURS, _OURS_NEEDS, captions, scores, "PMI")
    return next((form for form in FORMS if present >= form.needs), None)


def _likeness(form: Form, present: frozenset[str]) -> tuple[int, bool]:
    """Return how many of a form's columns a header has more than it lacks, and whether a lacking one is misspelt."""
    lacking = form.needs - present
    misspelt = any(get_close_matches(name, present - form.needs) for name in lacking)
    return len(form.needs & present) - len(lacking), misspelt


def unknown_header(header: Sequence[str]) -> str:
    """Return what is wrong with a header that no form has: which column lacks for the form that comes nearest.

    >>> unknown_header(["layer", "unit", "text"])
    "column 'description': missing; milan has layer, unit, description, this file has layer, unit, text"
    """
    present = frozenset(header)
    near = max(reversed(FORMS), key=lambda form: _likeness(form, present))
    if not near.needs & present:
        known = "; ".join(f"{form.name}: {', '.join(sorted(form.needs))}" for form in FORMS)
        return f"column {header[0]!r}: no known form has the columns {', '.join(header)}; known are {known}"
    order = ("layer", *near.unit, *near.captions, *(name for names in near.scores for name in names))
    wanted = [name for name in dict.fromkeys(order) if name in near.needs or name == "layer"]
    missing = next(name for name in [*wanted, *sorted(near.needs)] if name not in present and name in near.needs)
    return f"column {missing!r}: missing; {near.name} has {', '.join(wanted)}, this file has {', '.join(header)}"

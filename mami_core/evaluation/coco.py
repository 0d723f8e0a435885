"""METEOR 1.5, CIDEr and ROUGE-L as COCO's caption evaluation counts them, by pycocoevalcap (an extra)."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any, Final

from mami_core.evaluation.text import NotComputed, clean_coco

_NO_PACKAGE: Final = NotComputed("needs pycocoevalcap: pip install 'mami[coco]'")
_NO_JAVA: Final = NotComputed("needs Java: METEOR 1.5 is a Java program; install a Java runtime")


def coco_metrics(
    captions: Sequence[str], references: Sequence[Sequence[str]], *, meteor: bool = True
) -> dict[str, float | NotComputed]:
    """Return `meteor`, `cider` and `rouge_l` as fractions (CIDEr: 0 to 10), or why one was not computed.

    Words are cut by `clean_coco`, near to but not the Penn Treebank tokeniser. `meteor=False` leaves METEOR out: its
    Java takes seconds to start and 1.3 GB. ValueError when captions and references do not pair up.
    """
    if len(captions) != len(references) or not captions:
        raise ValueError(f"{len(captions)} captions and references of {len(references)} units; need as many, and some")
    if find_spec("pycocoevalcap") is None:
        return {"meteor": _NO_PACKAGE, "cider": _NO_PACKAGE, "rouge_l": _NO_PACKAGE}
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.rouge.rouge import Rouge

    given = {row: [clean_coco(text) for text in texts] for row, texts in enumerate(references)}
    said = {row: [clean_coco(caption)] for row, caption in enumerate(captions)}
    found: dict[str, float | NotComputed] = {"meteor": NotComputed("not asked for")}
    if meteor:
        found["meteor"] = _meteor(given, said)
    found["cider"] = _score(Cider, given, said)
    found["rouge_l"] = _score(Rouge, given, said)
    return found


def _score(metric: Callable[[], Any], given: dict[int, list[str]], said: dict[int, list[str]]) -> float:
    return float(metric().compute_score(given, said)[0])


def _meteor(given: dict[int, list[str]], said: dict[int, list[str]]) -> float | NotComputed:
    if shutil.which("java") is None:
        return _NO_JAVA
    from pycocoevalcap.meteor.meteor import Meteor

    try:
        return _score(Meteor, given, said)
    except (OSError, ValueError) as problem:  # Java is there but does not run the program
        return NotComputed(f"METEOR's Java program failed: {problem}")

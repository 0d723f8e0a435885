"""A citation names the unit, what it was dissected with and who said what, and LaTeX can read it."""

from __future__ import annotations

import pytest
from made_dissection import make_dissection
from probed_dissection import probed

from mami_core.probing.citation import LINK, bibtex
from mami_core.store import Dissection


def test_a_citation_names_everything_needed_to_find_the_unit_again(tmp_path):
    dissection = Dissection.open(make_dissection(tmp_path / "squares"))
    entry = bibtex(dissection, "late.conv", 2)

    assert entry.startswith("@misc{mami-squares-late-conv-2,\n")
    for part in ("Unit 2 of late.conv in made:squares", "made:30 (30)", "k: 15", "milan@made: ``blue squares''",
                 "weights SHA-256: 0000000000000000", "simulated", rf"\url{{{LINK}}}"):  # fmt: skip
        assert part in entry
    assert entry.count("{") == entry.count("}")


def test_who_said_nothing_is_not_quoted(tmp_path):
    dissection = Dissection.open(make_dissection(tmp_path / "squares"))
    assert "``" not in bibtex(dissection, "early", 4)
    with pytest.raises(KeyError, match="99"):
        bibtex(dissection, "early", 99)


def test_what_latex_would_take_for_a_command_is_escaped(tmp_path):
    import numpy as np

    said = {"a_b": {("l", 0): "50 % of {red} & ~blue \\ sky"}}
    entry = bibtex(probed(tmp_path / "one", {"l": np.random.default_rng(0).random((9, 1))}, captions=said), "l", 0)
    assert r"a\_b: ``50 \% of \{red\} \& " in entry
    assert r"\_b" in entry
    assert "~" not in entry

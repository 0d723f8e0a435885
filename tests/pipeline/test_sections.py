"""Sections that commands write into Markdown are read back: their tables, and what they are of."""

from __future__ import annotations

from pathlib import Path

from mami_core.pipeline.tables.sections import about_section, data_option, read_section, tables_of, write_section

SECTION = """## A table

Written by `mami x`
(seed 1).

### first

| | one | two |
|---|---|---|
| ours | 0.5 [0.4, 0.6] | — |
| theirs | 1 | 2 |

### second

| a |
|---|
| b |"""


def test_the_tables_of_a_section_are_read_back_under_their_headings(tmp_path):
    write_section(tmp_path / "results.md", "x", SECTION, title="Results")

    first, second = tables_of(read_section(tmp_path / "results.md", "x"))

    assert (first.heading, first.columns) == ("first", ("", "one", "two"))
    assert first.rows == (("ours", "0.5 [0.4, 0.6]", "—"), ("theirs", "1", "2"))
    assert (second.heading, second.rows) == ("second", (("b",),))


def test_what_a_section_is_of_is_its_first_paragraph():
    assert about_section(SECTION) == "Written by `mami x` (seed 1)."


def test_a_command_names_its_data_but_not_where_it_lies():
    shown = [data_option(Path(given)) for given in ("scenery", "/home/somebody/worlds/one", "milannotations:places365")]

    assert shown == ["", " --data one", " --data milannotations:places365"]

"""The view of the papers' tables: figures as written, and the units behind the one that was chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast
from urllib.parse import urlencode

import streamlit as st

from dashboard import kept_tables, loaders
from dashboard.boards import SIMULATED
from dashboard.components import BOARD, ROWS
from dashboard.controls import rounded, small, unit_cell
from dashboard.kept_tables import TABLES
from dashboard.plain import plain
from dashboard.table_boards import FIGURES, PARTS, corpus_board, figure_of, lines_of, planted_board, table2_board
from mami_core.evaluation.truth import TOP_PRECISION
from mami_core.pipeline.tables.sections import about_section, tables_of
from mami_core.pipeline.tables.table2.behind import PEOPLE, KeptTable, Order, UnitBehind
from mami_core.pipeline.tables.table2.rows import NAMES, PENALISED
from mami_core.pipeline.tables.table2.said import Row, TestUnit
from mami_core.probing.descriptions import LENGTHS, units_by_length, units_saying
from mami_core.store import UnitKey

PAGE: Final = 20
_TITLES: Final[Mapping[str, str]] = {name: title for name, (title, _) in TABLES.items()}
ORDERS: Final[Mapping[str, str]] = {"worst": "Lowest first", "best": "Highest first", "random": "At random"}


def tables(found: loaders.Found) -> None:
    """Draw the table that the address names, or the units behind one of its figures."""
    views = {"table2": lambda: _table2(found), "table1": lambda: _table1(found), "planted": _planted}
    chosen = _choice("Table", _TITLES, "table", on_change=_forget)
    views[chosen]()


def _choice(label: str, titles: Mapping[str, str], key: str, **more: Any) -> str:
    """Ask for one of some names by their titles, the first where none is chosen; the address keeps the title."""
    shown = list(titles.values())
    chosen = st.segmented_control(
        label, shown, default=shown[0], label_visibility="collapsed", key=key, bind="query-params", **more
    )
    return list(titles)[shown.index(chosen or shown[0])]


def _back(title: str) -> None:
    """Offer the way back: no link to this very page, whose address Streamlit would leave as it is."""
    st.button(title, icon=":material/arrow_back:", type="tertiary", key="back", on_click=_forget)


def _forget() -> None:
    for name in ("row", "figure", "word"):
        st.query_params.pop(name, None)


def _address(found: loaders.Found, table: str, **more: str) -> dict[str, str]:
    """Return the parameters of a place in a table; what is chosen anyhow is left out, as Streamlit does."""
    first = {"table": next(iter(_TITLES.values())), "part": next(iter(PARTS.values()))}
    named = {"table": TABLES[table][0], **more}
    return {"d": found.id, "show": "Tables", **{key: value for key, value in named.items() if value != first.get(key)}}


def _about(section: str | None, name: str) -> None:
    if section is None:
        small(f"Not written yet: `{TABLES[name][1]}`")
    else:
        small(about_section(section))


def _table2(found: loaders.Found) -> None:
    section = kept_tables.written_section("table2")
    try:
        table = kept_tables.kept_table2()
    except ValueError as problem:
        st.error(plain(problem))
        return
    if table is None:
        _about(section, "table2")
        st.info(
            "No captions are kept, so figures lead nowhere: `mami reproduce table2 --keep MAMI_HOME/results/table2`"
        )
        st.markdown(section or "")
        return
    if "row" in st.query_params:
        _behind_table2(table, section)
        return
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        part = _choice("Part", PARTS, "part")
        chosen = _choice("References", {name: _references(name) for name in table.sets}, "refs")
    named = {"part": PARTS[part]} | ({} if chosen == table.sets[0] else {"refs": _references(chosen)})
    if table.painted:
        st.markdown(f"{SIMULATED} :gray[95 % intervals over units and trainings · every figure leads to its units]")

    def link(row: Row, figure: str) -> str:
        place = _address(found, "table2", **named, row=row.name, figure=figure)
        return f"evaluate?{urlencode(place)}"

    board = table2_board(table, part, chosen, link)
    if board["rows"]:
        BOARD(key=f"table2 {part} {chosen}", data=board)
    else:
        st.info(f"No such row was trained on references {chosen}.")
    _about(section, "table2")


def _references(name: str) -> str:
    return f"{name} references"


def _behind_table2(table: KeptTable, section: str | None) -> None:
    """Draw the units behind the figure that the address names."""
    here = st.query_params
    row_name, figure = here["row"], here.get("figure", "bleu")
    _back("Table 2")
    try:
        row = Row.named(row_name)
        units = kept_tables.behind(table, row, figure, "random", 0)
    except (KeyError, TypeError, ValueError, FileNotFoundError):
        st.error(plain(f"Table 2 holds no figure {figure!r} of a row {row_name!r}, or its captions are not kept."))
        return
    st.markdown(_title(table, row, figure, len(units)))
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        order, seed = _order()
        first = _page(len(units))
    shown = kept_tables.behind(table, row, figure, order, seed)[first : first + PAGE]
    places = {entry.unit.key: kept_tables.at_hand(entry.unit) for entry in shown}
    missing = sorted({key[0] for key, place in places.items() if place is None})
    if missing:
        small(_how_to_open(missing, table, section))
    ROWS(key="behind", data=_unit_rows(shown, row, figure, places))


def _order() -> tuple[Order, int]:
    """Ask for the order of units, and for a seed where it is a random one."""
    order = cast(Order, _choice("Order", ORDERS, "order"))
    if order != "random":
        return order, 0
    return order, int(st.number_input("Seed", min_value=0, value=0, step=1, key="behind seed", width=140))


def _page(count: int) -> int:
    """Ask for a page where there are several, and return its first place."""
    pages = -(-count // PAGE)
    if pages < 2:
        return 0
    page = st.number_input(f"Page, of {pages}", min_value=1, max_value=pages, step=1, key="behind page", width=140)
    return (int(page) - 1) * PAGE


def _title(table: KeptTable, row: Row, figure: str, count: int) -> str:
    figures = table.figures["rows"].get(row.name)
    value = figure_of(figures, figure) if figures else {"value": table.figures["annotators"][row.references][figure]}
    name, digits, about = FIGURES[figure]
    said = f"**{value['value']:.{digits}f}**" if value else "not computed"
    if value and value.get("low") is not None:
        said += f" :gray[{value['low']:.{digits}f} to {value['high']:.{digits}f}]"
    if value and len(value.get("by_seed") or ()) > 1:
        said += f" :gray[· by training {', '.join(f'{one:.{digits}f}' for one in value['by_seed'])}]"
    whose = f"{_speaker(row)} :gray[trained on {plain(row.source)}, references {plain(row.references)}]"
    if row.captioner == PEOPLE:
        whose = f"annotators :gray[references {plain(row.references)}]"
    alone = " A unit has that of its own caption." if figure.startswith(("bleu", "brevity")) else ""
    return f"#### {whose}\n{name}: {said} :gray[· {count} units. {about}.{alone}]"


def _speaker(row: Row) -> str:
    name = NAMES.get(row.captioner) or f"{NAMES['milan']}, {PENALISED.get(row.captioner, row.captioner)}"
    return plain(name if row.variant == "best" else f"{name}, {row.variant}")


def _how_to_open(missing: Sequence[str], table: KeptTable, section: str | None) -> str:
    names = ", ".join(missing)
    folders = " ".join(f"WORLD/{name}" for name in missing)
    if not table.painted:
        return f"Open {plain(names)} with `mami dashboard`, and these units are links."
    seed = kept_tables.seed_of(section)
    return (
        f"Units of {plain(names)} become links once they are open: `mami world WORLD{seed}`, `mami dashboard {folders}`"
    )


def _unit_rows(
    units: Sequence[UnitBehind], row: Row, figure: str, places: Mapping[Any, loaders.Found | None]
) -> dict[str, Any]:
    truth = any(entry.unit.content for entry in units)
    name, digits, _ = FIGURES[figure]
    said = "annotators" if row.captioner == PEOPLE else NAMES.get(row.captioner, row.captioner)
    rows = [
        [_unit(entry.unit, places[entry.unit.key]), rounded(entry.score), _captions(entry, digits),
         *([_parts(entry.unit)] if truth else []),
         *([] if row.captioner == PEOPLE else [lines_of(entry.unit.texts[row.references])])]
        for entry in units
    ]  # fmt: skip
    columns = ["unit", name, said, *(["truly in the masks"] if truth else [])]
    return {"columns": columns + ([] if row.captioner == PEOPLE else ["people wrote"]), "rows": rows}


def _unit(unit: TestUnit, place: loaders.Found | None) -> Any:
    name, layer, number = unit.key
    label = f"{name} · {layer} · {number}"
    return label if place is None else {**unit_cell(place, layer, number), "name": label}


def _captions(entry: UnitBehind, digits: int) -> list[dict[str, str]]:
    """Return each different caption once, with the trainings that say it and what it scores."""
    by_text: dict[str, list[int]] = {}
    for seed, text in entry.captions.items():
        by_text.setdefault(text, []).append(seed)
    if len(entry.captions) == 1:
        return lines_of([next(iter(by_text)) or "(says nothing)"])
    return [
        {"text": text or "(says nothing)", "note": f"{_seeds(seeds)}: {_score(entry.scores[seeds[0]], digits)}"}
        for text, seeds in by_text.items()
    ]


def _seeds(seeds: Sequence[int]) -> str:
    return f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}"


def _score(value: float, digits: int) -> str:
    return "no score" if value != value else f"{value:.{digits}f}"


def _parts(unit: TestUnit) -> str:
    parts = unit.content.parts[:TOP_PRECISION] if unit.content else ()
    return ", ".join(f"{share.name} {share.share:.0%}" for share in parts) or "not known"


def _table1(found: loaders.Found) -> None:
    section = kept_tables.written_section("table1")
    if "row" in st.query_params:
        _behind_table1(found)
        return

    def link(set_: str, figure: str, word: str = "") -> str:
        more = {"word": word} if word else {}
        return f"evaluate?{urlencode(_address(found, 'table1', row=set_, figure=figure, **more))}"

    written = next(iter(tables_of(section)), None) if section else None
    BOARD(key="table1", data=corpus_board(kept_tables.described_as(found), written, link))
    _about(section, "table1")
    if written is not None:
        small("A written row's units are those of its dissections: open one, and it stands here with links.")


def _behind_table1(found: loaders.Found) -> None:
    """Draw the units behind a figure of the open dissection's descriptions."""
    here = st.query_params
    set_, figure, word = here["row"], here.get("figure", ""), here.get("word", "")
    _back("Table 1")
    texts = kept_tables.described(found).get(set_)
    if texts is None:
        st.error(plain(f"{found.id} has no references {set_!r}."))
        return
    listed: list[tuple[UnitKey, float | None]]
    if word:
        title, column, listed = f"whose descriptions say “{plain(word)}”", "times", [*units_saying(texts, word)]
    elif figure in LENGTHS:
        mode = kept_tables.described_as(found)[set_].mode
        column = {"longest": "longest", "mean": "mean words"}.get(figure, f"of {mode} words")
        title, listed = "by length of their descriptions", [*units_by_length(texts, figure, mode)]
    else:
        title, column, listed = "described", "", [(key, None) for key in texts]
    st.markdown(f"#### {len(listed)} units {title} :gray[references {plain(set_)}]")
    first = _page(len(listed))
    rows = [
        [unit_cell(found, *key), *([rounded(value)] if column else []), lines_of(texts[key])]
        for key, value in listed[first : first + PAGE]
    ]
    ROWS(key="described", data={"columns": ["unit", *([column] if column else []), "people wrote"], "rows": rows})


def _planted() -> None:
    section = kept_tables.written_section("planted")
    if section is None:
        _about(section, "planted")
        return
    measures = {table.heading: table for table in tables_of(section)}
    measure = _choice("Measure", {name: name for name in measures}, "measure")
    shown = kept_tables.examples(section)
    planted = kept_tables.planted_at_hand((key, rule) for key, rule, _ in shown)

    def link(family: str) -> str | None:
        return f"neurons?{urlencode({'d': planted.id, 'split': 'test', 'layer': family})}" if planted else None

    BOARD(key=f"planted {measure}", data=planted_board(measures[measure], link))
    _about(section, "planted")
    if planted is None:
        seed = kept_tables.seed_of(kept_tables.written_section("table2"))
        small(f"Figures become links once the neurons are open: `mami world WORLD{seed}`, "
                   "`mami dashboard WORLD/planted`")  # fmt: skip
    st.subheader("One unit of each family", anchor=False)
    speakers = list(dict.fromkeys(name for _, _, said in shown for name in said))
    rows = [
        [unit_cell(planted, *key) if planted else f"{key[0]} · {key[1]}", rule,
         *(said.get(name, "") for name in speakers)]
        for key, rule, said in shown
    ]  # fmt: skip
    ROWS(key="planted units", data={"columns": ["unit", "its rule", *speakers], "rows": rows})

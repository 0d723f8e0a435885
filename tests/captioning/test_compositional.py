"""Formulas over concepts: said so that the grammar reads them, judged as a slow second implementation does, found."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
import torch

from mami_core.captioning.compositional import Evidence, Search, SearchSettings, explained, said
from mami_core.captioning.concepts import Concepts, evaluate
from mami_core.captioning.formulas import Formula, Thing
from mami_core.captioning.seen_things import RELATIONS, SeenThings, Vocabulary, connected, joined, things_in
from mami_core.scenery.reading import read_caption
from mami_core.scenery.wording import Meaning

SKY, DOG, CAR, ROOF = (Meaning("part", name) for name in ("sky", "dog", "car", "roof"))
RED, STRIPED = Meaning("colour", "red"), Meaning("texture", "striped")
TINY = Vocabulary((SKY, DOG, CAR, ROOF), (RED, STRIPED))
COLOURS = 1
SIDE = 8


def made_things(seed: int, pictures: int = 40) -> SeenThings:
    """Return things of random pictures: much sky, and blocks of 2 x 2 cells, each surely of one part, red or not."""
    rng = np.random.default_rng(seed)
    parts = rng.choice(4, (pictures, 4, 4), p=(0.88, 0.04, 0.04, 0.04)).repeat(2, 1).repeat(2, 2)  # (N, 8, 8)
    red, striped = (rng.random((2, pictures, 4, 4)) < 0.4).repeat(2, 2).repeat(2, 3)
    share = np.stack([parts == part for part in range(4)], 1) * 0.88 + 0.03
    look = np.stack([np.where(red, 0.9, 0.1), np.where(striped, 0.8, 0.2)], 1)
    return things_in(torch.tensor(share).float(), torch.tensor(look).float(), colours=COLOURS)


def evidence_for(concepts: Concepts, formula: Formula, kept: int = 15) -> Evidence:
    """Return what a unit does that fires for a formula, its maps kept of the first pictures."""
    rows = np.flatnonzero(concepts.things.picture < kept)
    there, member = evaluate(concepts, formula, rows)
    share = concepts.things.share[rows].astype(np.float32)
    return Evidence((there > 0.4).astype(np.float32), rows, (member > 0.4).astype(np.float32), share)


def every_formula(longest: int) -> list[Formula]:
    """Return all formulas that the search may reach with at most so many concepts, by another road."""
    single = [Thing(part) for part in TINY.parts]
    things = [*single, *(Thing(quality=look) for look in TINY.looks)]
    qualities = Concepts(made_things(0, 2), TINY).qualities
    things += [Thing(part, quality) for part, quality in product(TINY.parts, qualities)]
    things += [Thing(part, look, denied=True) for part, look in product(TINY.parts, TINY.looks)]
    things += [Thing(part, relation=name, other=other)
               for part, other, name in product(TINY.parts, TINY.parts, RELATIONS) if part != other]  # fmt: skip
    first = [Formula(thing) for thing in things]
    pairs = [Formula(one, ((operator, two),)) for one, two in product(single, single) if one != two
             for operator in ("or", "and", "without")]  # fmt: skip
    return [formula for formula in (*first, *pairs) if formula.length <= longest]


def slow_score(concepts: Concepts, evidence: Evidence, settings: SearchSettings, formula: Formula) -> float:
    there, member = evaluate(concepts, formula, evidence.rows)

    def nats(values: np.ndarray, target: np.ndarray, weight: np.ndarray, count: float) -> float:
        mean = sum(w * t for w, t in zip(weight, target, strict=True)) / sum(weight)
        middle = sum(w * v for w, v in zip(weight, values, strict=True)) / sum(weight)
        along = sum(w * (t - mean) * (v - middle) for w, t, v in zip(weight, target, values, strict=True))
        spread = sum(w * (t - mean) ** 2 for w, t in zip(weight, target, strict=True))
        own = sum(w * (v - middle) ** 2 for w, v in zip(weight, values, strict=True))
        return -0.5 * count * math.log(max(1 - max(along, 0.0) ** 2 / (spread * own), 0.002))

    pictures = nats(there, evidence.fires, np.ones(len(there)), min(settings.pictures, len(there)))
    masks = nats(member, evidence.covered, evidence.weight, min(settings.things, len(evidence.rows)))
    cost = settings.cost * formula.length
    cost += settings.relation_cost * any(thing.relation is not None for thing in formula.things)
    return (1 - settings.mask_weight) * pictures + settings.mask_weight * masks - cost


@pytest.mark.parametrize("seed", range(3))
def test_the_search_finds_what_trying_every_formula_finds(seed: int) -> None:
    concepts = Concepts(made_things(seed), TINY)
    rng = np.random.default_rng(seed)
    true = every_formula(2)[int(rng.integers(len(every_formula(2))))]
    clean = evidence_for(concepts, true)
    noisy = Evidence(np.where(rng.random(len(clean.fires)) < 0.1, 1 - clean.fires, clean.fires), clean.rows,
                     clean.covered, clean.weight)  # fmt: skip
    settings = SearchSettings(beam=200, longest=2, cost=0.5, relation_cost=2.0)

    found = Search(concepts, noisy, settings).run()

    tried = {formula: slow_score(concepts, noisy, settings, formula) for formula in every_formula(2)}
    assert found[0].score == pytest.approx(max(tried.values()), rel=1e-4)
    assert tried[found[0].formula] == pytest.approx(found[0].score, rel=1e-4)


def test_a_picture_drawn_three_times_counts_as_three_pictures() -> None:
    concepts = Concepts(made_things(0), TINY)
    evidence = evidence_for(concepts, Formula(Thing(DOG)))
    pictures = concepts.things.picture[evidence.rows]
    counts = np.random.default_rng(0).integers(0, 4, len(evidence.fires))
    drawn = evidence.drawn(counts, pictures)
    there = concepts.parts_in
    assert drawn.counts is not None
    weighted = explained(there, drawn.fires, drawn.counts, 100)
    copied = explained(np.repeat(there, counts, axis=0), np.repeat(evidence.fires, counts), np.ones(counts.sum()), 100)
    assert weighted == pytest.approx(copied, rel=1e-3, abs=1e-4)
    assert drawn.weight == pytest.approx(evidence.weight * counts[pictures])


@pytest.mark.parametrize(
    "planted",
    [
        Formula(Thing(DOG)),
        Formula(Thing(quality=RED)),
        Formula(Thing(CAR, RED)),
        Formula(Thing(CAR, RED, denied=True)),
        Formula(Thing(ROOF, Meaning("position", "left"))),
        Formula(Thing(SKY, Meaning("size", "large"))),
        Formula(Thing(SKY, relation="above", other=DOG)),
        Formula(Thing(DOG), (("or", Thing(CAR)),)),
        Formula(Thing(DOG), (("and", Thing(CAR)),)),
        Formula(Thing(DOG), (("without", Thing(ROOF)),)),
        Formula(Thing(DOG), (("or", Thing(CAR)), ("or", Thing(ROOF)))),
    ],
    ids=Formula.words,
)
def test_a_unit_that_was_planted_with_a_formula_is_called_by_it(planted: Formula) -> None:
    concepts = Concepts(made_things(5, pictures=200), TINY)
    settings = SearchSettings(cost=1.0, long_cost=0.0, relation_cost=2.0, beam=8)
    found = Search(concepts, evidence_for(concepts, planted), settings).run()
    assert set(found[0].formula.words().split()) == set(planted.words().split())
    assert said(found).text == found[0].formula.words()
    assert [score for _, score in said(found).alternatives] == sorted(
        (entry.score for entry in found[:5]), reverse=True
    )


def test_the_grammar_reads_every_formula_as_it_is_meant() -> None:
    for formula in every_formula(4):
        read, thing = read_caption(formula.words()), formula.first
        assert not read.unread_words
        relation = None if thing.relation is None else Meaning("relation", thing.relation)
        own = {entry for entry in (thing.part, relation, thing.other) if entry is not None}
        absent = {other.part for operator, other in formula.further if operator == "without"}
        joined_to = {other.part for operator, other in formula.further if operator != "without"}
        quality = {thing.quality} - {None}
        assert set(read.meanings) == own | joined_to | (set() if thing.denied else quality)
        assert set(read.negated) == absent | (quality if thing.denied else set())
        assert read.operator == next((operator for operator, _ in formula.further if operator != "without"), None)


def test_pieces_are_those_that_a_flood_fill_finds() -> None:
    kind = np.random.default_rng(3).integers(0, 3, (4, 7, 9))
    labels = connected(kind)
    slow = np.full(kind.shape, -1)
    number = 0
    for start in np.ndindex(*kind.shape):
        if slow[start] >= 0:
            continue
        waiting = [start]
        while waiting:
            n, y, x = waiting.pop()
            if slow[n, y, x] >= 0:
                continue
            slow[n, y, x] = number
            near = [(n, y + 1, x), (n, y - 1, x), (n, y, x + 1), (n, y, x - 1)]
            waiting += [c for c in near if 0 <= c[1] < 7 and 0 <= c[2] < 9 and kind[c] == kind[start]]
        number += 1
    assert labels.tolist() == slow.tolist()


def test_pictures_seen_in_lots_are_pictures_seen_at_once() -> None:
    first, second = made_things(1, 5), made_things(2, 7)
    both = joined([first, second])
    assert both.picture.tolist() == [*first.picture, *(second.picture + 5)]
    assert both.labels[5:].tolist() == (second.labels + len(first.part)).tolist()
    assert both.in_pictures(both.part)[5:].tolist() == second.in_pictures(second.part).tolist()


def test_what_goes_with_the_target_explains_it_and_what_is_constant_or_against_it_explains_nothing() -> None:
    target = np.array([0.0, 1, 1, 0, 0], np.float32)
    values = np.stack([target, target * 0.1, np.full(5, 0.4), 1 - target], 1)
    best, faint, constant, against = explained(values, target, np.ones(5), 10)
    assert best == pytest.approx(-5 * math.log(0.002))
    assert faint == pytest.approx(best)
    assert constant == pytest.approx(0, abs=1e-6)
    assert against == 0


def test_a_unit_that_nothing_explains_is_not_captioned() -> None:
    concepts = Concepts(made_things(6), TINY)
    empty = np.zeros(0, np.float32)
    always = np.ones(len(concepts.things.labels), np.float32)
    evidence = Evidence(always, np.zeros(0, np.int64), empty, empty)
    caption = said(Search(concepts, evidence, SearchSettings()).run())
    assert caption.state == "failed"
    assert caption.words == ()


def test_what_is_no_thing_is_refused() -> None:
    with pytest.raises(ValueError, match="a part or a quality"):
        Thing()
    with pytest.raises(ValueError, match="go together"):
        Thing(SKY, relation="above")


def test_a_thing_is_as_large_as_what_its_part_covers_about_it_and_in_the_picture() -> None:
    things = made_things(3, 12)
    kind = things.part.argmax(1)
    covered: dict[int, float] = {}  # by walking from cell to cell
    patches: dict[int, list[float]] = {}
    for labels in things.labels:
        cells = kind[labels]
        left = set(np.ndindex(cells.shape))
        while left:
            front = [left.pop()]
            patch = []
            while front:
                y, x = front.pop()
                patch.append((y, x))
                beside = {(y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)} & left
                same = {cell for cell in beside if cells[cell] == cells[y, x]}
                left -= same
                front += same
            part = cells[patch[0]]
            size = math.sqrt(len(patch) * (cells == part).sum())
            patches.setdefault(int(part), []).append(size)
            covered.update((int(labels[cell]), size) for cell in patch)

    limits = {part: np.quantile([size for size in sizes if size >= 2], (0.3, 0.7)) for part, sizes in patches.items()}

    for thing, (large, small) in enumerate(things.sizes):
        low, high = limits[int(kind[thing])]
        assert large == pytest.approx(1 / (1 + (high / covered[thing]) ** 5), abs=1e-5)
        assert small == pytest.approx(1 / (1 + (covered[thing] / low) ** 5), abs=1e-5)

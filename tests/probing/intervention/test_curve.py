"""Accuracy against units silenced, where every point can be computed by hand; and editing's order and share."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mami_core.probing.intervention.choosing import Order
from mami_core.probing.intervention.curve import accuracy_curve, by_layer, class_accuracies, counts_of
from mami_core.probing.intervention.editing import by_drop_alone, finetune_last_layer, random_orders, recovered_share
from mami_core.probing.intervention.judge import METHODS
from mami_core.probing.intervention.need import difference_of_means, need_of_part, needing_places, units_by_part

LAYER = "features"
ALL = tuple((LAYER, unit) for unit in range(8))


@pytest.mark.parametrize("method", METHODS)
def test_fraction_zero_is_the_baseline_exactly(judge, method):
    point = accuracy_curve(judge, Order("all", ALL, ALL), method, (0.0,), controls=2)[0]
    assert point.silenced == 0
    assert point.chosen.tolist() == judge.whole.tolist()
    assert point.worse_than_random().value == 0


def test_each_unit_that_a_class_depends_on_costs_a_quarter(judge):
    points = accuracy_curve(judge, Order("first", ALL[:4], ALL), "zero", (0, 1 / 8, 2 / 8, 3 / 8), controls=1)
    assert [point.accuracy().mean for point in points] == [1.0, 0.75, 0.5, 0.25]


def test_the_interval_of_random_units_holds_what_random_units_truly_cost(judge):
    """Two of eight silenced, four of which matter: on average one class of four is lost."""
    point = accuracy_curve(judge, Order("none", ALL, ALL), "zero", (0.25,), controls=40)[0]
    found = point.random()
    assert found.low < 0.75 < found.high
    assert found.high - found.low < 0.2


def test_an_order_that_ends_early_has_its_last_point_there():
    assert counts_of((0, 0.1, 0.5, 1.0), units=20, there_are=7) == [0, 2, 7]


def test_classes_are_listed_by_what_they_lose(judge):
    found = judge.correct({LAYER: [2]}, "zero")
    rows = class_accuracies(judge, found, ["a", "b", "c", "d"])
    assert (rows[0]["class"], rows[0]["before"], rows[0]["after"]) == ("c", 1.0, 0.0)
    assert all(row["after"] == 1 for row in rows[1:])


def test_the_search_by_drop_alone_finds_the_unit_that_matters(judge):
    assert by_drop_alone(judge, LAYER, [7, 6, 3, 5]) == [3, 7, 6, 5]


def test_random_orders_are_orders_and_differ():
    orders = random_orders(10, 3, seed=0)
    assert all(sorted(order) == list(range(10)) for order in orders)
    assert len({tuple(order) for order in orders}) == 3


def test_the_recovered_share_is_one_where_all_is_won_back():
    assert recovered_share(before=0.25, after=0.75, without_cue=0.75) == 1
    assert recovered_share(before=0.25, after=0.5, without_cue=0.75) == 0.5
    assert np.isnan(recovered_share(before=0.75, after=0.75, without_cue=0.75))


def test_the_last_layer_learns_to_do_without_a_silenced_unit(judge, labels):
    module = judge.network.module
    with torch.no_grad():
        module.head.weight[3] = 0  # it forgot the last class
    assert judge.correct({}, "zero").mean() < 1
    features = module.features.weight.clone()
    finetune_last_layer(module, "head", judge.inputs[0].split(16), labels, steps=800)
    assert judge.correct({}, "zero").mean() == 1
    assert torch.equal(module.features.weight, features)
    with pytest.raises(ValueError, match="'pool' is not a fully connected layer of Told"):
        finetune_last_layer(module, "pool", judge.inputs[0].split(16), labels)


def test_units_by_layer_keep_their_order():
    assert by_layer([("b", 2), ("a", 1), ("b", 0)]) == {"b": [2, 0], "a": [1]}


def test_places_that_need_a_part_are_those_the_painter_puts_it_in():
    assert needing_places("stove") == ("kitchen",)
    assert needing_places("bed") == ("bedroom",)
    assert needing_places("sky") == ()  # in most pictures: it tells no place


def test_scenes_that_need_a_part_lose_more_than_the_others_when_its_units_are_silenced():
    places = np.array(["kitchen"] * 20 + ["beach"] * 60)
    whole = np.ones(80, bool)
    found = need_of_part("stove", [("l", 1)], places, whole, lambda _units: places != "kitchen")
    assert (found.needing, found.others) == (1, 0)
    assert (found.more.low, found.more.high) == (1, 1)
    assert need_of_part("sky", [("l", 1)], places, whole, lambda _units: whole) is None


def test_parts_are_read_by_the_grammar_and_denied_ones_left_out():
    captions = {("l", 0): "black stoves", ("l", 1): "ovens without beds", ("l", 2): None}
    assert units_by_part(captions) == {"stove": [("l", 0), ("l", 1)]}


def test_a_difference_of_equal_groups_holds_zero():
    rng = np.random.default_rng(0)
    found = difference_of_means(rng.random(200), rng.random(300), seed=0)
    assert found.low < 0 < found.high

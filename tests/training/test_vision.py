"""Training the painted world's networks: they learn, and a seed fixes every weight."""

from __future__ import annotations

import pytest
import torch

from mami_core.training.classifier import accuracy, train_classifier
from mami_core.training.generator import painting_error, train_generator
from mami_core.training.segmentation import part_accuracy, train_parts_encoder
from mami_core.training.vision import VisionRecipe, shuffled_batches


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_a_seed_fixes_every_weight(small_world):
    recipe = VisionRecipe(epochs=1, batch_size=16, learning_rate=1e-3, seed=5)
    torch.manual_seed(99)
    first, _ = train_classifier("alexnet", small_world[:32], recipe=recipe)
    torch.manual_seed(7)  # what ran before must not matter
    second, _ = train_classifier("alexnet", small_world[:32], recipe=recipe)

    assert all(
        torch.equal(a, b) for a, b in zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    )


def test_a_segmentation_run_beats_the_commonest_part_and_reports_each_step(small_world):
    seen = []
    network, history = train_parts_encoder(
        small_world,
        held_out=small_world[:16],
        recipe=VisionRecipe(epochs=4, batch_size=16, learning_rate=4e-3),
        progress=lambda done, steps, _loss: seen.append((done, steps)),
    )

    assert seen == [(step, 12) for step in range(1, 13)]
    assert history.losses[-1] < history.losses[0]
    assert history.scores[-1] == part_accuracy(network, small_world[:16]) > 0.4  # four parts, equally common
    assert not network.training


@pytest.mark.parametrize("epochs", [1, 3, 4, 5])
def test_a_world_too_small_for_a_step_of_warm_up_trains_all_the_same(small_world, epochs):
    recipe = VisionRecipe(epochs=epochs, batch_size=48, learning_rate=1e-3)
    _, history = train_generator(small_world[:6], recipe=recipe)
    assert len(history.losses) == epochs


def test_a_generator_learns_to_paint(small_world):
    network, history = train_generator(
        small_world, recipe=VisionRecipe(epochs=3, batch_size=8, learning_rate=5e-3), held_out=small_world[:8]
    )
    assert history.losses[-1] < 0.6 * history.losses[0]
    assert history.scores[-1] == painting_error(network, small_world[:8])


def test_accuracy_counts_the_scenes_whose_place_is_named(small_world):
    class Knows(torch.nn.Module):
        def forward(self, pixels):
            return torch.eye(26)[torch.zeros(len(pixels), dtype=torch.long)]

    assert accuracy(Knows(), small_world, batch_size=10) == pytest.approx((small_world.places == 0).mean())


@pytest.mark.parametrize(("count", "size", "batches"), [(10, 4, 2), (3, 8, 1), (8, 8, 1)])
def test_batches_are_whole_and_never_repeat_an_image(count, size, batches):
    found = shuffled_batches(count, size, torch.Generator().manual_seed(0))
    flat = torch.cat(found).tolist()
    assert len(found) == batches
    assert len(set(flat)) == len(flat) == batches * min(size, count)


def test_a_recipe_without_epochs_is_refused():
    with pytest.raises(ValueError, match="at least 1 epoch"):
        VisionRecipe(epochs=0)

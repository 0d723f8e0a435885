"""Regions: masked means cell by cell, against a slow loop; what happens where a mask is empty."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from mami_core.captioning.encoder import (
    GRID,
    cell_cover,
    cell_weight,
    fit_encoder,
    load_encoder,
    save_encoder,
)
from mami_core.scenery.networks import PartsEncoder, to_input

K = 3


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (K, 3, 14, 14), dtype=np.uint8)
    return coarse.repeat(8, 2).repeat(8, 3)


@pytest.fixture(scope="module")
def encoder(images):
    torch.manual_seed(1)
    return fit_encoder(PartsEncoder(), images, trained_on="nothing")


@pytest.fixture
def maps() -> torch.Tensor:
    """Two units: one with an empty second mask, one with all masks empty."""
    maps = torch.rand(2, K, 14, 14, generator=torch.Generator().manual_seed(2))
    maps[0, 1] = 0.0
    maps[1] = 0.0
    return maps


def slow_region(encoder, image, mask, cell):
    """One cell's raw feature, written as loops over its 16 places."""
    backbone = encoder.backbone
    with torch.no_grad():
        trunk = backbone.trunk(to_input(image[None]))[0].half().float()  # (C, 28, 28)
        logits = F.conv2d(trunk[None], backbone.head.weight, backbone.head.bias)[0]
    shares = torch.cat([group.softmax(0) for group in logits.split(backbone.groups)])

    def summary(places):
        total = sum(weight for *_, weight in places)
        means = sum(trunk[:, y, x] * weight for y, x, weight in places) / total
        mixed = sum(shares[:, y, x] * weight for y, x, weight in places) / total
        return torch.cat([means, (mixed + 0.005).log()])

    covered = F.avg_pool2d(mask[None].float(), 4)[0]
    top, left = cell // GRID * 4, cell % GRID * 4
    inside = [(y, x, float(covered[y, x])) for y in range(top, top + 4) for x in range(left, left + 4)]
    here = summary(inside)
    everywhere = summary([(y, x, 1.0) for y in range(28) for x in range(28)])
    total = sum(weight for *_, weight in inside)
    middle = torch.tensor([sum((p[i] + 0.5) * p[2] for p in inside) / total / 28 * 2 - 1 for i in (0, 1)])
    raw = torch.cat([here, here - everywhere, middle])
    return ((raw - encoder.mean) / encoder.scale).clamp(-5, 5)


def test_a_region_is_the_masked_mean_of_its_cell_beside_its_contrast(encoder, images, maps):
    found = encoder.regions(encoder.encode(images), torch.arange(K).expand(2, K), maps, torch.tensor([0.8, 0.8]))
    masks = F.interpolate(maps, (112, 112), mode="bilinear")[0] > 0.8

    rows = (found.unit == 0).nonzero().flatten()
    for row in rows[:: max(1, len(rows) // 6)]:
        exemplar, cell = divmod(int(found.cell[row]), GRID * GRID)
        expected = slow_region(encoder, images[exemplar], masks[exemplar], cell)
        assert torch.allclose(found.features[row].float(), expected, atol=2e-2)  # float16 features, float16 result


def test_regions_are_exactly_the_cells_that_a_mask_touches(encoder, images, maps):
    found = encoder.regions(encoder.encode(images), torch.arange(K).expand(2, K), maps, torch.tensor([0.8, 0.8]))
    masks = F.interpolate(maps, (112, 112), mode="bilinear")[0] > 0.8  # (k, 112, 112)

    touched = masks.view(K, GRID, 16, GRID, 16).any(4).any(2).flatten().nonzero().flatten()
    assert torch.equal(found.cell[found.unit == 0], touched)
    assert not ((found.cell[found.unit == 0] // (GRID * GRID)) == 1).any()  # the exemplar with an empty mask


def test_exemplars_weigh_the_same_and_a_units_weights_sum_to_one(maps):
    maps[0, 2, :7] += 1.0  # a much larger mask
    weight = cell_weight(cell_cover(maps, torch.tensor([0.8, 0.8])))

    assert weight.sum((1, 2)).tolist() == pytest.approx([1, 1])
    assert weight[0].sum(1).tolist() == pytest.approx([0.5, 0.0, 0.5])


def test_a_unit_without_any_mask_sees_every_cell_equally(encoder, images, maps):
    found = encoder.regions(encoder.encode(images), torch.arange(K).expand(2, K), maps, torch.tensor([0.8, 0.8]))
    silent = found.unit == 1

    assert torch.equal(found.cell[silent], torch.arange(K * GRID * GRID))
    assert torch.allclose(found.weight[silent], torch.tensor(1 / (K * GRID * GRID)))
    assert torch.isfinite(found.features).all()


def test_a_missing_exemplar_gives_no_region(encoder, images, maps):
    maps[0, 2] = torch.nan
    found = encoder.regions(encoder.encode(images), torch.arange(K).expand(2, K), maps, torch.tensor([0.8, 0.8]))
    assert set((found.cell[found.unit == 0] // (GRID * GRID)).tolist()) == {0}


def test_a_unit_has_the_same_regions_alone_as_among_others(encoder, images, maps):
    encoded, thresholds = encoder.encode(images), torch.tensor([0.8, 0.8])
    rows = torch.tensor([[0, 1, 2], [2, 0, 1]])
    together = encoder.regions(encoded, rows, maps, thresholds)
    alone = encoder.regions(encoded, rows[:1], maps[:1], thresholds[:1])

    mine = together.unit == 0
    assert torch.equal(together.cell[mine], alone.cell)
    assert torch.allclose(together.features[mine].float(), alone.features.float(), atol=1e-2)


def test_the_dense_grid_holds_the_same_and_zeros_elsewhere(encoder, images, maps):
    features, weight = encoder.dense(images, maps[0], 0.8)
    found = encoder.regions(encoder.encode(images), torch.arange(K)[None], maps[:1], torch.tensor([0.8]))

    assert features.shape == (K * GRID * GRID, encoder.feature_size)
    assert torch.equal(features[found.cell], found.features)
    assert torch.equal(weight > 0, (features != 0).any(1))


def test_over_its_own_images_the_features_are_standardised(encoder, images):
    maps = torch.ones(1, K, 7, 7)
    found = encoder.regions(encoder.encode(images), torch.arange(K)[None], maps, torch.tensor([0.5]))
    spread = found.features.float().std(0)
    assert found.features.float().mean(0).abs().max() < 0.1
    assert float(spread[encoder.scale > 0.01].mean()) == pytest.approx(1, abs=0.15)


def test_images_of_another_size_are_brought_to_the_encoders(encoder, images):
    large = torch.from_numpy(images).repeat_interleave(2, 2).repeat_interleave(2, 3)
    small, big = encoder.encode(images), encoder.encode(large)
    assert torch.allclose(small.whole, big.whole, atol=0.1)


def test_an_encoder_reads_back_with_its_hash_and_the_same_features(encoder, images, maps, tmp_path):
    kept = save_encoder(encoder, tmp_path / "parts")
    again = load_encoder(tmp_path / "parts")

    assert again.sha256 == kept.sha256
    assert len(again.sha256) == 64
    assert again.provenance == {"trained_on": "nothing"}
    assert torch.equal(again.dense(images, maps[0], 0.8)[0], kept.dense(images, maps[0], 0.8)[0])


def test_a_folder_that_is_no_encoder_says_what_it_lacks(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no encoder\.json"):
        load_encoder(tmp_path)


def test_a_threshold_that_is_not_a_number_is_refused(encoder, images, maps):
    with pytest.raises(ValueError, match="not alive"):
        encoder.dense(images, maps[0], float("nan"))

"""Feature visualisation against units whose best picture is known: planted filters."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

import mami_core as mami
from mami_core.probing.layer_probe import open_probe
from mami_core.probing.pixels import Colours, as_pixels
from mami_core.probing.visualisation import Recipe, Target, visualise_targets
from mami_core.probing.visualisation.objectives import likeness

SIDE = 15
QUICK = Recipe(steps=48, size=48)
STRIPES, SPOT, DEAD = 0, 1, 2


def pattern(unit: int) -> torch.Tensor:
    """Return a planted pattern (3, SIDE, SIDE) of mean zero: slanted stripes, or a bright disc."""
    y, x = torch.meshgrid(torch.arange(SIDE) - SIDE // 2, torch.arange(SIDE) - SIDE // 2, indexing="ij")
    if unit == STRIPES:
        grey = torch.sin((x + y) * math.pi / 3.5)
        found = torch.stack([grey, grey, grey])
    else:
        spot = torch.where(x**2 + y**2 < 25, 1.0, -1.0)
        found = torch.stack([spot, spot, spot])
    return found - found.mean((1, 2), keepdim=True)


class Planted(nn.Module):
    """Three units: two planted patterns and one that no picture excites; behind a ReLU, as units mostly are."""

    preprocessing = {"resize": 48, "crop": 48, "mean": (0.5, 0.5, 0.5), "std": (0.25, 0.25, 0.25)}  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()
        self.filters = nn.Conv2d(3, 3, SIDE)
        self.relu = nn.ReLU(inplace=True)
        with torch.no_grad():
            self.filters.weight.zero_()
            self.filters.bias.copy_(torch.tensor([0.0, 0.0, -1.0]))
            for unit in (STRIPES, SPOT):
                self.filters.weight[unit] = pattern(unit)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.relu(self.filters(x))


@pytest.fixture
def planted() -> Planted:
    return Planted().eval()


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("MAMI_HOME", str(tmp_path / "home"))


def probe_of(module: nn.Module, layer: str, **options):
    from mami_core.library.inputs import as_network

    network = as_network(module)
    network.module.requires_grad_(False)
    return open_probe(network, layer, **options)


def made(module: nn.Module, layer: str, units: list[int], recipe: Recipe):
    return list(visualise_targets(probe_of(module, layer, size=recipe.size), list(map(Target, units)), recipe))


def correlations(picture: np.ndarray, unit: int) -> np.ndarray:
    """Return the cosine of a planted pattern with every window of a picture uint8 (H, W, 3), tints left out."""
    wanted = pattern(unit).permute(1, 2, 0).numpy()
    rows, columns = (size - SIDE + 1 for size in picture.shape[:2])
    found = np.zeros((rows, columns))
    for y in range(rows):
        for x in range(columns):
            window = picture[y : y + SIDE, x : x + SIDE].astype(np.float64)
            window -= window.mean((0, 1))
            found[y, x] = (window * wanted).sum() / (np.linalg.norm(window) * np.linalg.norm(wanted) + 1e-9)
    return found


@pytest.mark.parametrize(("unit", "robust"), [(STRIPES, False), (SPOT, True)])
def test_the_picture_of_a_planted_filter_contains_its_pattern(planted, unit, robust):
    (result,) = made(planted, "relu", [unit], Recipe(steps=64, size=48, place="centre", robust=robust))
    assert correlations(result.pictures[0], unit).max() > 0.75
    noise = torch.rand(64, 3, 48, 48, generator=torch.Generator().manual_seed(0))
    strongest = probe_of(planted, "relu", size=48).maps(noise)[:, unit].max()
    assert result.reached[0] > 3 * float(strongest)
    assert result.reached[0] > result.before[0]


@pytest.mark.parametrize("layer", ["filters", "relu"])
def test_the_negative_side_is_the_pattern_turned_round_even_behind_a_relu(planted, layer):
    recipe = Recipe(steps=64, size=48, place="centre", negative=True, robust=False)
    (result,) = made(planted, layer, [STRIPES], recipe)
    centre = (48 - SIDE + 1) // 2  # where the middle cell looks
    assert correlations(result.pictures[0], STRIPES)[centre, centre] < -0.75
    assert result.reached[0] < 0


def test_units_together_are_what_they_are_alone(planted):
    together = made(planted, "filters", [STRIPES, SPOT], QUICK)
    alone = [made(planted, "filters", [unit], QUICK)[0] for unit in (STRIPES, SPOT)]
    for one, other in zip(together, alone, strict=True):
        assert np.abs(one.pictures.astype(int) - other.pictures.astype(int)).max() <= 2
        assert one.end == pytest.approx(other.end, rel=1e-3)


def test_a_unit_is_the_direction_along_its_axis(planted):
    probe = probe_of(planted, "filters", size=48)
    targets = [Target(SPOT), Target(direction=(0.0, 1.0, 0.0))]
    unit, direction = visualise_targets(probe, targets, QUICK)
    assert np.array_equal(unit.pictures, direction.pictures)


def test_a_dead_unit_says_so_and_its_neighbours_are_not_held_up(planted):
    dead, alive = made(planted, "relu", [DEAD, STRIPES], QUICK)
    assert (dead.state, alive.state) == ("silent", "ok")
    assert dead.reached == (0.0,)
    assert alive.reached[0] > alive.before[0]


def test_a_unit_that_noise_leaves_silent_is_woken(planted):
    with torch.no_grad():
        planted.filters.bias[STRIPES] = -40.0
    assert float(probe_of(planted, "relu", size=48).maps(torch.full((1, 3, 48, 48), 0.5))[:, STRIPES].max()) == 0
    (result,) = made(planted, "relu", [STRIPES], QUICK)
    assert result.before == (0.0,)
    assert result.reached[0] > 0


def test_pictures_of_one_unit_differ_more_with_the_diversity_term():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 8, 5), nn.Tanh(), nn.Conv2d(8, 6, 5), nn.Tanh())
    probe = probe_of(network, "3", size=32)

    def alike(weight: float) -> float:
        recipe = Recipe(steps=40, size=32, diversity=3, diversity_weight=weight)
        (result,) = visualise_targets(probe, [Target(1)], recipe)
        assert result.pictures.shape == (3, 32, 32, 3)
        pixels = torch.from_numpy(result.pictures).permute(0, 3, 1, 2).float() / 255
        return float(likeness(probe.maps(pixels), 3).mean())

    assert alike(2.0) < alike(0.0) - 0.05


def test_likeness_is_the_cosine_of_gram_matrices_written_as_loops():
    maps = torch.randn(4, 3, 2, 5, generator=torch.Generator().manual_seed(1))
    for shape in ((4, 3, 2, 5), (4, 15, 1, 2)):  # more cells than units, and fewer
        shaped = maps.reshape(shape)
        grams = [(m.flatten(1) @ m.flatten(1).T).flatten() for m in shaped]
        expected = [float(torch.cosine_similarity(grams[i], grams[i ^ 1], dim=0)) for i in range(4)]
        assert likeness(shaped, 2).tolist() == pytest.approx(expected, abs=1e-5)


def test_what_was_made_before_is_not_made_again_and_another_recipe_is(planted, monkeypatch):
    first = mami.visualise(planted, "relu", [STRIPES], steps=4, size=32, progress=False)
    assert planted.filters.weight.requires_grad, "a borrowed module comes back as it was"
    assert first[0].image.size == (32, 32)
    with torch.no_grad():
        planted.filters.bias[0] += 0.5
    other = mami.visualise(planted, "relu", [STRIPES], steps=4, size=32, progress=False)
    assert other[0].facts["end"] != first[0].facts["end"], "other weights are another picture"
    with torch.no_grad():
        planted.filters.bias[0] -= 0.5
    monkeypatch.setattr("mami_core.probing.visualisation.optimise._Batch.run", None)  # would fail if it were asked
    again = mami.visualise(planted, "relu", [STRIPES], steps=4, size=32, progress=False)
    assert again[0].png == first[0].png
    assert again[0].facts == first[0].facts
    with pytest.raises(TypeError):
        mami.visualise(planted, "relu", [STRIPES], steps=5, size=32, progress=False)


def test_a_picture_that_was_damaged_on_disk_is_made_again(planted, tmp_path):
    first = mami.visualise(planted, "relu", [STRIPES], steps=4, size=32, progress=False)
    (file,) = (tmp_path / "home").rglob("*.png")
    file.write_bytes(b"torn")
    assert mami.visualise(planted, "relu", [STRIPES], steps=4, size=32, progress=False)[0].png == first[0].png
    assert file.read_bytes() == first[0].png


def test_fully_connected_units_classes_and_tokens_have_pictures():
    torch.manual_seed(0)
    flat = nn.Sequential(nn.Conv2d(3, 4, 8, 8), nn.Flatten(), nn.Linear(64, 5))
    flat.preprocessing = {"resize": 32, "crop": 32}
    (result,) = mami.visualise(flat, units=3, steps=24, progress=False)
    assert (result.facts["layer"], result.facts["width"]) == ("2", 32)
    assert result.facts["end"][0] > result.facts["start"][0]
    (token,) = mami.visualise(TOKENS(), "block", units=2, steps=24, robust=False, progress=False)
    assert token.facts["end"][0] > token.facts["start"][0]


class TOKENS(nn.Module):
    """A patch embedding with a class token in front, mixed once."""

    preprocessing = {"resize": 32, "crop": 32}  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 8, 8)
        self.block = nn.Linear(8, 8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.shape[-1] != 32:
            raise ValueError("one size only")
        tokens = self.patches(x).flatten(2).transpose(1, 2)
        return self.block(torch.cat([tokens.mean(1, keepdim=True), tokens], 1))


def test_what_is_not_there_is_refused_with_a_sentence(planted):
    with pytest.raises(ValueError, match="has units 0-2, not 3"):
        mami.visualise(planted, "relu", [3], steps=1, size=32, progress=False)
    with pytest.raises(ValueError, match="no layer 'reluu'; near matches: relu"):
        mami.visualise(planted, "reluu", [0], steps=1, size=32, progress=False)
    with pytest.raises(ValueError, match="a direction of 2 entries"):
        mami.visualise(planted, "relu", directions=[(1.0, 2.0)], steps=1, size=32, progress=False)
    with pytest.raises(ValueError, match="name what to visualise"):
        mami.visualise(planted, "relu", progress=False)


@pytest.mark.parametrize("mean", [(0.0, 0.0, 0.0), (0.485, 0.456, 0.406)])
def test_colours_are_fed_as_the_preprocessing_feeds_them(mean):
    from PIL import Image

    from mami_core.inputs import Preprocess

    preprocess = Preprocess(resize=None, crop=None, mean=mean, std=(0.2, 0.3, 0.4))
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8))
    fed = Colours.of(preprocess)(as_pixels(picture, (9, 7)))[0]
    assert torch.allclose(fed, preprocess(picture), atol=1e-5)


def test_a_preprocessing_that_bends_colours_is_refused():
    from mami_core.inputs import Preprocess

    plain = Preprocess(resize=None, crop=None)
    with pytest.raises(ValueError, match="no affine map of colours"):
        Colours.of(lambda image: plain(image) ** 2)

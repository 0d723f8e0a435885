"""Units and words as points: neighbours by brute force, components by SVD, trustworthiness by scikit-learn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from probed_dissection import probed
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness as reference_trustworthiness
from sklearn.metrics.pairwise import cosine_distances

from mami_core.probing.filtering import UnitFilter, chosen_keys, chosen_rows, unit_table
from mami_core.probing.spaces.maps import group_names, grouped, kept_map, make_map
from mami_core.probing.spaces.projection import principal, t_sne, trustworthiness
from mami_core.probing.spaces.space import Space
from mami_core.probing.spaces.units import unit_space, unit_spaces
from mami_core.probing.spaces.words import units_by_word, word_space
from mami_core.probing.unit_lists import parse_unit_list
from mami_core.probing.words import TextIndex
from mami_core.store.home import ASSETS

RNG = np.random.default_rng(5)
VECTORS = RNG.normal(size=(40, 9)) * np.arange(1, 10)
CAPTIONS = {("l", unit): text for unit, text in enumerate(["red roofs", "red roofs", "green grass", "grass", "a sky"])}


def made_space(vectors: np.ndarray = VECTORS) -> Space:
    return Space.of("made", [("l", unit) for unit in range(len(vectors))], vectors)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAMI_HOME", str(tmp_path / "home"))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 39), st.integers(1, 60))
def test_neighbours_are_those_of_a_loop_over_all_pairs(row: int, count: int) -> None:
    scores = [float(a @ VECTORS[row] / np.linalg.norm(a) / np.linalg.norm(VECTORS[row])) for a in VECTORS]
    expected = sorted((at for at in range(40) if at != row), key=lambda at: -scores[at])[:count]

    found = made_space().neighbours(row, count)

    assert [at for at, _ in found] == expected
    assert [score for _, score in found] == pytest.approx([scores[at] for at in expected], abs=1e-5)


@pytest.mark.parametrize("by", ["profile", "caption"])
def test_a_duplicated_unit_is_the_nearest_of_its_double(tmp_path: Path, by: str) -> None:
    peaks = RNG.normal(size=(80, 5))
    peaks[:, 1] = peaks[:, 0]
    space = unit_space(probed(tmp_path / "d", {"l": peaks}, captions={"c": CAPTIONS}), by)

    [(nearest, likeness)] = space.neighbours(space.rows["l", 0], 1)

    assert space.keys[nearest] == ("l", 1)
    assert likeness == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("shape", [(40, 9), (6, 30)], ids=["more points", "more dimensions"])
@pytest.mark.parametrize("count", [2, 5])
def test_principal_components_are_scikit_learns_up_to_their_signs(shape: tuple[int, int], count: int) -> None:
    vectors = RNG.normal(size=shape) * np.linspace(1, 4, shape[1])
    expected = PCA(count, svd_solver="full").fit_transform(vectors)

    found = principal(vectors, count)

    assert np.abs(found) == pytest.approx(np.abs(expected), abs=1e-4)
    assert principal(vectors, count).tolist() == found.tolist()


def test_sparse_vectors_have_the_components_of_dense_ones() -> None:
    texts = [" ".join(RNG.choice(["red", "blue", "green", "roof", "sky", "grass"], size=3)) for _ in range(50)]
    rows = TextIndex.of(texts).rows

    assert np.abs(principal(rows, 2)) == pytest.approx(np.abs(principal(np.asarray(rows.todense()), 2)), abs=1e-4)


def test_trustworthiness_is_scikit_learns() -> None:
    space, plane = made_space(), RNG.normal(size=(40, 2)).astype(np.float32)
    expected = reference_trustworthiness(cosine_distances(VECTORS), plane, n_neighbors=10, metric="precomputed")

    assert trustworthiness(space, plane) == pytest.approx(expected, abs=1e-6)
    assert trustworthiness(made_space(VECTORS[:, :2] * [1, 0]), plane) < 1


def test_neighbours_on_the_circle_that_the_points_are_are_trusted_wholly() -> None:
    angle = np.linspace(0, 5, 40)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)

    assert trustworthiness(made_space(circle), circle) == pytest.approx(1)


def test_t_sne_keeps_groups_that_lie_apart_and_says_the_same_twice() -> None:
    vectors = np.repeat(np.eye(3, 8), 15, axis=0) + RNG.normal(size=(45, 8)) * 0.05
    plane = t_sne(vectors, seed=3)
    distance = np.linalg.norm(plane[:, None] - plane, axis=-1)
    np.fill_diagonal(distance, np.inf)

    assert (distance.argmin(axis=1) // 15 == np.arange(45) // 15).all()
    assert t_sne(vectors, seed=3).tolist() == plane.tolist()
    with pytest.raises(ValueError, match="choose pca"):
        t_sne(vectors[:3])


def test_a_map_is_made_once_and_found_by_content() -> None:
    space = made_space()
    assert kept_map(space, "pca") is None

    made = make_map(space, "pca", groups=4)

    kept = kept_map(space, "pca", groups=4)
    assert kept is not None
    assert (kept.places.tolist(), kept.groups.tolist(), kept.trust) == (
        made.places.tolist(), made.groups.tolist(), made.trust)  # fmt: skip
    assert kept_map(space, "pca", groups=5) is None
    assert kept_map(made_space(VECTORS + 0.1), "pca", groups=4) is None


def test_groups_are_found_largest_first_and_named_by_the_words_that_others_do_not_say() -> None:
    vectors = np.repeat(np.eye(3, 6), [5, 12, 8], axis=0) + RNG.normal(size=(25, 6)) * 0.02
    groups = grouped(made_space(vectors), 3)
    texts = ["a red roof"] * 5 + ["a blue sky"] * 12 + ["a lawn", None] * 4

    assert groups.tolist() == [2] * 5 + [0] * 12 + [1] * 8
    assert group_names(groups, texts) == ["blue, sky", "lawn", "red, roof"]


def test_points_without_a_vector_are_left_out_and_counted(tmp_path: Path) -> None:
    peaks = RNG.normal(size=(30, 5))
    peaks[:, 3] = 2.0  # never varies
    dissection = probed(
        tmp_path / "d", {"l": peaks}, captions={"c": {key: CAPTIONS[key] for key in [("l", 0), ("l", 4)]}}
    )

    assert unit_spaces(dissection) == ["caption:c", "profile"]
    profile, caption = unit_space(dissection, "profile"), unit_space(dissection, "caption:c")
    assert (profile.left_out, [unit for _, unit in profile.keys]) == (1, [0, 1, 2, 4])
    assert (caption.left_out, [unit for _, unit in caption.keys]) == (3, [0, 4])


@pytest.mark.parametrize(
    ("by", "reason"),
    [("features", "keeps no features"), ("caption:nobody", "captioned by: c"), ("colour", "choose features, caption")],
)
def test_what_was_not_prepared_is_refused_in_words(tmp_path: Path, by: str, reason: str) -> None:
    dissection = probed(tmp_path / "d", {"l": RNG.normal(size=(30, 5))}, captions={"c": CAPTIONS})
    with pytest.raises(ValueError, match=reason):
        unit_space(dissection, by)


def test_words_lie_where_the_captioner_reads_them_and_name_the_units_that_say_them(tmp_path: Path) -> None:
    from mami_core.captioning.checkpoint import load_checkpoint

    space = word_space("mami@scenery")
    checkpoint = load_checkpoint(ASSETS / "models" / "mami@scenery")
    table = checkpoint.decoder.embedding.weight.detach().numpy()
    word = "roofs"
    own = table[checkpoint.vocabulary.words.index(word)]
    assert space.vectors[space.rows[word]] == pytest.approx(own / np.linalg.norm(own), abs=1e-5)

    dissection = probed(tmp_path / "d", {"l": RNG.normal(size=(9, 5))}, captions={"c": CAPTIONS})
    assert units_by_word(dissection, "c")["grass"] == [("l", 2), ("l", 3)]
    assert units_by_word(dissection, "nobody") == {}
    with pytest.raises(FileNotFoundError, match="nobody"):
        word_space("nobody")


LAYER_NAMES = st.text("abc.1/_-", min_size=1, max_size=8).filter(lambda name: name.strip() == name)


@given(st.dictionaries(LAYER_NAMES, st.sets(st.integers(0, 300), min_size=1, max_size=20), min_size=1, max_size=3))
def test_a_list_of_units_reads_back(units: dict[str, set[int]]) -> None:
    text = "units " + "; ".join(f"{layer}:{','.join(map(str, sorted(own)))}" for layer, own in units.items())
    assert parse_unit_list(text) == {(layer, unit) for layer, own in units.items() for unit in own}


def test_lists_filter_by_a_list_of_units_with_ranges(tmp_path: Path) -> None:
    table = unit_table(probed(tmp_path / "d", {"l": RNG.normal(size=(9, 6)), "k": RNG.normal(size=(9, 2))}))
    choice = UnitFilter(text="units l:1-3,5; k:0")

    assert chosen_keys(table, chosen_rows(table, choice)) == [("l", 1), ("l", 2), ("l", 3), ("l", 5), ("k", 0)]


@pytest.mark.parametrize(
    "text", ["units l:3-x", "units l:", "units l:1;;", "units l:0-9999999999", "units " + "l:1;" * 3000]
)
def test_a_list_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="unit"):
        UnitFilter(text=text)

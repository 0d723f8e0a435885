"""Kept visualisations and attributions, as the page draws them: read from disk, nothing is computed."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import quote, urlencode

import numpy as np

from dashboard import loaders
from dashboard.routes import are_served, unit_address
from mami_core.config import settings_sha256
from mami_core.probing.attribution.overlays import enlarged, masked, overlay
from mami_core.store.kept_results import ATTRIBUTIONS, VISUALISATIONS, WORDS, KeptResult, KeptResults

STYLE = """<style>
.pictures{display:flex;flex-wrap:wrap;gap:.9rem;margin:.2rem 0 1rem}
.pictures figure{margin:0;width:max(10.5rem,calc((100% - 4.5rem)/6));
border:1px solid color-mix(in srgb,currentColor 18%,transparent);
border-radius:.6rem;overflow:hidden}
.pictures a{color:inherit;text-decoration:none;display:block}
.pictures .made{display:flex;gap:2px;background:color-mix(in srgb,currentColor 8%,transparent)}
.pictures .made img{flex:1;min-width:0;aspect-ratio:1;object-fit:cover;display:block}
.pictures .seen{display:block;width:100%;aspect-ratio:4;object-fit:cover;object-position:left}
.pictures figcaption{padding:.45rem .65rem .55rem;font-size:.8rem;line-height:1.35}
.pictures .id{font-weight:600}.pictures .quiet{opacity:.72}
.pictures .said{display:-webkit-box;-webkit-line-clamp:3;-webkit-box-orient:vertical;overflow:hidden}
</style>"""


@dataclass(frozen=True)
class Made:
    """One unit's kept pictures with what a dissection knows of it."""

    unit: int
    results: tuple[KeptResult, ...]


def weights_of(found: loaders.Found) -> str:
    """Return the SHA-256 of the dissected network's weights, as results are kept by it."""
    return str(loaders.opened(found).manifest.weights_sha256)


def made_of_layer(found: loaders.Found, layer: str) -> list[Made]:
    """Return the units of a layer that have pictures, by number."""
    by_unit: dict[int, list[KeptResult]] = {}
    for result in KeptResults(VISUALISATIONS, weights_of(found), layer).all():
        if result.facts["unit"] is not None:
            by_unit.setdefault(int(result.facts["unit"]), []).append(result)
    return [Made(unit, tuple(sorted(kept, key=_order))) for unit, kept in sorted(by_unit.items())]


def _order(result: KeptResult) -> tuple[bool, int]:
    recipe = result.facts["recipe"]
    return bool(recipe["negative"]), -int(recipe["steps"])


def cards(found: loaders.Found, layer: str, made: Iterable[Made]) -> str:
    """Return the cards of a layer's units as HTML: pictures, exemplars, captions, how far the pictures got."""
    return f'{STYLE}<div class="pictures">{"".join(_card(found, layer, entry) for entry in made)}</div>'


def _card(found: loaders.Found, layer: str, made: Made) -> str:
    shown = _best_of_each_side(made.results)
    pictures = "".join(f'<img src="{_png_url(result.read("png"))}" alt="{_side(result)}">' for result in shown)
    address = "neuron?" + urlencode({"d": found.id, "layer": layer, "unit": made.unit})
    said = "; ".join(loaders.spoken(found, layer, made.unit).values())
    lines = "<br>".join(escape(_reached(found, layer, result)) for result in shown)
    return (
        f'<figure><a href="{escape(address)}" target="_self"><div class="made">{pictures}</div>'
        f'<img class="seen" src="{exemplars_url(found, layer, made.unit)}" alt="exemplars">'
        f'<figcaption><span class="id">{escape(layer)} · {made.unit}</span> <span class="quiet">{lines}</span>'
        f'<div class="said" title="{escape(said)}">{escape(said)}</div></figcaption></a></figure>'
    )


def _best_of_each_side(results: Sequence[KeptResult]) -> list[KeptResult]:
    """Return the pictures with the most steps of each side: the results are in that order."""
    sides: dict[bool, KeptResult] = {}
    for result in results:
        sides.setdefault(bool(result.facts["recipe"]["negative"]), result)
    return list(sides.values())


def _side(result: KeptResult) -> str:
    return "negative side" if result.facts["recipe"]["negative"] else "feature visualisation"


def _reached(found: loaders.Found, layer: str, result: KeptResult) -> str:
    """Return in words how far a picture got: start, end, and its strongest cell against the images' strongest."""
    facts = result.facts
    if facts["state"] == "silent":
        return "silent: no picture was found that it answers to"
    if facts["recipe"]["negative"]:
        return f"negative: {facts['before'][0]:.3g} → {min(facts['reached']):.3g}"
    largest = loaders.opened(found).statistics(layer, facts["unit"]).maximum
    best = max(facts["reached"])
    against = f" ({best / largest:.0%} of the images’ largest)" if largest > 0 else ""
    return f"{facts['before'][0]:.3g} → {best:.3g}{against}"


def exemplars_url(found: loaders.Found, layer: str, unit: int) -> str:
    """Return an address, or the bytes themselves, of a unit's first exemplars in one row."""
    if are_served():
        return f"{unit_address(found)}/{quote(layer)}/{unit}.jpg?count=4"
    data = loaders.unit_sprite(found, layer, unit, "jpg", 4)
    return "data:image/jpeg;base64," + base64.b64encode(data).decode()


def _png_url(data: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(data).decode()


def attributions_of(found: loaders.Found, layer: str, unit: int, exemplar: int) -> Iterator[KeptResult]:
    """Yield what is kept of one exemplar of a unit."""
    yield from KeptResults(ATTRIBUTIONS, weights_of(found), layer).all(f"{unit}~{exemplar}~")


def words_of(found: loaders.Found, layer: str, unit: int) -> list[KeptResult]:
    """Return the captions of a unit whose words were attributed."""
    manifest = loaders.opened(found).manifest
    about = {"settings": manifest.settings.get("settings_sha256"), "of": manifest.name}
    return list(KeptResults(WORDS, settings_sha256(about), layer).all(f"{unit}~"))


def arrays(result: KeptResult) -> dict[str, np.ndarray]:
    """Return a result's arrays."""
    with np.load(io.BytesIO(result.read("npz")), allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def attribution_pictures(result: KeptResult) -> dict[str, np.ndarray]:
    """Return what is drawn of one exemplar, by title: the picture, its mask, each method's map."""
    found = arrays(result)
    picture = found["picture"]
    shown = {"exemplar": picture}
    if "mask" in found:
        shown["activation mask"] = masked(picture, found["mask"])
    return shown | {name: overlay(picture, found[f"map:{name}"]) for name in result.facts["methods"]}


def word_pictures(found: loaders.Found, layer: str, result: KeptResult, word: int, count: int) -> Mapping[str, Any]:
    """Return, by method, the exemplars in which a word loses most without a region, each under that method's map."""
    unit, grid = int(result.name.partition("~")[0]), result.facts["grid"]
    maps = {name: rows[word].reshape(grid) for name, rows in arrays(result).items()}  # (k, h, w)
    lost = np.abs(maps["occlusion"]).reshape(grid[0], -1).max(1)  # (k,)
    chosen = np.sort(np.argsort(-lost, kind="stable")[:count])
    entries = loaders.opened(found).exemplars_of(layer, unit)["top"]
    with loaders.READING:
        pictures = {int(place): loaders.opened(found).images.array(entries[place].image_id) for place in chosen}
    return {
        name: [
            overlay(picture, enlarged(cells[place], picture.shape[:2]), full=float(np.abs(cells).max()))
            for place, picture in pictures.items()
        ]
        for name, cells in maps.items()
    }

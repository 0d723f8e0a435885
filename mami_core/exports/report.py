"""A static report: many neurons on one HTML page that opens from disk and asks nothing of any server."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape
from typing import Final

from PIL import Image

from mami_core.exports.card import STYLE, unit_section, views
from mami_core.store import Dissection, UnitKey, encode_image

TILE: Final = 112  # pixels; what a picture is shown at, so what it is kept at
_POLICY: Final = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
_PAGE: Final = """
:root{color-scheme:light dark}
body{max-width:1120px;margin:1.2rem auto;padding:0 1rem;font:15px/1.5 system-ui,sans-serif}
h1{font-size:1.5rem;margin:.2em 0}header p{margin:.3em 0}
.bar{position:sticky;top:0;background:Canvas;padding:.5em 0;z-index:1;border-bottom:1px solid #8886}
.bar input[type=search]{width:min(26em,100%);padding:.35em .5em;font:inherit}
.mami{content-visibility:auto;contain-intrinsic-size:auto 330px;border-top:1px solid #8884;padding:.6em 0;margin:0}
.mami[hidden]{display:none}.note{opacity:.75}
"""
# The views' switch stands once, above all units: it is a sibling of the rows' container, not of the rows.
_SWITCH: Final = """
.all[data-view=mask] .heat,.all[data-view=plain] .heat{visibility:hidden}
.all[data-view=mask] .mask{visibility:visible}.all[data-view=mask] i:hover .mask{visibility:hidden}
"""
_SCRIPT: Final = """
const all = document.querySelector(".all"), field = document.querySelector("[type=search]");
const count = document.querySelector("output");
document.querySelectorAll("[name=view]").forEach((choice) =>
  choice.addEventListener("change", () => { all.dataset.view = choice.value; }));
field.addEventListener("input", () => {
  const words = field.value.toLowerCase().split(/\\s+/).filter(Boolean);
  let shown = 0;
  for (const unit of all.children) {
    unit.hidden = !words.every((word) => unit.dataset.text.includes(word));
    shown += !unit.hidden;
  }
  count.textContent = shown;
});
"""


def layer_report(dissection: Dissection, keys: Sequence[UnitKey]) -> str:
    """Return the page of some units. Each picture is in it once, however many units share it.

    About 10 KB a unit and 4 KB a picture; the page filters by words and switches heatmaps, masks and pictures.
    """
    sections = [_section(dissection, key) for key in keys]
    pictures = sorted({entry.image_id for key in keys for entry in dissection.exemplars_of(*key).get("top", ())})
    rules = "".join(f".p{image}{{background-image:url({_small(dissection, image)})}}" for image in pictures)
    title = escape(f"{dissection.name}: {', '.join(dict.fromkeys(layer for layer, _ in keys))}")
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width">'
        f"<style>{STYLE}{_PAGE}{_SWITCH}</style><style>{rules}</style></head>\n<body>{_head(dissection, title)}"
        '<div class="bar mami"><label>Units that speak of <input type="search" aria-label="Filter units"></label>'
        f"<small><output>{len(keys)}</output> units</small> {views('view')}</div>"
        f'<main class="all" data-view="heat">{"".join(sections)}</main>\n<script>{_SCRIPT}</script></body></html>\n'
    )


def _head(dissection: Dissection, title: str) -> str:
    manifest = dissection.manifest
    simulated = "<p><strong>Simulated:</strong> painted scenes, simulated annotators.</p>" if manifest.simulated else ""
    about = f"{manifest.network} over {manifest.images} images of {manifest.dataset}"
    weights = f", weights {manifest.weights_sha256[:12]}" if manifest.weights_sha256 else ""
    return (
        f'<header><h1>{title}</h1><p>{escape(about)}<span class="note">{escape(weights)}</span></p>{simulated}'
        '<p class="note">A heatmap is bright where the unit fires, up to its own maximum; a mask leaves what lies '
        "above its threshold. Rest the pointer on a picture to see it bare. A caption is no proof of cause.</p>"
        "</header>"
    )


def _section(dissection: Dissection, key: UnitKey) -> str:
    record = dissection.neuron(*key)
    texts = [caption.text for caption in record.captions.values()] + [entry.text for entry in record.references]
    words = escape(" ".join([key[0], str(key[1]), *texts]).lower())
    html = unit_section(dissection, record, lambda image: f'class="p{image}"')
    return html.replace('<section class="mami"', f'<section class="mami" data-text="{words}"', 1)


def _small(dissection: Dissection, image: int) -> str:
    data = dissection.images.encoded(image)
    with Image.open(io.BytesIO(data)) as picture:
        if max(picture.size) > TILE:
            data = encode_image(picture.resize((TILE, TILE), Image.Resampling.LANCZOS))
    kind = "webp" if data[:4] == b"RIFF" else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"

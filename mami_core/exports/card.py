"""One neuron as a piece of HTML that needs nothing else: pictures, heatmaps and masks are in it.

A notebook shows it as it is; `report.py` puts many on a page. Everything that came from outside is escaped.
"""

from __future__ import annotations

import base64
import hashlib
import io
import math
from collections.abc import Callable, Sequence
from html import escape
from typing import Final

import numpy as np
from PIL import Image

from mami_core.dissection.masks import unit_masks
from mami_core.probing.payload import caption_warning, decoding_text
from mami_core.records import Caption, NeuronRecord, Reference
from mami_core.store import Dissection

_LEVELS: Final = 16  # shades of a heatmap: four bits a cell
_MASK_SIDE: Final = 56  # cells of a drawn mask, wide and high
_VIEWS: Final = (("heat", "heatmap"), ("mask", "mask"), ("plain", "picture"))
_UNSPOKEN: Final = {"failed": "captioning failed", "dead_unit": "no caption: the unit never fires"}

STYLE: Final = """
.mami{font:14px/1.45 system-ui,sans-serif;margin:.6em 0}
.mami h3{font-size:1.05em;margin:0 0 .1em}.mami p{margin:.15em 0}
.mami small,.mami .quiet{opacity:.68;font-size:.86em}
.mami dl{display:grid;grid-template-columns:max-content 1fr;gap:.15em .8em;margin:.4em 0}
.mami dt{font-weight:600}.mami dd{margin:0}
.mami label{margin-right:.9em;font-size:.86em}.mami input{vertical-align:-2px}
.mami .row{display:flex;flex-wrap:wrap;gap:6px;margin:.4em 0}
.mami figure{margin:0;width:112px}.mami figcaption{font-size:11px;opacity:.68}
.mami i{display:block;position:relative;width:112px;height:112px;background-size:100% 100%;border-radius:4px}
.mami i b{position:absolute;inset:0;background-size:100% 100%;border-radius:4px}
.mami i .mask{image-rendering:pixelated;visibility:hidden}
.mami [value=mask]:checked~.row .heat,.mami [value=plain]:checked~.row .heat,.mami i:hover b{visibility:hidden}
.mami [value=mask]:checked~.row .mask{visibility:visible}
.mami [value=mask]:checked~.row i:hover .mask{visibility:hidden}
"""


def neuron_card(dissection: Dissection, record: NeuronRecord) -> str:
    """Return a neuron as self-contained HTML: exemplars with heatmaps and masks, captions, references, threshold."""

    def picture(image: int) -> str:
        return f'style="background-image:url({_address(dissection.images.encoded(image))})"'

    name = "mami-" + hashlib.sha256(f"{dissection.path}{record.neuron}".encode()).hexdigest()[:10]
    return f"<style>{STYLE}</style>{unit_section(dissection, record, picture, switch=views(name))}"


def views(name: str) -> str:
    """Return the choice of what is drawn over the pictures; `name` keeps several choices on a page apart."""
    choices = (
        f'<input type="radio" name="{name}" id="{name}-{view}" value="{view}"{" checked" if view == "heat" else ""}>'
        f'<label for="{name}-{view}">{words}</label>'
        for view, words in _VIEWS
    )
    return "".join(choices)


def unit_section(
    dissection: Dissection, record: NeuronRecord, picture: Callable[[int], str], *, switch: str = ""
) -> str:
    """Return a neuron's HTML without the style. `picture` gives the attributes that draw an image by its id."""
    neuron = record.neuron
    return (
        f'<section class="mami"><h3>{escape(neuron.layer)} · {neuron.unit} '
        f"<small>{escape(neuron.network)} over {escape(dissection.manifest.dataset)}</small></h3>"
        f"{_facts(dissection, record)}{_spoken(dissection, record)}{switch}{_exemplars(dissection, record, picture)}"
        "</section>"
    )


def _facts(dissection: Dissection, record: NeuronRecord) -> str:
    found, quantile = record.statistics, dissection.manifest.settings.get("quantile")
    level = f" ({100 * quantile:g} % quantile)" if quantile else ""
    facts = [f"threshold {_figure(found.threshold)}{level}", f"maximum {_figure(found.maximum)}"]
    if found.state != "alive":
        facts.insert(0, f"<strong>{escape(found.state)}</strong>")
    if dissection.manifest.simulated:
        facts.append("simulated: painted scenes")
    return f"<p><small>{' · '.join(facts)}</small></p>"


def _spoken(dissection: Dissection, record: NeuronRecord) -> str:
    rows = [(name, _said(dissection, name, record.captions.get(name))) for name in dissection.captioners]
    sets = dict.fromkeys(entry.set for entry in record.references)
    rows += [(f"references, {name}", _told(record.references, name)) for name in sets]
    if not rows:
        return '<p class="quiet">Not captioned yet: <code>mami caption</code>.</p>'
    return "<dl>" + "".join(f"<dt>{escape(name)}</dt><dd>{text}</dd>" for name, text in rows) + "</dl>"


def _told(references: Sequence[Reference], name: str) -> str:
    return escape(" / ".join(entry.text for entry in references if entry.set == name))


def _said(dissection: Dissection, name: str, caption: Caption | None) -> str:
    if caption is None or caption.state != "ok":
        reason = "not captioned" if caption is None else _UNSPOKEN[caption.state]
        return f'<span class="quiet">{reason}</span>'
    facts = dissection.manifest.captioners[name]
    notes = [decoding_text(facts)]
    if math.isfinite(caption.log_p_given_exemplars):
        notes.append(f"log p(d|E) {_figure(caption.log_p_given_exemplars)}")
    if math.isfinite(caption.pmi):
        notes.append(f"PMI {_figure(caption.pmi)}")
    if warning := caption_warning(facts, simulated_images=dissection.manifest.simulated):
        notes.append(warning)
    return f"{escape(caption.text)} <small>{escape(' · '.join(notes))}</small>"


def _exemplars(dissection: Dissection, record: NeuronRecord, picture: Callable[[int], str]) -> str:
    top = record.exemplars.get("top", ())
    if not top:
        return '<p class="quiet">No exemplars are kept.</p>'
    layer, unit = record.neuron.layer, record.neuron.unit
    maps = np.asarray(dissection.maps(layer)[dissection.row(layer, unit)], dtype=np.float32)[: len(top)]  # (k, h, w)
    masks = unit_masks(dissection, layer, unit, (_MASK_SIDE, _MASK_SIDE))  # (k, 56, 56)
    highest = float(np.nanmax(maps, initial=0.0))
    figures = []
    for entry, values, mask in zip(top, maps, masks, strict=False):
        told = escape(f"{entry.image_name}, activation {_figure(entry.activation)}")
        over = "" if values.size == 1 else _over("heat", _heat(values, highest)) + _over("mask", _outside(mask))
        figures.append(
            f'<figure><i role="img" aria-label="{told}" title="{told}" {picture(entry.image_id)}>{over}</i>'
            f"<figcaption>{entry.rank + 1} · {_figure(entry.activation)}</figcaption></figure>"
        )
    return f'<div class="row">{"".join(figures)}</div>'


def _over(kind: str, picture: Image.Image) -> str:
    return f'<b class="{kind}" style="background-image:url({_address(_png(picture))})"></b>'


def _heat(values: np.ndarray, highest: float) -> Image.Image:
    """Return a map (h, w) as a veil that lifts up to the unit's own maximum: clear on pictures of any colour.

    The browser smooths it while enlarging.
    """
    share = np.clip(np.nan_to_num(values) / highest, 0, 1) if highest > 0 else np.zeros_like(values)
    picture = Image.fromarray(np.rint(share * (_LEVELS - 1)).astype(np.uint8), mode="P")
    ramp = np.linspace(0, 1, _LEVELS)
    colours = np.stack([20 + 200 * ramp, 16 + 60 * ramp, 60 + 20 * ramp], axis=1).astype(np.uint8)  # indigo to red
    picture.putpalette(colours.tobytes())
    picture.info["transparency"] = bytes((215 * (1 - ramp) ** 0.7).astype(np.uint8))
    return picture


def _outside(mask: np.ndarray) -> Image.Image:
    """Return a mask (h, w) as a veil over everything outside it."""
    picture = Image.fromarray(mask.astype(np.uint8), mode="P")
    picture.putpalette(bytes(6))
    picture.info["transparency"] = bytes([190, 0])
    return picture


def _png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True, transparency=picture.info["transparency"])
    return buffer.getvalue()


def _address(data: bytes) -> str:
    kind = "png" if data[:4] == b"\x89PNG" else "webp" if data[:4] == b"RIFF" else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"


def _figure(value: float) -> str:
    return f"{value:.4g}" if math.isfinite(value) else "not computed"

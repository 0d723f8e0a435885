"""NetDissect and CLIP-Dissect run here, as captioners beside ours: their captions with their scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from mami_core.captioning import clip_dissect, netdissect
from mami_core.captioning.image_text import ImageText, TransformersClip
from mami_core.config import CaptionConfig
from mami_core.device import choose_device
from mami_core.inputs.segmentation import SegmentationFolder, Segmented
from mami_core.pipeline.captions.speaking import take_down, with_settings_sha256
from mami_core.pipeline.progress import Report
from mami_core.pipeline.sources import PREFIX, open_any_images, open_any_network
from mami_core.pipeline.trainings.train_match import is_match, open_match
from mami_core.records import Caption
from mami_core.scenery.images import SceneryImages
from mami_core.scenery.segmentation import SegmentedScenery
from mami_core.store import Dissection, UnitKey

BASELINES: Final = (netdissect.NAME, clip_dissect.NAME)


def caption_by_netdissect(
    dissection: Dissection, keys: Sequence[UnitKey], config: CaptionConfig, report: Report
) -> dict[UnitKey, Caption]:
    """Call units by the concept they overlap most, over the images of `--segmentation`, and write the captions."""
    segmented = open_segmented(dissection, config)
    settings = dissection.manifest.settings
    network = open_any_network(
        settings["network"], weights=config.weights, arguments=settings["arguments"],
        resize=settings["resize"], crop=settings["crop"],
    )  # fmt: skip
    network.module.to(choose_device(config.device))
    layers = [layer for layer in dissection.layers if any(key[0] == layer for key in keys)]
    found = netdissect.overlaps(
        dissection,
        network,
        segmented,
        layers,
        progress=lambda done, total: report("netdissect: images", done, total),
    )
    facts = {
        "decoding": f"highest IoU of {len(segmented.concepts)} concepts over {len(segmented)} images",
        "score_name": netdissect.SCORE,
        "segmentation": segmented.name,
        "quantile": settings["quantile"],
        "simulated": isinstance(segmented, SegmentedScenery),
    }
    return take_down(
        dissection,
        netdissect.NAME,
        with_settings_sha256(facts),
        keys,
        lambda batch: netdissect.named_units(dissection, found, segmented.concepts, batch),
        batch_size=max(len(keys), 1),
        report=report,
    )


def open_segmented(dissection: Dissection, config: CaptionConfig) -> Segmented:
    """Return the images with concepts that `--segmentation` names: `scenery`, `scenery:N:SEED`, or a folder of PNGs."""
    named = config.segmentation
    if named is None:
        raise ValueError(
            "netdissect needs --segmentation: a folder of class-index PNGs named as their images, or scenery"
        )
    if named == PREFIX.rstrip(":") or named.startswith(PREFIX):
        scenes = open_any_images(dissection.manifest.dataset if named == PREFIX.rstrip(":") else named)
        if not isinstance(scenes, SceneryImages):
            raise ValueError(f"{dissection.name} is not of painted scenes; write --segmentation scenery:N:SEED")
        return SegmentedScenery(scenes)
    return SegmentationFolder(Path(named), None if config.images is None else Path(config.images))


def caption_by_clip_dissect(
    dissection: Dissection, keys: Sequence[UnitKey], config: CaptionConfig, report: Report
) -> dict[UnitKey, Caption]:
    """Call units by the concept of highest soft WPMI, and write the captions."""
    concepts, model = read_concepts(config.concepts), open_image_text(config)
    ids, vectors = _image_vectors(dissection, model, config, report)
    similar = vectors @ model.text_vectors(concepts).T  # (N, C)
    rows = np.searchsorted(dissection.peak_ids, ids)
    scores: dict[UnitKey, np.ndarray] = {}
    for layer in dict.fromkeys(layer for layer, _ in keys):
        found = clip_dissect.soft_wpmi(
            similar, np.asarray(dissection.peaks(layer)[rows])
        )  # of all units: p(c) needs them
        scores |= {key: found[dissection.row(*key)] for key in keys if key[0] == layer}
    facts = {
        "decoding": f"soft WPMI among {len(concepts)} concepts over {len(ids)} images",
        "score_name": clip_dissect.SCORE,
        "clip": model.name,
        "images": "all images" if config.images else "the exemplars of all units",
        "simulated": dissection.manifest.simulated,
    }
    return take_down(
        dissection,
        clip_dissect.NAME,
        with_settings_sha256(facts),
        keys,
        lambda batch: [clip_dissect.named_unit(scores[key], concepts) for key in batch],
        batch_size=max(len(keys), 1),
        report=report,
    )


def read_concepts(path: Path | None) -> list[str]:
    """Return the concepts of a text file, one a line, each once. ValueError where there are fewer than two."""
    if path is None:
        raise ValueError("clip-dissect needs --concepts: a text file with a concept a line")
    if not path.is_file():
        raise FileNotFoundError(f"there is no file of concepts {path}")
    found = list(dict.fromkeys(line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()))
    if len(found) < 2:
        raise ValueError(f"{path} holds {len(found)} concepts; a choice needs two or more, one a line")
    return found


def open_image_text(config: CaptionConfig) -> ImageText:
    """Return the image-text model that `--clip` names: of transformers, or a match of `mami train`."""
    if config.clip is None:
        raise ValueError(
            "clip-dissect needs --clip: the folder of a CLIP of transformers, or of `mami train DATA --captioner match`"
        )
    if not config.clip.is_dir():
        raise FileNotFoundError(f"there is no folder {config.clip}; --clip names an image-text model on this disk")
    if is_match(config.clip):
        return open_match(config.clip)
    return TransformersClip(config.clip, choose_device(config.device))


def _image_vectors(
    dissection: Dissection, model: ImageText, config: CaptionConfig, report: Report
) -> tuple[np.ndarray, np.ndarray]:
    """Return which images were read, ascending ids (N,), and their vectors (N, P).

    Those that the dissection ran over where `--images` names them, else the exemplars that it keeps.
    """
    ids, load = readable(dissection, config.images)
    parts, size = [], 32
    for start in range(0, len(ids), size):
        parts.append(model.image_vectors([load(number) for number in ids[start : start + size]]))
        report("clip-dissect: images", min(start + size, len(ids)), len(ids))
    return np.array(ids), np.concatenate(parts)


def readable(dissection: Dissection, images: str | None) -> tuple[list[int], Callable[[int], Image.Image]]:
    """Return which dissected images can be read, ascending ids, and how: those of `images`, else the kept ones."""
    known = set(dissection.peak_ids.tolist())
    if images is None:
        return [number for number in dissection.images.ids() if number in known], dissection.images.image
    source = open_any_images(images)
    if source.fingerprint() != dissection.manifest.image_ids_sha256:
        raise ValueError(f"{images} are not the {dissection.manifest.images} images that were dissected")
    return sorted(known), source.load

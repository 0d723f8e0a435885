"""Captioned images ready for training: opened, encoded once, split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from mami_core.captioning.encoder import CONFIG, load_encoder
from mami_core.captioning.encoders import AnyEncoder, encoder_facts_in, open_encoder
from mami_core.captioning.image_encoder import KIND, ImageEncoder, load_fit, network_grid, parts_grid
from mami_core.captioning.names import CAPTIONERS
from mami_core.interop.captioned_images import PREFIX, SPLITS, CaptionedImages, open_captioned
from mami_core.pipeline.progress import Report
from mami_core.pipeline.sources import open_any_network
from mami_core.store import find_model
from mami_core.training.batches import DescribedUnits
from mami_core.training.images import captioned_units, image_features, pooled_images

IMAGE_ENCODER: Final = "encoder"  # folder inside a captioner, for an encoder that belongs to it alone
FITTED_ON: Final = 256  # training images whose features give mean and spread
_FORMS: Final = (".csv", ".txt", ".token", ".json")


def names_captioned_images(data: Path | str) -> bool:
    """Tell whether DATA of `mami train` are captioned images rather than a dissection."""
    return str(data).startswith(PREFIX) or Path(data).suffix in _FORMS


def open_images_with_captions(data: Path | str, images: Path | None, *, seed: int, report: Report) -> CaptionedImages:
    """Open captioned images; painting and describing scenes takes a while, so it is said that it goes on."""
    report("captioned images", 0, 1)
    found = open_captioned(data, images=images, seed=seed)
    report("captioned images", 1, 1)
    return found


def image_encoder(
    data: CaptionedImages, encoder: str, *, weights: str | None = None, layer: str | None = None
) -> ImageEncoder:
    """Return the encoder of whole images that `encoder` names, fitted to some training images."""
    rows = data.rows("train")[:FITTED_ON]
    return backbone_encoder(encoder, weights=weights, layer=layer).fitted([data.source.load(row) for row in rows])


def backbone_encoder(encoder: str, *, weights: str | None = None, layer: str | None = None) -> ImageEncoder:
    """Return an encoder of whole images that is not yet fitted to any.

    A folder or name of a parts encoder, or any network: `torchvision:vgg16`, with `weights`. ValueError for a network
    without weights: features of a random one are nearly worthless.
    """
    if ":" in encoder:
        if weights is None and not encoder.startswith("scenery:") and ".py:" not in encoder:
            raise ValueError(f"encoder {encoder} needs --encoder-weights: DEFAULT, a weight's name, or a file")
        raw = network_grid(open_any_network(encoder, weights=weights), layer)
    else:
        raw = parts_grid(load_encoder(find_model(encoder, CONFIG)))
    return replace(raw, opened_by={"encoder": encoder, "weights": weights, "layer": layer})


def kept_encoder(folder: Path) -> AnyEncoder:
    """Return the encoder that lies in a captioner's folder, of whichever kind it is."""
    return kept_image_encoder(folder) if encoder_facts_in(folder).get("kind") == KIND else open_encoder(folder)


def kept_image_encoder(folder: Path) -> ImageEncoder:
    """Return the encoder that a captioner was trained with, opened again by the name it was given.

    FileNotFoundError or ValueError where its backbone is not at hand, or is another one by now.
    """
    body = encoder_facts_in(folder)
    named = body.get("opened_by") or {"encoder": body.get("facts", {}).get("backbone")}
    return load_fit(backbone_encoder(**named), folder)


def encoded_splits(
    data: CaptionedImages, encoder: ImageEncoder, captioner: str, *, report: Report
) -> Mapping[str, DescribedUnits]:
    """Return the images of each split with regions and captions.

    Captioners without attention read one vector an image, the mean of its regions.
    """
    features = image_features(data.source, encoder, progress=lambda done, total: report("encode images", done, total))
    if not CAPTIONERS.get(captioner, {}).get("heads", True):
        features = pooled_images(features)
    return {name: captioned_units(features, data.captions, data.rows(name)) for name in SPLITS}

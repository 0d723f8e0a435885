"""`mami caption-images`: say what whole images show, and where each word looked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from mami_core.captioning.captioner import Captioner
from mami_core.captioning.checkpoint import DESCRIPTION
from mami_core.captioning.decoding import Decoding
from mami_core.captioning.encoder import CONFIG
from mami_core.captioning.image_captions import ImageCaptioner, caption_images
from mami_core.config import CaptionImagesConfig
from mami_core.device import choose_device
from mami_core.exports.image_captions import write_image_attention, write_image_captions
from mami_core.inputs.folder import read_image
from mami_core.inputs.source import ImageSource, UnreadableImageError
from mami_core.interop.captioned_images import ImageFiles
from mami_core.pipeline.captions.caption import chosen_decoding
from mami_core.pipeline.progress import Report, print_result, progress
from mami_core.pipeline.sources import open_any_images
from mami_core.pipeline.trainings.captioned import IMAGE_ENCODER, kept_image_encoder
from mami_core.records import Caption
from mami_core.store import find_model


def run_image_captioning(config: CaptionImagesConfig) -> None:
    """Caption a folder of images, or one file, and write what was said and looked at."""
    device = choose_device(config.device)
    captioner = open_image_captioner(config.captioner, decoding=chosen_decoding(config), device=device)
    source = _source(config.images, config.include)
    with progress(quiet=config.json) as report:
        captions = caption_source(captioner, source, batch_size=config.batch_size, report=report)
    spoken = captioner.captioner
    if config.out is not None:
        write_image_captions(config.out, captions, {"captioner": spoken.name, "simulated": spoken.simulated})
    if config.attention is not None:
        write_image_attention(config.attention, captions)
    failed = [name for name, caption in captions.items() if caption.state != "ok"]
    lines = [f"{name}: {'(could not be read)' if name in failed else said.text}" for name, said in captions.items()]
    result = {"captions": {name: caption.text for name, caption in captions.items()}, "failed": failed}
    print_result(result, as_json=config.json, text="\n".join(lines))


def open_image_captioner(
    name: str | Path, *, decoding: Decoding | None = None, device: torch.device | None = None
) -> ImageCaptioner:
    """Return a captioner of images by folder or name, with its encoder.

    FileNotFoundError where there is none; ValueError where it captions units, or its encoder has changed since.
    """
    folder = find_model(name, DESCRIPTION)
    if not (folder / IMAGE_ENCODER / CONFIG).is_file():
        raise ValueError(f"captioner {folder} describes units; train one of images: mami train scenery:captions:8000 …")
    captioner = Captioner.load(folder, decoding=decoding, device=device)
    encoder = kept_image_encoder(folder / IMAGE_ENCODER)
    if encoder.sha256 != captioner.checkpoint.encoder.get("sha256"):
        raise ValueError(f"captioner {folder} was trained on another encoder than the one beside it; train it again")
    return ImageCaptioner(captioner, encoder)


def caption_source(
    captioner: ImageCaptioner, source: ImageSource, *, batch_size: int, report: Report
) -> dict[str, Caption]:
    """Return a caption per image name, in order; an image that cannot be read gets one in state `failed`."""
    captions: dict[str, Caption] = {}
    for start in range(0, len(source), batch_size):
        rows = range(start, min(start + batch_size, len(source)))
        captions |= _batch(captioner, source, rows)
        report("caption images", rows.stop, len(source))
    return captions


def _batch(captioner: ImageCaptioner, source: ImageSource, rows: Sequence[int]) -> dict[str, Caption]:
    nothing = float("nan")
    captions = {
        source.names[row]: Caption(captioner.captioner.name, (), nothing, nothing, state="failed") for row in rows
    }
    images = {}
    for row in rows:
        try:
            images[source.names[row]] = source.load(row)
        except UnreadableImageError:
            continue  # its caption says so
    if images:
        captions.update(zip(images, caption_images(captioner, list(images.values())), strict=True))
    return captions


def _source(images: str, include: str | None) -> ImageSource:
    """Open a folder, `scenery:N`, or one image file; ValueError or FileNotFoundError where it is none."""
    path = Path(images)
    if not path.is_file() or path.suffix == ".npz":
        return open_any_images(images, include=include)
    read_image(path)  # one file that cannot be read is the user's mistake
    return ImageFiles(path.stem, [path])

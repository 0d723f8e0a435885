"""The three doors of the library: `dissect`, `open`, `caption`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypedDict, Unpack

from PIL import Image
from torch import Tensor

from mami_core import dissection as dissecting
from mami_core import store
from mami_core.captioning import protocol
from mami_core.config import CaptionConfig, DissectConfig, settings_sha256
from mami_core.device import choose_device
from mami_core.inputs.arrays import DatasetImages
from mami_core.inputs.networks import Network
from mami_core.inputs.source import ImageSource
from mami_core.library.inputs import Images, Model, Normalised, as_images, as_network, is_ready
from mami_core.library.module_state import left_as_it_was
from mami_core.library.results import Dissection, Units, layer_names, unit_numbers
from mami_core.pipeline.captions.caption import Voice, chosen_decoding, open_voice, own_voice
from mami_core.pipeline.progress import progress as shown_progress
from mami_core.pipeline.selection import chosen_keys


class DissectSettings(TypedDict, total=False):
    """What else `dissect` takes: the options of `mami dissect`, with their names and defaults."""

    units: str
    k: int
    quantile: float
    sample_positions: int
    map_size: int
    thumbnail: int
    spectrum: int
    bands: int
    batch_size: int
    workers: int
    seed: int
    device: str
    exact_statistics: bool
    milan_parity: bool


def dissect(
    model: Model,
    images: Images,
    layers: str | Sequence[str] = (),
    *,
    out: Path | str | None = None,
    name: str | None = None,
    preprocess: Callable[[Image.Image], Tensor] | None = None,
    normalised: Normalised | None = None,
    weights: str | Path | None = None,
    progress: bool = True,
    **settings: Unpack[DissectSettings],
) -> Dissection:
    """Run a network over images once and keep, for every unit of every layer named, what excites it.

    Args:
        model: your own `torch.nn.Module`, or a name: `torchvision:resnet18`, `timm:NAME`, `path.py:factory`. Your
            module comes back as it was: mode, device and gradients.
        images: a folder, a list of PIL images, an array (N, H, W, 3), or a torch `Dataset` of pictures or of ready
            tensors, with or without labels.
        layers: as `model.named_modules()` names them; none: all that `mami layers` marks.
        out: the dissection's folder; none: one in `MAMI_HOME`, which the dashboard finds, named after the network, the
            images and a hash of the settings, so that the same call gives the same dissection without work.
        name: what the network is called; none: its class.
        preprocess: PIL image to tensor (3, H, W), such as a torchvision transform; none: the attribute
            `preprocessing` of the module, or 256 / 224 pixels with ImageNet's normalisation. Not asked for tensors.
        normalised: (mean, std) behind the tensors of a data set or of `preprocess`, so that pictures can be shown;
            found by itself in torchvision's transforms.
        weights: of a network that is named: `DEFAULT`, a weight's name, or a file.
        progress: draw a bar on standard error.
        **settings: the options of `mami dissect`: `k`, `quantile`, `units`, `batch_size`, `workers`, `device`, ….

    Raises:
        ValueError: layers that are not there, images or a model that are none, an `out` that holds something else.

    An interrupted call goes on where it stopped when it is made again.
    """
    source = as_images(images, name=name and f"{name}-images", normalised=normalised)
    network = as_network(
        model, name=name, preprocess=preprocess, normalised=normalised, ready=is_ready(source), weights=weights
    )
    spec = model if isinstance(model, str) else f"module:{network.name}"
    where = Path(out) if out is not None else Path()
    config = DissectConfig(spec, _images_spec(images, source), where, layer_names(layers), **settings)
    if out is None:
        config = replace(config, out=_own_folder(network, source, config))
    with left_as_it_was(network.module), shown_progress(quiet=not progress) as report:
        dissecting.dissect(network, source, config, config.out, report=report)
    return open(config.out)


def _images_spec(images: Images, source: ImageSource) -> str:
    return str(images) if isinstance(images, str | Path) else f"data:{source.name}"


def _own_folder(network: Network, source: ImageSource, config: DissectConfig) -> Path:
    """Return a folder in `MAMI_HOME` whose name changes with the weights, the images and the settings."""
    chosen = {key: value for key, value in asdict(config).items() if key not in ("out", "workers", "device")}
    few = (0, len(source) // 2, len(source) - 1) if isinstance(source, DatasetImages) else ()
    content = [source.load(index).tobytes().hex() for index in few]  # a data set's names may be mere numbers
    facts = {**chosen, "weights": network.weights_sha256, "images": source.fingerprint(), "content": content}
    return store.dissections_folder() / f"{network.name}-{source.name}-{settings_sha256(facts)[:8]}"


def open(path: Path | str) -> Dissection:  # noqa: A001  # mami.open(…) reads as it should
    """Open a dissection's folder.

    Raises:
        FileNotFoundError: `path` is no dissection.
        ValueError: it is damaged, or of another version.
    """
    found = store.Dissection.open(path)
    return Dissection(found.path, found.manifest)


class CaptionSettings(TypedDict, total=False):
    """What else `caption` takes: the options of `mami caption`, with their names and defaults."""

    decoding: str
    beam_size: int
    pmi_weight: float
    batch_size: int
    seed: int
    device: str


def caption(
    dissection: store.Dissection,
    *captioners: str | protocol.Captioner,
    layers: str | Sequence[str] = (),
    units: Units = None,
    progress: bool = True,
    **settings: Unpack[CaptionSettings],
) -> Dissection:
    """Say in words what units fire for, by each captioner; return the dissection opened anew, with the captions in it.

    Args:
        dissection: what to caption; its folder is written to.
        *captioners: names (`milan@scenery`, `mami@scenery`, `milan:base`, a checkpoint's folder, a plugin,
            `path.py:factory`) or objects of your own with `name`, `provenance` and `caption(units)`: `mami.Captioner`.
            None: `milan@scenery` and `mami@scenery`.
        layers: only these; none: all.
        units: only these numbers, `"0-63,100"` or a list; none: all.
        progress: draw a bar on standard error.
        **settings: `decoding` (greedy, beam, pmi, consensus), `beam_size`, `pmi_weight`, `batch_size`, `seed`,
            `device`; none: each captioner's own best.

    Raises:
        FileNotFoundError: a captioner that is not there, with those that are.
        ValueError: units or layers that were not dissected; a captioner that gives something else than captions.
    """
    config = CaptionConfig(dissection.path, **settings)
    keys = chosen_keys(dissection, layer_names(layers), unit_numbers(units))
    with shown_progress(quiet=not progress) as report:
        voices = [_voice(chosen, config) for chosen in captioners or config.captioner]
        for voice in voices:
            voice.caption(store.Dissection.open(dissection.path), keys, config.batch_size, report)
    return open(dissection.path)


def _voice(captioner: str | protocol.Captioner, config: CaptionConfig) -> Voice:
    if not isinstance(captioner, str):
        return own_voice(captioner)
    options: dict[str, Any] = {"decoding": chosen_decoding(config), "device": choose_device(config.device)}
    return open_voice(captioner, **options)

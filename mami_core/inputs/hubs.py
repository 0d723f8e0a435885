"""Networks of timm and of Hugging Face's transformers. Both libraries are extras and imported only when asked for."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from mami_core.inputs.networks import Network
from mami_core.inputs.preprocess import IMAGENET_MEAN, IMAGENET_STD, Preprocess

_RESAMPLING = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic"}  # Pillow's numbers, as processors store them


def open_hub(kind: str, name: str, weights: str | Path | None, keywords: dict[str, Any]) -> Network:
    """Open `timm:NAME` (weights DEFAULT or a tag of that name) or `hf:FOLDER_OR_NAME`.

    ValueError says how to install the library, or what the name could have been.
    """
    return _timm(name, weights, keywords) if kind == "timm" else _hugging_face(name, keywords)


def _timm(name: str, weights: str | Path | None, keywords: dict[str, Any]) -> Network:
    try:
        import timm
    except ImportError as problem:
        raise ValueError("timm networks need timm: pip install 'mami[timm]'") from problem
    if not timm.is_model(name):
        near = timm.list_models(f"*{name.partition('_')[0]}*")[:3]
        raise ValueError(f"timm has no model {name!r}; near matches: {', '.join(near) or 'none'}")
    tagged = weights is not None and Path(weights).suffix == "" and weights != "DEFAULT"
    full = f"{name}.{weights}" if tagged else name
    try:
        module = timm.create_model(full, pretrained=tagged or weights == "DEFAULT", **keywords)
    except (RuntimeError, OSError, TypeError, ValueError) as problem:
        raise ValueError(f"timm:{full} cannot be opened: {problem}") from problem
    asked = {"img_size": keywords["img_size"]} if isinstance(keywords.get("img_size"), int) else {}
    data = timm.data.resolve_model_data_config(module, args=asked)  # type: ignore[attr-defined]
    size = data["input_size"][-1]
    preprocess = Preprocess(
        resize=math.floor(size / data["crop_pct"]),
        crop=size,
        mean=tuple(data["mean"]),
        std=tuple(data["std"]),
        interpolation=data["interpolation"],
    )
    return Network(name=name, module=module, preprocess=preprocess)


def _hugging_face(name: str, keywords: dict[str, Any]) -> Network:
    try:
        from transformers import AutoConfig, AutoModel, AutoModelForImageClassification
    except ImportError as problem:
        raise ValueError("hf: networks need transformers: pip install transformers") from problem
    if keywords.get("trust_remote_code"):
        raise ValueError(f"hf:{name}: code of a hub is not run; load it in a file of your own and name path.py:factory")
    try:
        config = AutoConfig.from_pretrained(name)
        classifies = any(str(entry).endswith("ForImageClassification") for entry in config.architectures or ())
        family = AutoModelForImageClassification if classifies else AutoModel
        module = family.from_pretrained(name, config=config, **keywords)
    except (OSError, ValueError) as problem:
        raise ValueError(f"hf:{name} cannot be opened: {str(problem).splitlines()[0]}") from problem
    vision = getattr(module, "vision_model", None)  # of a CLIP-like pair, only the half that sees
    if vision is not None:
        module, config = vision, getattr(config, "vision_config", config)
    return Network(name=Path(name).name, module=module, preprocess=_hugging_face_preprocess(name, config))


def _hugging_face_preprocess(name: str, config: Any) -> Preprocess:
    """Return what the folder's image processor does, or the model's image size with ImageNet's mean and deviation."""
    from transformers import ImageProcessingMixin

    side = getattr(config, "image_size", 224)
    side = side if isinstance(side, int) else tuple(side)
    try:
        facts, _ = ImageProcessingMixin.get_image_processor_dict(name)
    except OSError:
        return Preprocess(resize=side, crop=side)
    crop = facts.get("crop_size") if facts.get("do_center_crop") else None
    normalised = facts.get("do_normalize", True)
    return Preprocess(
        resize=_size(facts.get("size"), side) if facts.get("do_resize", True) else None,
        crop=None if crop is None else _size(crop, side),
        mean=tuple(facts.get("image_mean", IMAGENET_MEAN)) if normalised else (0.0, 0.0, 0.0),
        std=tuple(facts.get("image_std", IMAGENET_STD)) if normalised else (1.0, 1.0, 1.0),
        interpolation=_RESAMPLING.get(facts.get("resample", 2), "bilinear"),
    )


def _size(given: Any, side: Any) -> int | tuple[int, int]:
    if isinstance(given, int):
        return given, given
    if isinstance(given, dict) and "shortest_edge" in given:
        return int(given["shortest_edge"])
    if isinstance(given, dict) and "height" in given:
        return int(given["height"]), int(given["width"])
    return (side, side) if isinstance(side, int) else side

"""`mami train`: teach a captioner what people, or simulated annotators, say of units."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mami_core.captioning.checkpoint import Checkpoint, save_checkpoint
from mami_core.captioning.decoder import Decoder
from mami_core.captioning.encoder import RegionEncoder, save_encoder
from mami_core.captioning.encoders import AnyEncoder
from mami_core.captioning.features import join_features, unit_features
from mami_core.captioning.image_encoder import ImageEncoder, save_image_encoder
from mami_core.captioning.language_model import LanguageModel
from mami_core.captioning.match import Matcher, save_matcher
from mami_core.captioning.vocabulary import Vocabulary
from mami_core.config import TrainConfig, settings_sha256
from mami_core.device import choose_device
from mami_core.interop.captioned_images import CaptionedImages
from mami_core.pipeline.captions.caption import encoder_at, encoder_facts
from mami_core.pipeline.exchange.data import open_described
from mami_core.pipeline.progress import Report, print_result, progress
from mami_core.pipeline.trainings.captioned import (
    IMAGE_ENCODER,
    encoded_splits,
    image_encoder,
    names_captioned_images,
    open_images_with_captions,
)
from mami_core.pipeline.trainings.train_match import MATCH, train_match
from mami_core.store import Dissection, UnitKey, cache_folder
from mami_core.store.training_log import write_training_log
from mami_core.training.batches import DescribedUnits, caption_length, described_units, reference_texts, split_places
from mami_core.training.captioner import CaptionerRecipe, train_captioner
from mami_core.training.eyes import Eyes, ImageEyes, UnitEyes, live
from mami_core.training.language_model import train_language_model
from mami_core.training.loop import LoopHistory, LoopSettings
from mami_core.training.match import train_matcher
from mami_core.training.ranks import first_alone, join_ranks, own_device, ranks
from mami_core.training.selection import PLAIN, SETTINGS, select_decoding
from mami_core.training.tensorboard import log_attention, log_graph, open_log

SPLITS = ("train", "val", "test")
CHOICE = "choice"
_SELECTED_ON = 400  # validation units that the decoding is chosen on; more cost minutes and change nothing


@dataclass(frozen=True, eq=False)
class CaptionData:
    """The described units of one or more dissections, by split, with the words that describe them."""

    splits: Mapping[str, DescribedUnits]
    choice: DescribedUnits  # validation units with the references that the decoding is chosen on
    vocabulary: Vocabulary
    length: int  # most words of a caption
    trained_on: str
    simulated: bool


def gather(
    dissections: Sequence[Dissection],
    encoder: AnyEncoder,
    *,
    references: str,
    max_words: int,
    report: Report,
    vocabulary_size: int = 0,
    min_count: int = 2,
    choose_on: str | None = None,
) -> CaptionData:
    """Return what a captioner is trained on: units with regions and references, split by unit.

    `choose_on` names the set of references that the decoding is chosen on; None: those it is trained on.
    """
    parts: dict[str, list[DescribedUnits]] = {name: [] for name in (*SPLITS, CHOICE)}
    for dissection in dissections:
        described = _described(dissection)
        features = unit_features(
            dissection,
            encoder,
            described,
            progress=_units(report, f"{dissection.name}: regions"),
        )
        for name in SPLITS:
            keys = split_places(features.keys, dissection.splits, name)
            parts[name].append(described_units(dissection, features, keys, references=references))
        keys = split_places(features.keys, dissection.splits, "val")
        parts[CHOICE].append(described_units(dissection, features, keys, references=choose_on or references))
    joined = {name: _joined(found) for name, found in parts.items()}
    words = Vocabulary.from_texts(reference_texts(joined["train"]), size=vocabulary_size or None, min_count=min_count)
    return CaptionData(
        splits={name: joined[name] for name in SPLITS},
        choice=joined[CHOICE],
        vocabulary=words,
        length=max_words or caption_length(joined["train"]),
        trained_on=";".join(f"{d.name}:{references}" for d in dissections),
        simulated=all(dissection.manifest.simulated for dissection in dissections),
    )


def gather_images(data: CaptionedImages, encoder: ImageEncoder, config: TrainConfig, *, report: Report) -> CaptionData:
    """Return captioned images as a captioner is trained on them."""
    splits = encoded_splits(data, encoder, config.captioner, report=report)
    size = config.vocabulary_size or None
    words = Vocabulary.from_texts(reference_texts(splits["train"]), size=size, min_count=config.min_count)
    length = config.max_words or caption_length(splits["train"])
    return CaptionData(splits, splits["val"], words, length, data.name, data.source.simulated)


def _joined(parts: Sequence[DescribedUnits]) -> DescribedUnits:
    if len(parts) == 1:
        return parts[0]
    features = join_features([part.features for part in parts])
    starts = [sum(len(part.features) for part in parts[:place]) for place in range(len(parts))]
    rows = [row + start for part, start in zip(parts, starts, strict=True) for row in part.rows]
    return DescribedUnits(features, tuple(rows), tuple(text for part in parts for text in part.texts))


def run_training(config: TrainConfig) -> None:
    """Train one captioner, of units or of images, and write its folder; under torchrun with all its processes."""
    join_ranks()
    if config.captioner == MATCH:
        train_match(config)
        return
    if config.captioner == "consensus":
        from mami_core.pipeline.trainings.train_consensus import (
            train_consensus_captioner,  # it gathers units as this module does
        )

        train_consensus_captioner(config)
        return
    if names_captioned_images(config.dissection):
        _train_on_images(config)
        return
    encoder = encoder_at(config.encoder)
    with progress(quiet=_quiet(config)) as report:
        with first_alone():
            named = (config.dissection, *config.also)
            dissections = [found for name in named for found in open_described(name, report)]
            data = _gather_units(dissections, encoder, config, report=report)
        if config.finetune_encoder:
            figures = _train_with_unit_eyes(dissections, data, encoder, config, report=report)
        else:
            figures = train_one(data, encoder, config, report=report)
    _tell(config, figures)


def _gather_units(
    dissections: Sequence[Dissection], encoder: AnyEncoder, config: TrainConfig, *, report: Report
) -> CaptionData:
    return gather(
        dissections,
        encoder,
        references=config.references,
        max_words=config.max_words,
        report=report,
        vocabulary_size=config.vocabulary_size,
        min_count=config.min_count,
        choose_on=config.choose_on,
    )


def _train_with_unit_eyes(
    dissections: Sequence[Dissection], data: CaptionData, encoder: AnyEncoder, config: TrainConfig, *, report: Report
) -> dict[str, object] | None:
    """Train a captioner of units and its encoder together; the encoder's copy goes into the captioner's folder."""
    if not isinstance(encoder, RegionEncoder):
        raise ValueError(f"--finetune-encoder trains parts encoders, and encoders of images; {encoder.name} is neither")
    shown = [(dissection, key) for dissection in dissections for key in _described(dissection)]
    learnt = train_decoder(data, config, report=report, eyes=UnitEyes(encoder, shown))
    if ranks().rank > 0:
        return None
    encoder.backbone.cpu()
    tuned = save_encoder(replace(encoder, name=f"{encoder.name}/finetuned"), config.out / IMAGE_ENCODER)
    return finish(_gather_units(dissections, tuned, config, report=report), tuned, learnt, config, report=report)


def _described(dissection: Dissection) -> list[UnitKey]:
    return [key for key in dissection.unit_keys() if dissection.references_of(*key)]


def _train_on_images(config: TrainConfig) -> None:
    with progress(quiet=_quiet(config)) as report:
        with first_alone():
            images = open_images_with_captions(config.dissection, config.images, seed=config.seed, report=report)
            encoder = image_encoder(images, config.encoder, weights=config.encoder_weights, layer=config.encoder_layer)
            data = gather_images(images, encoder, config, report=report)
        eyes = ImageEyes(encoder, images.source) if config.finetune_encoder else None
        learnt = train_decoder(data, config, report=report, eyes=eyes)
        if ranks().rank > 0:
            return
        if eyes is not None:
            eyes.cpu()
            encoder = encoder.finetuned()
            data = gather_images(images, encoder, config, report=report)
        figures = finish(data, encoder, learnt, config, report=report)
    save_image_encoder(encoder, config.out / IMAGE_ENCODER)
    _tell(config, figures)


def _quiet(config: TrainConfig) -> bool:
    return config.json or ranks().rank > 0


def _tell(config: TrainConfig, figures: Mapping[str, object] | None) -> None:
    if figures is None:
        return
    text = f"{config.captioner} written to {config.out}: {figures}"
    print_result({"out": str(config.out), **figures}, as_json=config.json, text=text)


def train_one(
    data: CaptionData, encoder: AnyEncoder, config: TrainConfig, *, report: Report
) -> dict[str, object] | None:
    """Train a captioner with what it is decoded by, choose the decoding on validation units, write its folder.

    Of several processes all train the captioner; the first does the rest, and the others return None.
    """
    learnt = train_decoder(data, config, report=report)
    return finish(data, encoder, learnt, config, report=report) if ranks().rank == 0 else None


def train_decoder(
    data: CaptionData, config: TrainConfig, *, report: Report, eyes: Eyes | None = None
) -> tuple[Decoder, LoopHistory]:
    """Return the trained decoder and how it went; `eyes`, which look at the units at every step, learn with it."""
    run = cache_folder() / "training" / settings_sha256({**config.__dict__, "out": str(config.out.resolve())})[:16]
    first = ranks().rank == 0
    writer = open_log(config.out / "tensorboard") if config.tensorboard and first else None
    train, validation = data.splits["train"], data.splits["val"]
    decoder, history = train_captioner(
        config.captioner,
        train if eyes is None else live(train, eyes),
        validation if eyes is None else live(validation, eyes),
        data.vocabulary,
        length=data.length,
        recipe=recipe_of(config),
        folder=run if config.resume else None,
        device=own_device(choose_device(config.device)),
        progress=_epochs(report, f"{config.captioner}: epochs"),
        writer=writer,
        eyes=eyes,
    )
    if writer is not None:
        log_training(writer, decoder, data)
    return decoder, history


def finish(
    data: CaptionData,
    encoder: AnyEncoder,
    learnt: tuple[Decoder, LoopHistory],
    config: TrainConfig,
    *,
    report: Report,
) -> dict[str, object]:
    """Train what else the captioner is decoded by, choose the decoding on validation units, write the folder."""
    decoder, history = learnt
    language_model, matcher = train_shared(data, config, report=report) if config.listeners else (None, None)
    device = next(decoder.parameters()).device
    for part in (language_model, matcher):
        if part is not None:
            part.to(device)
    sample = data.choice.take(range(min(len(data.choice), _SELECTED_ON)))
    settings = SETTINGS if config.listeners else PLAIN
    chosen = select_decoding(decoder, language_model, data.vocabulary, sample, matcher=matcher, settings=settings)
    provenance = {
        "trained_on": data.trained_on,
        "simulated": data.simulated,
        "validation": chosen.figures,
        "epochs": len(history.epochs),
        "seed": config.seed,
    }
    checkpoint = Checkpoint(
        decoder, data.vocabulary, language_model, chosen.decoding.to_json(), encoder_facts(encoder), provenance
    )
    save_checkpoint(config.out, checkpoint, half=True)
    write_training_log(config.out, history.epochs)
    if matcher is not None:
        save_matcher(config.out, matcher)
    return {"decoding": chosen.name, "validation": chosen.figures}


def log_training(writer: Any, decoder: Decoder, data: CaptionData) -> None:
    """Add to TensorBoard's log what the trained captioner looks at and how it is built, and close it."""
    own = decoder.cpu()
    validation = data.splits["val"]
    log_attention(writer, own, validation, data.vocabulary, length=data.length, epoch=0)
    log_graph(writer, own, validation.regions([0]), data.vocabulary.start)
    writer.close()


def train_shared(data: CaptionData, config: TrainConfig, *, report: Report) -> tuple[LanguageModel, Matcher]:
    """Train the language model and the matcher: they depend on the data alone, so captioners of one data share them."""
    facts = {"trained_on": data.trained_on, "words": data.vocabulary.words, "length": data.length}
    run = cache_folder() / "training" / settings_sha256(facts)[:16] if config.resume else None
    train, validation = data.splits["train"], data.splits["val"]
    language_model, _ = train_language_model(
        train,
        validation,
        data.vocabulary,
        length=data.length,
        folder=run and run / "language-model",
        progress=_epochs(report, "language model: epochs"),
    )
    matcher, _ = train_matcher(
        train,
        validation,
        data.vocabulary,
        length=data.length,
        folder=run and run / "matcher",
        progress=_epochs(report, "matcher: epochs"),
    )
    return language_model, matcher


def recipe_of(config: TrainConfig) -> CaptionerRecipe:
    """Return the training recipe that a command line means."""
    loop = LoopSettings(
        epochs=config.epochs,
        patience=config.patience,
        learning_rate=config.learning_rate,
        optimizer=config.optimizer,
        amp=config.amp,
        seed=config.seed,
    )
    return replace(
        CaptionerRecipe(),
        hidden_size=config.hidden_size,
        embedding_size=config.embedding_size,
        attention_size=config.attention_size,
        dropout=config.dropout,
        penalty=config.doubly_stochastic,
        batch_size=config.batch_size,
        batches=config.batches,
        select=config.select,
        loop=loop,
    )


def _units(report: Report, what: str) -> Callable[[int, int], None]:
    return lambda done, total: report(what, done, total)


def _epochs(report: Report, what: str) -> Callable[[int, int, Mapping[str, float]], None]:
    return lambda done, total, _figures: report(what, done, total)

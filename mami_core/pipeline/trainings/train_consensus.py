"""`mami train D --captioner consensus`: teach captioner `consensus` what is said of units."""

from __future__ import annotations

from dataclasses import replace

from mami_core.captioning.consensus_files import KeptConsensus, save_consensus
from mami_core.config import TrainConfig
from mami_core.pipeline.captions.caption import encoder_at
from mami_core.pipeline.captions.consensus import NAME
from mami_core.pipeline.exchange.data import open_described
from mami_core.pipeline.progress import print_result, progress
from mami_core.pipeline.trainings.train import gather
from mami_core.training.captioner import corpus_bleu
from mami_core.training.consensus import ConsensusRecipe, learnt_words, pooled_regions, train_consensus
from mami_core.training.loop import LoopSettings


def train_consensus_captioner(config: TrainConfig) -> None:
    """Train captioner `consensus` on described units and write its folder."""
    encoder = encoder_at(config.encoder)
    with progress(quiet=config.json) as report:
        dissections = [found for name in (config.dissection, *config.also) for found in open_described(name, report)]
        data = gather(dissections, encoder, references=config.references, max_words=config.max_words, report=report)
        recipe = ConsensusRecipe(seed=config.seed)
        made = train_consensus(
            data.splits["train"],
            data.splits["val"],
            data.vocabulary,
            words=learnt_words(data.splits["train"], seed=config.seed),
            length=data.length,
            recipe=replace(recipe, decoder=replace(recipe.decoder, loop=_loop(recipe, config))),
            progress=lambda done, total, _: report("consensus: epochs", done, total),
        )
    bleu = corpus_bleu(made.captions(made.words.reader.shares(pooled_regions(data.choice))), data.choice.texts)
    facts = {"trained_on": data.trained_on, "simulated": data.simulated, "seed": config.seed,
             "validation": {NAME: {"bleu": round(bleu, 2)}}}  # fmt: skip
    save_consensus(config.out, KeptConsensus(made, {"name": encoder.name, "sha256": encoder.sha256}, facts))
    text = f"{NAME} written to {config.out}: BLEU {bleu:.2f} on validation units"
    print_result({"out": str(config.out), "validation": facts["validation"]}, as_json=config.json, text=text)


def _loop(recipe: ConsensusRecipe, config: TrainConfig) -> LoopSettings:
    epochs = min(config.epochs, recipe.decoder.loop.epochs)  # `mami train`'s default is for captioners that attend
    return replace(recipe.decoder.loop, epochs=epochs, patience=config.patience)

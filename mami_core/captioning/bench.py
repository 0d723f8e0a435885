"""How fast captions are found: ours against the plain arithmetic and against the machine's matrix product."""

from __future__ import annotations

import operator
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from mami_core.captioning.beam import beam_search
from mami_core.captioning.build import build_decoder
from mami_core.captioning.decoder import AttentionDecoder
from mami_core.captioning.forcing import force
from mami_core.captioning.language_model import LanguageModel, LanguageModelConfig
from mami_core.captioning.names import decoder_config
from mami_core.captioning.objectives import caption_loss
from mami_core.captioning.plain import PlainMilan
from mami_core.captioning.rerank import pmi_rerank
from mami_core.captioning.vocabulary import Vocabulary

_PMI_WEIGHT = 0.2


@dataclass(frozen=True)
class BenchSizes:
    """The sizes of the published captioners; smaller ones are for tests."""

    regions: int = 15
    feature_size: int = 3904
    hidden_size: int = 512
    embedding_size: int = 128
    vocabulary_size: int = 5000
    length: int = 15
    beam_size: int = 50
    units: int = 16  # captioned together by ours
    plain_units: int = 2  # captioned together by the plain way, which needs that many copies of features
    training_steps: int = 60

    @property
    def gflop_a_unit(self) -> float:
        """Multiplications and additions of one unit's plain arithmetic with keys made once, in 10^9."""
        hidden, words = self.hidden_size, self.vocabulary_size
        attention = min(hidden, self.feature_size)
        step = hidden * attention + hidden * self.feature_size  # query, gate
        step += (self.embedding_size + self.feature_size + hidden) * 4 * hidden + hidden * words  # LSTM, words
        step += self.regions * self.feature_size  # context
        listener = (self.embedding_size + 3 * hidden) * 4 * hidden + hidden * words  # two layers, words
        rows = self.beam_size * self.length
        return 2e-9 * (rows * (step + listener) + self.regions * self.feature_size * attention)


def bench_captioning(
    texts: Sequence[str] = (), *, sizes: BenchSizes | None = None, repeats: int = 3, seed: int = 0
) -> dict[str, Any]:
    """Time beam search with PMI on one thread; return figures in units per CPU-second.

    `random_weights`: no caption ends early, every step is computed. `trained` (with `texts`, real descriptions): the
    decoder learns them beside random features, so that beams end. Each is the best of `repeats`, ours and the plain
    way in turn. `matmul_share` compares the plain arithmetic done per second with the machine's matrix product; it
    exceeds 1 where work was saved, not done faster.
    """
    sizes = sizes or BenchSizes()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        rate = matmul_gflops()
        words = Vocabulary(tuple(f"w{index}" for index in range(sizes.vocabulary_size - 4)))
        figures: dict[str, Any] = {"matmul_gflops": rate, "gflop_a_unit": sizes.gflop_a_unit, "threads": 1}
        if torch.cuda.is_available():
            figures["gpu"] = device_speeds(*_models(sizes, words, seed), words, sizes, torch.device("cuda"), seed=seed)
        figures["random_weights"] = _compare(*_models(sizes, words, seed), words, sizes, rate, repeats, seed)
        if texts:
            known = Vocabulary.from_texts(texts, size=sizes.vocabulary_size - 4)
            decoder, model = _models(sizes, known, seed)
            _learn(decoder, model, texts, known, sizes, seed)
            figures["trained"] = _compare(decoder, model, known, sizes, rate, repeats, seed)
        return figures
    finally:
        torch.set_num_threads(threads)


def device_speeds(
    decoder: AttentionDecoder,
    model: LanguageModel,
    words: Vocabulary,
    sizes: BenchSizes,
    device: torch.device,
    *,
    batches: Sequence[int] = (1, 4, 16, 64, 256),
    seed: int = 0,
) -> dict[str, Any]:
    """Return units a second of wall time by batch size, and the share of units that bfloat16 captions alike."""
    decoder, model = decoder.to(device), model.to(device)
    features = _features(max(batches), sizes, seed + 1).to(device)

    def spoken(units: int, half: bool) -> list[tuple[str, ...]]:
        with torch.no_grad(), torch.autocast(device.type, torch.bfloat16, enabled=half):
            memory = decoder.prepare(features[:units])
            found = beam_search(decoder, memory, words, length=sizes.length, width=sizes.beam_size)
            best = pmi_rerank(found, model, weight=_PMI_WEIGHT).tokens[:, 0].tolist()  # waits for the device
        return [words.decode(row) for row in best]

    exact, half = spoken(max(batches), False), spoken(max(batches), True)
    seconds = {units: min(_wall(partial(spoken, units, True)) for _ in range(3)) for units in batches}
    return {
        "units_per_second": {str(units): units / took for units, took in seconds.items()},
        "same_in_bfloat16": sum(map(operator.eq, exact, half)) / len(exact),
    }


def matmul_gflops(size: int = 2048) -> float:
    """Return the rate of a float32 matrix product on the present threads, in 10^9 operations per CPU-second."""
    left = torch.randn(size, size)
    seconds = min(_seconds(lambda: left @ left) for _ in range(4))
    return 2e-9 * size**3 / seconds


def _models(sizes: BenchSizes, words: Vocabulary, seed: int) -> tuple[AttentionDecoder, LanguageModel]:
    config = decoder_config(
        "milan",
        feature_size=sizes.feature_size,
        vocabulary_size=len(words),
        hidden_size=sizes.hidden_size,
        embedding_size=sizes.embedding_size,
        length=sizes.length,
    )
    decoder = build_decoder(config, seed=seed).eval()
    assert isinstance(decoder, AttentionDecoder)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        listener = LanguageModelConfig(len(words), sizes.embedding_size, sizes.hidden_size)
        model = LanguageModel(listener, start=words.start, stop=words.stop).eval()
        torch.nn.init.normal_(decoder.heads.heads["bahdanau"].score.weight, std=0.05)  # type: ignore[union-attr,arg-type]
    return decoder, model


def _compare(
    decoder: AttentionDecoder,
    model: LanguageModel,
    words: Vocabulary,
    sizes: BenchSizes,
    rate: float,
    repeats: int,
    seed: int,
) -> dict[str, Any]:
    """Time ours and the plain way in turn, and count how often they choose the same caption."""
    features = _features(sizes.units, sizes, seed + 1)
    few = features[: sizes.plain_units]
    plain = PlainMilan(decoder, words)

    def ours() -> Tensor:
        memory = decoder.prepare(features)
        found = beam_search(decoder, memory, words, length=sizes.length, width=sizes.beam_size, parity=True)
        return pmi_rerank(found, model, weight=_PMI_WEIGHT).tokens[:, 0]

    def theirs() -> Tensor:
        found = plain.beam(few, length=sizes.length, width=sizes.beam_size)
        return plain.rerank(found, model, weight=_PMI_WEIGHT)

    with torch.no_grad():
        same = [words.decode(a) == words.decode(b) for a, b in zip(ours(), theirs(), strict=False)]
        pairs = [(_seconds(ours), _seconds(theirs)) for _ in range(repeats)]
    fast = sizes.units / min(pair[0] for pair in pairs)
    slow = len(few) / min(pair[1] for pair in pairs)
    return {
        "neurons_per_cpu_second": fast,
        "plain_neurons_per_cpu_second": slow,
        "times_plain": fast / slow,
        "matmul_share": fast * sizes.gflop_a_unit / rate,
        "same_captions": sum(same) / len(same),
    }


def _learn(
    decoder: AttentionDecoder,
    model: LanguageModel,
    texts: Sequence[str],
    words: Vocabulary,
    sizes: BenchSizes,
    seed: int,
) -> None:
    """Teach both models the texts for a few steps: enough for captions to end like real ones."""
    chance = torch.Generator().manual_seed(seed)
    both = [*decoder.parameters(), *model.parameters()]
    optimizer = torch.optim.Adam(both, lr=2e-3)
    for _ in range(sizes.training_steps):
        drawn = torch.randint(len(texts), (32,), generator=chance).tolist()
        tokens = words.batch([texts[index] for index in drawn], length=sizes.length - 1)
        features = torch.rand(32, sizes.regions, sizes.feature_size, generator=chance)
        forced = force(decoder, decoder.prepare(features), tokens, start=words.start)
        inputs = torch.cat([tokens.new_full((32, 1), words.start), tokens[:, :-1]], 1)
        heard = model(inputs).flatten(0, 1)
        listening = torch.nn.functional.nll_loss(heard, tokens.flatten(), ignore_index=words.pad)
        optimizer.zero_grad()
        (caption_loss(forced, tokens, stop=words.stop) + listening).backward()
        optimizer.step()


def _features(units: int, sizes: BenchSizes, seed: int) -> Tensor:
    chance = torch.Generator().manual_seed(seed)
    return torch.rand(units, sizes.regions, sizes.feature_size, generator=chance)


def _wall(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _seconds(work: Callable[[], Any]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start

"""A local sentence model turns captions into vectors. Nothing is ever downloaded: a folder is given, or there is none.

Mean pooling over the last layer's real tokens (Reimers and Gurevych 2019, "Sentence-BERT", section 3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch

_BATCH = 64


@dataclass(frozen=True, eq=False)
class SentenceModel:
    """A transformer in a folder of its own, as `save_pretrained` writes it."""

    name: str
    tokenizer: Any
    module: torch.nn.Module

    @classmethod
    def open(cls, folder: str | Path) -> SentenceModel:
        """Open a model's folder. FileNotFoundError or ValueError says why it cannot be used."""
        path = Path(folder).expanduser()
        if not (path / "config.json").is_file():
            raise FileNotFoundError(f"{path} holds no sentence model: no config.json; leave it out to search by TF-IDF")
        from transformers import AutoModel, AutoTokenizer

        try:
            tokenizer = AutoTokenizer.from_pretrained(path, local_files_only=True)
            module = AutoModel.from_pretrained(path, local_files_only=True, use_safetensors=True)
        except (OSError, ValueError, KeyError) as problem:
            raise ValueError(f"{path} is not a sentence model that can be read: {problem}") from problem
        return cls(path.name, tokenizer, module.eval())

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Return a vector of length 1 per text, float32 (n, D). A text's vector does not depend on its batch mates."""
        import torch  # here, not above: a search by words needs none

        with torch.inference_mode():
            parts = [self._batch(texts[start : start + _BATCH]) for start in range(0, len(texts), _BATCH)]
        size = int(self.module.config.hidden_size)  # type: ignore[union-attr, arg-type]
        return np.concatenate(parts) if parts else np.empty((0, size), dtype=np.float32)

    def _batch(self, texts: Sequence[str]) -> np.ndarray:
        tokens = self.tokenizer(list(texts), padding=True, truncation=True, max_length=128, return_tensors="pt")
        last = self.module(**tokens).last_hidden_state  # (n, T, D)
        real = tokens["attention_mask"].unsqueeze(-1).to(last.dtype)  # (n, T, 1)
        mean = (last * real).sum(1) / real.sum(1).clamp_min(1)  # (n, D)
        return (mean / mean.norm(dim=-1, keepdim=True).clamp_min(1e-12)).float().numpy()

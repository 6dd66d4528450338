"""One forward pass of any causal language model of transformers over rows of a store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from doxa.errors import DoxaError, UsageError
from doxa.models.engine.cache import Shape, Store, Window

KINDS = {"full_attention", "sliding_attention"}


@dataclass(frozen=True, slots=True)
class Span:
    """Tokens to compute for one row whose first `past` tokens are in the store already.

    `parents` makes the last tokens a tree: for each of them the index (in `ids`) of the token before it.
    """

    ids: Sequence[int]
    past: int = 0
    parents: Sequence[int] = ()


@dataclass
class Counts:
    """What was computed, for tests and benchmarks."""

    passes: int = 0
    prompt_tokens: int = 0
    """Tokens computed to take in prompts and options; shared ones count once."""
    rows: int = 0
    """Rows of all generation steps together: a row serves every answer that has said the same so far."""
    peak_rows: int = 0


@dataclass
class Network:
    """A model of transformers, asked for the next-token logits of rows."""

    model: Any
    counts: Counts = field(default_factory=Counts)

    def __post_init__(self) -> None:
        """Find out how the model attends; refuse one whose past is not made of keys and values."""
        self.config = self.model.config.get_text_config()
        self.context: int = getattr(self.config, "max_position_embeddings", None) or 2048
        kinds = set(getattr(self.config, "layer_types", None) or ())
        if kinds - KINDS:
            name, unknown = type(self.model).__name__, ", ".join(sorted(kinds - KINDS))
            raise UsageError(f"{name} has layers of kind {unknown}", hint="the local engine runs pure attention models")
        self.mixed = "sliding_attention" in kinds
        self.window: int | None = getattr(self.config, "sliding_window", None) if self.mixed or not kinds else None
        self.shapes = self._probe()

    @property
    def vocabulary(self) -> int:
        """Number of tokens the model knows."""
        return int(self.config.vocab_size)

    @property
    def depth(self) -> int:
        """Number of layers."""
        return len(self.shapes) // 2

    @property
    def ends(self) -> frozenset[int]:
        """Ids of the tokens that end an answer, as the model's generation settings name them."""
        given = getattr(self.model.generation_config, "eos_token_id", None)
        return frozenset([given] if isinstance(given, int) else given or ())

    def _probe(self) -> list[Shape]:
        """Heads and dimensions of each layer's keys and values, from a pass over one token."""
        ids = torch.zeros(1, 1, dtype=torch.long, device=self.model.device)
        try:
            with torch.inference_mode():
                layers = self.model(input_ids=ids, position_ids=ids, use_cache=True).past_key_values.layers
            return [(int(t.shape[1]), int(t.shape[3])) for layer in layers for t in (layer.keys, layer.values)]
        except (AttributeError, TypeError) as error:
            hint = "the local engine runs attention models that take position_ids"
            raise UsageError(f"{type(self.model).__name__} is not supported: {error}", hint=hint) from error

    @torch.inference_mode()
    def forward(self, spans: Sequence[Span], store: Store, width: int, first: int, keep: int = 1) -> torch.Tensor:
        """Compute the spans as rows `first`, `first + 1` … of `store`; logits (rows, keep, vocabulary).

        Shorter spans are padded on the left, so that the `keep` last positions are the wanted ones of every row.
        """
        rows, query = len(spans), max(len(s.ids) for s in spans)
        length = max(s.past + len(s.ids) for s in spans)
        ids, positions = np.zeros((2, rows, query), dtype=np.int64)
        seen, near = np.zeros((2, rows, query, length), dtype=bool)
        places, real = [], []
        for i, span in enumerate(spans):
            pad = query - len(span.ids)
            ids[i, pad:] = span.ids
            positions[i, pad:], seen[i, pad:], near[i, pad:] = self._attention(span, length)
            start = (first + i) * width + span.past
            places.append(np.arange(start, start + len(span.ids)))
            real.append(np.arange(i * query + pad, (i + 1) * query))
        window = Window(
            store, slice(first, first + rows), width, length, self._tensor(np.concatenate(places)),
            self._tensor(np.concatenate(real)),
        )  # fmt: skip
        self.counts.passes += 1
        output = self.model(
            input_ids=self._tensor(ids), position_ids=self._tensor(positions), past_key_values=window, use_cache=True,
            attention_mask=self._mask(seen, near), logits_to_keep=keep,
        )  # fmt: skip
        logits: torch.Tensor = output.logits[:, -keep:].float()
        if logits[:, -1, 0].isnan().any():
            said = f"it computes what is no number in {str(self.model.dtype).removeprefix('torch.')}"
            raise DoxaError(said, hint="dtype=float32, or bfloat16, which holds larger numbers than float16")
        return logits

    @torch.inference_mode()
    def hidden(self, span: Span, layers: Sequence[int]) -> NDArray[np.float32]:
        """Hidden states (layers, tokens, dim) of a span without a past; layer 0 is the embedding, -1 the last."""
        self.counts.passes += 1
        positions, seen, near = self._attention(span, len(span.ids))
        states = self.model(
            input_ids=self._tensor(np.array([span.ids])), position_ids=self._tensor(positions[None]), use_cache=False,
            attention_mask=self._mask(seen[None], near[None]), output_hidden_states=True, logits_to_keep=1,
        ).hidden_states  # fmt: skip
        return np.stack([states[layer][0].float().cpu().numpy() for layer in layers])

    def _tensor(self, array: NDArray[Any]) -> torch.Tensor:
        return torch.from_numpy(array).to(self.model.device)

    def _attention(self, span: Span, length: int) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]:
        """Positions of a span's tokens, which of the row's places they see, and which of these in the window."""
        positions, seen, keys = _attention(span, length)
        return positions, seen, seen if self.window is None else seen & (positions[:, None] - keys < self.window)

    def _mask(self, seen: NDArray[np.bool_], near: NDArray[np.bool_]) -> Any:
        """Additive masks, as both attention kernels of transformers take them; one per kind of layer if mixed."""
        full = self._additive(seen)
        if self.window is None:
            return full
        sliding = self._additive(near)
        return {"full_attention": full, "sliding_attention": sliding} if self.mixed else sliding

    def _additive(self, seen: NDArray[np.bool_]) -> torch.Tensor:
        dtype = self.model.dtype
        mask = torch.zeros(seen.shape, dtype=dtype, device=self.model.device)
        return mask.masked_fill_(self._tensor(~seen), torch.finfo(dtype).min)[:, None]


def _attention(span: Span, length: int) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.int64]]:
    """Positions of a span's tokens, which of the row's places they see, and the positions of those places."""
    count, tree = len(span.ids), len(span.parents)
    places = np.arange(length)
    positions = span.past + np.arange(count)
    seen = places[None] <= positions[:, None]
    trunk = count - tree
    for node, parent in enumerate(span.parents, start=trunk):
        positions[node] = positions[parent] + 1
        seen[node] = seen[parent]
        seen[node, span.past + node] = True
    keys = places.copy()
    keys[span.past : span.past + count] = positions
    return positions, seen, keys

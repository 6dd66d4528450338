"""Keys and values of past tokens: allocated once, written and read by index."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import torch

Shape = tuple[int, int]
"""Heads and dimension of one layer's keys or values."""

BLOCK = 8
"""Tokens per shared block: prefixes are shared in whole blocks."""


class Store:
    """One buffer (tokens, heads, dim) per layer for keys and one for values, in the order k0, v0, k1, v1 …"""

    def __init__(self, shapes: Sequence[Shape], tokens: int, like: torch.Tensor) -> None:
        self.tokens = tokens
        # Zeros, not whatever lies there: attention multiplies hidden places by 0, and 0 times NaN is NaN.
        self.buffers = [torch.zeros(tokens, *s, dtype=like.dtype, device=like.device) for s in shapes]

    def copy(self, source: Store, sources: Sequence[int], targets: Sequence[int]) -> None:
        """Copy the given token places of `source` (which may be this store) to the given places of this one."""
        if not sources:
            return
        device = self.buffers[0].device
        read, write = torch.tensor(sources, device=device), torch.tensor(targets, device=device)
        for mine, theirs in zip(self.buffers, source.buffers, strict=True):
            mine.index_copy_(0, write, theirs.index_select(0, read))


class Window:
    """The rows of a store that one forward pass sees, in the shape transformers expects of a cache.

    Keys and values of the pass's tokens are written to their places; attention then reads the rows' first `length`
    places as a view: nothing is copied or concatenated.
    """

    is_compileable = False

    def __init__(self, store: Store, rows: slice, width: int, length: int, places: torch.Tensor, real: torch.Tensor):
        self.store, self.rows, self.width, self.length = store, rows, width, length
        self.places, self.real = places, real

    def update(self, key: torch.Tensor, value: torch.Tensor, layer_idx: int, *_: Any, **__: Any) -> Any:
        """Store the new keys and values; return all that the rows may attend to."""
        both = zip(self.store.buffers[2 * layer_idx : 2 * layer_idx + 2], (key, value), strict=True)
        return tuple(self._exchange(buffer, fresh) for buffer, fresh in both)

    def _exchange(self, buffer: torch.Tensor, fresh: torch.Tensor) -> torch.Tensor:
        tokens = fresh.transpose(1, 2).flatten(0, 1)
        if len(self.places) < len(tokens):  # padding has no place
            tokens = tokens.index_select(0, self.real)
        buffer.index_copy_(0, self.places, tokens)
        rows = buffer[self.rows.start * self.width : self.rows.stop * self.width]
        return rows.view(-1, self.width, *rows.shape[1:])[:, : self.length].transpose(1, 2)

    def get_seq_length(self, layer_idx: int = 0) -> int:
        """Tokens before this pass; unused, because positions and masks are always given."""
        return 0


class Prefixes:
    """Blocks of tokens already computed, found by everything that led to them; the least recently used go first."""

    def __init__(self, shapes: Sequence[Shape], tokens: int, like: torch.Tensor) -> None:
        self.store = Store(shapes, tokens // BLOCK * BLOCK, like)
        self._blocks: OrderedDict[tuple[int, ...], int] = OrderedDict()

    def match(self, tokens: Sequence[int]) -> list[int]:
        """Places in `store` of the longest known prefix that leaves at least one token to compute."""
        places: list[int] = []
        keys = []
        for end in range(BLOCK, len(tokens), BLOCK):
            key = tuple(tokens[:end])
            if key not in self._blocks:
                break
            keys.append(key)
            places.extend(range(self._blocks[key], self._blocks[key] + BLOCK))
        for key in reversed(keys):  # a block is useless without those before it, so they count as used later
            self._blocks.move_to_end(key)
        return places

    def add(self, tokens: Sequence[int], source: Store, start: int) -> None:
        """Keep the whole blocks of `tokens`, whose keys and values lie in `source` from place `start` on."""
        sources: list[int] = []
        targets: list[int] = []
        for end in range(BLOCK, len(tokens) + 1, BLOCK):
            key = tuple(tokens[:end])
            if key in self._blocks:
                continue
            if not self.store.tokens or len(targets) >= self.store.tokens:
                break
            self._blocks[key] = place = self._free()
            sources.extend(range(start + end - BLOCK, start + end))
            targets.extend(range(place, place + BLOCK))
        self.store.copy(source, sources, targets)

    def _free(self) -> int:
        if len(self._blocks) * BLOCK < self.store.tokens:
            return len(self._blocks) * BLOCK
        return self._blocks.popitem(last=False)[1]

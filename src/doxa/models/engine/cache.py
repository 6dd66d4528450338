"""Keys and values of past tokens: allocated once, written and read by index."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from itertools import count
from typing import Any

import torch

Shape = tuple[int, int]
"""Heads and dimension of one layer's keys or values."""


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
    """Tokens already computed, each found by what led to it; the least recently used go first."""

    def __init__(self, shapes: Sequence[Shape], tokens: int, like: torch.Tensor) -> None:
        self.store = Store(shapes, tokens, like)
        self._known: OrderedDict[tuple[int, int], tuple[int, int]] = OrderedDict()
        """(number of the token before, id) to (number, place); numbers are never used again, 0 is the start."""
        self._numbers = count(1)

    def match(self, tokens: Sequence[int]) -> list[int]:
        """Places in `store` of the longest known prefix that leaves at least one token to compute."""
        path = self._path(tokens[:-1])
        return [self._known[key][1] for key in path]

    def add(self, rows: Sequence[tuple[Sequence[int], int]], source: Store) -> None:
        """Keep tokens whose keys and values lie in `source` from a place on, for each (tokens, place)."""
        moves: dict[int, int] = {}
        for tokens, start in rows if self.store.tokens else ():
            path = self._path(tokens)
            before = self._known[path[-1]][0] if path else 0
            for i in range(len(path), len(tokens)):
                number, place = next(self._numbers), self._free()
                self._known[before, tokens[i]] = number, place
                moves[place] = start + i
                before = number
            self._path(tokens)
        self.store.copy(source, [*moves.values()], [*moves])

    def _path(self, tokens: Sequence[int]) -> list[tuple[int, int]]:
        """Keys of the known tokens that `tokens` starts with, which count as used now."""
        path: list[tuple[int, int]] = []
        before = 0
        for id_ in tokens:
            if (before, id_) not in self._known:
                break
            path.append((before, id_))
            before = self._known[before, id_][0]
        for key in reversed(path):  # a token is useless without those before it, so they count as used later
            self._known.move_to_end(key)
        return path

    def _free(self) -> int:
        if len(self._known) < self.store.tokens:
            return len(self._known)
        return self._known.popitem(last=False)[1][1]

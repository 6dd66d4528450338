"""The rows being generated: where each lies in the cache, how wide rows are, who moves when one ends or splits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import torch

from doxa.models.engine.cache import Prefixes, Shape, Store
from doxa.models.engine.rows import Row, Tree

ROUND = 32
"""Row widths are multiples of this, so that rows rarely have to move when a longer one comes."""


@dataclass(eq=False)
class Table:
    """Rows 0 … n-1 without gaps, so that a pass over all of them reads the cache as one view.

    `budget` tokens of cache are shared by rows of one `width`: wider rows, fewer of them. `reserved` rows are promised
    to prompts that are about to start.
    """

    shapes: Sequence[Shape]
    budget: int
    like: torch.Tensor
    prefixes: Prefixes
    rows: list[Row] = field(default_factory=list)
    width: int = ROUND
    reserved: int = 0
    held: int = 0
    """Turns that what is to enter has been waiting for company."""

    def __post_init__(self) -> None:
        """Allocate the cache, once."""
        self.store = Store(self.shapes, max(self.budget, ROUND), self.like)

    def fit(self, width: int, need: int, more: int) -> int | None:
        """The width at which `more` further rows and one of `need` tokens have room; `None` if they have not.

        Rows shrink only by half or more: moving them costs as much as it gains.
        """
        wide = -(-max(width, need, *(row.need for row in self.rows)) // ROUND) * ROUND
        if wide <= self.width < 2 * wide:
            wide = self.width
        return wide if len(self.rows) + more < max(1, self.budget // wide) else None

    @property
    def room(self) -> int:
        """Rows that could still enter at this width."""
        return max(1, self.budget // self.width) - len(self.rows)

    def reshape(self, width: int) -> None:
        """Give the rows another width; those that are under way move."""
        if width == self.width:
            return
        old, self.width = self.width, width
        places = [(slot, i) for slot, row in enumerate(self.rows) for i in range(len(row.tokens) - 1)]
        source, tokens = self.store, max(self.budget, width)
        if tokens > source.tokens:
            self.store = Store(self.shapes, tokens, self.like)
        self.store.copy(source, [s * old + i for s, i in places], [s * width + i for s, i in places])

    def recall(self, items: Sequence[Row | Tree]) -> list[int]:
        """Copy the known prefixes of new rows to where they will lie; their lengths."""
        sources: list[int] = []
        targets: list[int] = []
        lengths = []
        for slot, item in enumerate(items, start=len(self.rows)):
            known = self.prefixes.match(item.tokens)
            sources += known
            targets += range(slot * self.width, slot * self.width + len(known))
            lengths.append(len(known))
        self.store.copy(self.prefixes.store, sources, targets)
        return lengths

    def keep(self, rows: Iterable[tuple[int, Sequence[int]]]) -> None:
        """Remember the computed tokens of the rows in some slots for whoever starts alike."""
        self.prefixes.add([(tokens, slot * self.width) for slot, tokens in rows], self.store)

    def settle(self, dead: Sequence[int], splits: Iterable[tuple[int, Row]]) -> list[Row]:
        """Give rows split off from a slot a place of their own and close the gaps of dead ones.

        Returns the rows that found no room.
        """
        gaps, moves = list(dead), []
        homeless: list[tuple[int, Row]] = []
        for source, row in splits:
            if gaps:
                slot = gaps.pop()
                self.rows[slot] = row
            elif len(self.rows) + self.reserved < max(1, self.budget // self.width):
                slot = len(self.rows)
                self.rows.append(row)
            else:
                homeless.append((source, row))
                continue
            moves.append((source, slot))
        self.keep((source, row.tokens[:-1]) for source, row in homeless)
        self._move(moves)
        self._close(sorted(gaps))
        return [row for _, row in homeless]

    def _close(self, gaps: list[int]) -> None:
        """Fill each gap with the last row that lives."""
        moves = []
        while gaps:
            last = len(self.rows) - 1
            row = self.rows.pop()
            if gaps[-1] == last:
                gaps.pop()
            else:
                self.rows[gaps[0]] = row
                moves.append((last, gaps.pop(0)))
        self._move(moves)

    def _move(self, moves: Iterable[tuple[int, int]]) -> None:
        pairs = [
            (source * self.width + i, target * self.width + i)
            for source, target in moves
            for i in range(len(self.rows[target].tokens) - 1)
        ]
        self.store.copy(self.store, [s for s, _ in pairs], [t for _, t in pairs])

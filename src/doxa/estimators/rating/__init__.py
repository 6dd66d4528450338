"""Ratings from games: who won against whom, as arrays, and how strong each is.

A game has one that is shown first, one that is shown second, and the score of the first: 1 won, 1/2 a tie, 0 lost, or
a share in between where the winner is only probable.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Games:
    """Games among `n` players, in the order in which they were played; all arrays have one entry a game."""

    n: int
    first: NDArray[np.intp]
    second: NDArray[np.intp]
    score: Floats
    """Of the one shown first."""

    @classmethod
    def of(cls, n: int, games: ArrayLike) -> Games:
        """Games from rows (first, second, score of the first)."""
        rows = np.asarray(games, dtype=float).reshape(-1, 3)
        return cls(n, rows[:, 0].astype(np.intp), rows[:, 1].astype(np.intp), rows[:, 2].copy())

    def totals(self, first: Any, second: Any) -> Floats:
        """Sum over its games, for each player, of `first` where it is shown first and of `second` where it is not."""
        found = np.zeros(self.n)
        for who, each in ((self.first, first), (self.second, second)):
            found += np.bincount(who, np.broadcast_to(each, self.score.shape).astype(float), self.n)
        return found


def groups(games: Games) -> NDArray[np.intp]:
    """For each player the number of its group: those that games connect, directly or through others."""
    label = np.arange(games.n)
    while True:
        lowest = np.minimum(label[games.first], label[games.second])
        smaller = label.copy()
        np.minimum.at(smaller, games.first, lowest)
        np.minimum.at(smaller, games.second, lowest)
        smaller = smaller[smaller]  # a label is a player: go on to its own label, which halves the way
        if (smaller == label).all():
            return np.unique(label, return_inverse=True)[1].astype(np.intp)
        label = smaller

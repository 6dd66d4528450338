"""Kernels of two shapes that the bootstrap can compute faster than cell by cell.

Most metrics are functions of a few sums over answers, and the areas of a ranking are sums over the places that wrong
answers take in it. Both are callable on `Cells` like every kernel, with leading replicate axes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from doxa.metrics.maths.binning import fold
from doxa.metrics.maths.cells import Cells
from doxa.metrics.maths.checks import Bools, Floats, Ints

Kernel = Callable[..., Floats]
"""Cells to one number per replicate; NaN where the metric does not exist."""


class Part(NamedTuple):
    """What an answer adds to a sum, or to that of its bin."""

    if_right: Floats
    """(k,) by confidence"""
    if_wrong: Floats
    bin: Ints | None = None
    """(k,) by confidence; `None` is one sum without bins."""
    bins: int = 1

    def over(self, cells: Cells) -> Floats:
        """The sum over all answers, (...), or the sums of the bins, (..., bins)."""
        if self.bin is None:
            dot = "...k,k->..."  # in one thread: a million numbers are too few to share
            return np.asarray(np.einsum(dot, cells.right, self.if_right) + np.einsum(dot, cells.wrong, self.if_wrong))
        return fold(cells.right * self.if_right + cells.wrong * self.if_wrong, self.bin, self.bins)

    def by_unit(self, correct: Bools, unit: Ints) -> Floats:
        """The sums over the rows of each unit, (units, bins); rows are in the order of the confidences."""
        units = int(unit.max()) + 1
        slots = unit * self.bins + (0 if self.bin is None else self.bin)
        sums = np.bincount(slots, np.where(correct, self.if_right, self.if_wrong), units * self.bins)
        return np.asarray(sums.reshape(units, self.bins), dtype=np.float64)


def count(confidence: Floats, index: Ints | None = None, bins: int = 1) -> Part:
    """The number of answers."""
    ones = np.ones(len(confidence))
    return Part(ones, ones, index, bins)


def rights(confidence: Floats, index: Ints | None = None, bins: int = 1) -> Part:
    """The number of right answers."""
    return Part(np.ones(len(confidence)), np.zeros(len(confidence)), index, bins)


def wrongs(confidence: Floats) -> Part:
    """The number of wrong answers."""
    return Part(np.zeros(len(confidence)), np.ones(len(confidence)))


def excess(confidence: Floats, index: Ints | None = None, bins: int = 1) -> Part:
    """The sum of confidence minus outcome."""
    return Part(confidence - 1, confidence, index, bins)


def squares(confidence: Floats) -> Part:
    """The sum of (confidence - outcome)²."""
    return Part((1 - confidence) ** 2, confidence**2)


@dataclass(frozen=True, slots=True)
class Sums:
    """The kernel of a metric that is a function of sums over answers."""

    parts: Callable[..., tuple[Part, ...]]
    """Confidences (and knobs) to what is summed."""
    finish: Callable[..., Floats]
    """The number of answers and the sums to the metric."""

    def __call__(self, cells: Cells, **knobs: Any) -> Floats:
        """The metric of cells."""
        return self.finish(cells.total, *(part.over(cells) for part in self.parts(cells.confidence, **knobs)))


@dataclass(frozen=True, slots=True)
class Places:
    """The kernel of a metric of the places that wrong answers take among all, the surest at place 1.

    Tied answers share their places evenly, as they do on average over the orders of the tie.
    """

    potential: Callable[[int], Floats]
    """n to a table of 0 … n: its step from i - 1 to i is what a wrong answer at place i counts."""
    finish: Callable[[Floats, Floats, Floats, Floats], Floats]
    """Right answers, wrong answers, the sum of what the wrong ones count, and the table, to the metric."""

    def __call__(self, cells: Cells) -> Floats:
        """The metric of cells."""
        count = cells.count
        upto = np.zeros((*count.shape[:-1], count.shape[-1] + 1), dtype=np.intp)
        np.cumsum(count, axis=-1, out=upto[..., 1:], dtype=np.intp)
        table = self.potential(int(upto[..., -1].max()))
        share = cells.wrong / np.maximum(count, 1)
        gained = np.einsum("...k,...k->...", share, np.diff(table[upto], axis=-1))
        wrong = cells.wrong.sum(-1)
        return self.finish(upto[..., -1] - wrong, wrong, gained, table)


def places(n: int) -> Floats:
    """Potential of the place itself: 1 + 2 + … + n."""
    upto = np.arange(n + 1, dtype=np.float64)
    return upto * (upto + 1) / 2


def harmonics(n: int) -> Floats:
    """Potential of H(i - 1), a harmonic number: H(0) + … + H(n - 1) = n (H(n) - 1)."""
    upto = np.arange(n + 1, dtype=np.float64)
    sums = np.zeros(n + 1)
    np.cumsum(1 / upto[1:], out=sums[1:])
    return upto * (sums - 1)

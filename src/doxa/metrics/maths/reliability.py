"""Reliability diagrams as numbers: what plots draw and reports print."""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import ArrayLike

from doxa.metrics.maths.binning import Edges, equal_width, fold
from doxa.metrics.maths.cells import group
from doxa.metrics.maths.checks import check
from doxa.metrics.maths.intervals import wilson


@dataclass(frozen=True, slots=True)
class Bin:
    """One bin of a reliability diagram; an empty one has no values."""

    left: float
    right: float
    n: int
    confidence: float | None
    """Mean confidence of its answers."""
    accuracy: float | None
    low: float | None
    """Lower end of the accuracy's 95 % interval (Wilson)."""
    high: float | None


def reliability_bins(*, confidence: ArrayLike, correct: ArrayLike, bins: int = 10, edges: Edges = "right") -> list[Bin]:
    """The bins that `ece` sums, from low to high confidence."""
    cells = group(*check(confidence, correct))
    index = equal_width(cells.confidence, bins, edges)
    counts = fold(cells.count, index, bins)
    sums = fold(cells.count * cells.confidence, index, bins)
    rights = fold(cells.right, index, bins)
    return [_bin(i, bins, float(counts[i]), float(sums[i]), float(rights[i])) for i in range(bins)]


def _bin(i: int, bins: int, n: float, total: float, right: float) -> Bin:
    """One bin from its sums."""
    if not n:
        return Bin(i / bins, (i + 1) / bins, 0, None, None, None, None)
    low, high = wilson(right, n)
    return Bin(i / bins, (i + 1) / bins, int(n), total / n, right / n, low, high)

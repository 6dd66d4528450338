"""The part of the Brier score that calibration can remove."""

from __future__ import annotations

from numpy.typing import ArrayLike

from doxa.metrics.maths.binning import equal_width, fold, gap
from doxa.metrics.maths.cells import Cells, ratio
from doxa.metrics.maths.checks import Floats
from doxa.metrics.maths.rule import Rule


def brier_reliability(*, confidence: ArrayLike, correct: ArrayLike, bins: int = 10) -> float:
    """Sum over bins of n_b / n (mean confidence - accuracy)², in [0, 1]; lower is better.

    Bins are those of `ece`. Source: Murphy 1973.

    >>> brier_reliability(confidence=[0.5, 0.5, 1.0, 1.0], correct=[1, 0, 1, 0])
    0.125
    """
    return RULE.value(confidence, correct, bins=bins)


def kernel(cells: Cells, bins: int = 10) -> Floats:
    """Squared gaps of the bins over their counts."""
    index = equal_width(cells.confidence, bins)
    squares = ratio(fold(gap(cells), index, bins) ** 2, fold(cells.count, index, bins), 0.0)
    return ratio(squares.sum(-1), cells.total)


RULE = Rule(kernel, better="low", distance=True)

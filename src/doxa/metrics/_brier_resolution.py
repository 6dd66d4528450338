"""The part of the Brier score that telling answers apart earns."""

from __future__ import annotations

from numpy.typing import ArrayLike

from doxa.metrics.maths.binning import equal_width, fold, gap
from doxa.metrics.maths.cells import Cells, average, ratio
from doxa.metrics.maths.checks import Floats
from doxa.metrics.maths.rule import Rule


def brier_resolution(*, confidence: ArrayLike, correct: ArrayLike, bins: int = 10) -> float:
    """Reliability + uncertainty - Brier score; higher is better, at most 1/4.

    With one distinct confidence per bin this is Murphy's sum of n_b / n (accuracy of the bin - accuracy)². Otherwise it
    also contains what the confidences tell apart inside a bin, so that `brier_loss` equals reliability - resolution +
    uncertainty exactly. Noise inside a bin can make it negative. Bins are those of `ece`.
    Source: Murphy 1973; within-bin terms: Stephenson, Coelho and Jolliffe 2008.

    >>> brier_resolution(confidence=[1.0, 1.0, 0.0, 0.0], correct=[1, 1, 0, 0])
    0.25
    """
    return RULE.value(confidence, correct, bins=bins)


def kernel(cells: Cells, bins: int = 10) -> Floats:
    """The three-term identity solved for the resolution."""
    index = equal_width(cells.confidence, bins)
    squares = ratio(fold(gap(cells), index, bins) ** 2, fold(cells.count, index, bins), 0.0)
    reliability = ratio(squares.sum(-1), cells.total)
    accuracy = ratio(cells.right.sum(-1), cells.total)
    brier = average(cells, (1 - cells.confidence) ** 2, cells.confidence**2)
    return reliability + accuracy * (1 - accuracy) - brier


RULE = Rule(kernel, better="high", bounds=(-1.0, 0.25))

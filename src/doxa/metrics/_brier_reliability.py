"""The part of the Brier score that calibration can remove."""

from __future__ import annotations

from numpy.typing import ArrayLike

from doxa.metrics.maths.binning import equal_width
from doxa.metrics.maths.cells import ratio
from doxa.metrics.maths.checks import Floats
from doxa.metrics.maths.kernels import Part, Sums, count, excess
from doxa.metrics.maths.rule import Rule


def brier_reliability(*, confidence: ArrayLike, correct: ArrayLike, bins: int = 10) -> float:
    """Sum over bins of n_b / n (mean confidence - accuracy)², in [0, 1]; lower is better.

    Bins are those of `ece`. Source: Murphy 1973.

    >>> brier_reliability(confidence=[0.5, 0.5, 1.0, 1.0], correct=[1, 0, 1, 0])
    0.125
    """
    return RULE.value(confidence, correct, bins=bins)


def parts(confidence: Floats, bins: int = 10) -> tuple[Part, Part]:
    """Gaps and counts of the bins."""
    index = equal_width(confidence, bins)
    return excess(confidence, index, bins), count(confidence, index, bins)


def mean_square(total: Floats, gaps: Floats, counts: Floats) -> Floats:
    """Squared gaps of the bins over their counts."""
    return ratio(ratio(gaps**2, counts, 0.0).sum(-1), total)


RULE = Rule(Sums(parts, mean_square), better="low", distance=True)

"""Squared calibration error without what chance adds."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.maths.binning import equal_width
from doxa.metrics.maths.cells import ratio
from doxa.metrics.maths.checks import Floats
from doxa.metrics.maths.kernels import Part, Sums, count, excess, rights
from doxa.metrics.maths.rule import Rule


def debiased_squared_ece(*, confidence: ArrayLike, correct: ArrayLike, bins: int = 10) -> float:
    """Sum over bins of n_b / n ((mean confidence - accuracy)² - accuracy (1 - accuracy) / (n_b - 1)); lower is better.

    `brier_reliability` less what it would show of perfect bins by chance, so about 0, and in half of all cases below,
    if calibrated. In [-1/2, 1]. Bins of one answer count 0, as in the authors' code; bins are those of `ece`.
    Source: Kumar, Liang and Ma 2019, Verified Uncertainty Calibration, arXiv 1909.10155.

    >>> debiased_squared_ece(confidence=[0.5, 0.5, 1.0, 1.0], correct=[1, 0, 1, 1])
    -0.125
    """
    return RULE.value(confidence, correct, bins=bins)


def parts(confidence: Floats, bins: int = 10) -> tuple[Part, Part, Part]:
    """Gaps, counts and right answers of the bins."""
    index = equal_width(confidence, bins)
    return tuple(part(confidence, index, bins) for part in (excess, count, rights))  # type: ignore[return-value]


def mean_square(total: Floats, gaps: Floats, counts: Floats, right: Floats) -> Floats:
    """Squared gaps less their variance by chance."""
    chance = ratio(right * (counts - right), counts - 1, 0.0)
    squares = np.where(counts > 1, ratio(gaps**2 - chance, counts, 0.0), 0.0)
    return ratio(squares.sum(-1), total)


RULE = Rule(Sums(parts, mean_square), better="low", bounds=(-0.5, 1.0), distance=True)

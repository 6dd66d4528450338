"""Calibration error over bins of equal count."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.maths.binning import equal_count, fold, gap
from doxa.metrics.maths.cells import Cells, ratio
from doxa.metrics.maths.checks import Floats
from doxa.metrics.maths.rule import Rule


def adaptive_ece(*, confidence: ArrayLike, correct: ArrayLike, bins: int = 10) -> float:
    """Sum over bins of n_b / n |mean confidence - accuracy| with bins of equal count, in [0, 1]; lower is better.

    Tied answers stay in one bin, that of the middle of the tie; so bins are as equal as the ties allow.
    Source: Nixon, Dusenberry, Zhang, Jerfel and Tran 2019, arXiv 1904.01685.

    >>> adaptive_ece(confidence=[0.5, 0.75, 1.0, 1.0], correct=[0, 1, 1, 1], bins=2)
    0.0625
    """
    return RULE.value(confidence, correct, bins=bins)


def kernel(cells: Cells, bins: int = 10) -> Floats:
    """Absolute gaps of the bins over the number of answers; each replicate has bins of its own."""
    gaps = fold(gap(cells), equal_count(cells.count, bins), bins)
    return ratio(np.abs(gaps).sum(-1), cells.total)


RULE = Rule(kernel, better="low", distance=True)

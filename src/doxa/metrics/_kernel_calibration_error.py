"""Squared kernel calibration error."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.maths.cells import Cells, average, ratio
from doxa.metrics.maths.checks import Floats
from doxa.metrics.maths.laplacian import pairs
from doxa.metrics.maths.rule import Rule


def kernel_calibration_error(
    *, confidence: ArrayLike, correct: ArrayLike, width: float = 0.4, biased: bool = False
) -> float:
    """Mean over pairs of different answers of (c_i - y_i) (c_j - y_j) exp(-|c_i - c_j| / width); lower is better.

    The squared kernel calibration error with a Laplacian kernel: unbiased, so about 0 and often below if calibrated; in
    [-1, 1]. `biased=True` also pairs each answer with itself and is `mmce` squared. Takes O(n log n). Undefined for
    one answer. Source: Widmann, Lindsten and Zachariah 2019, arXiv 1910.11385 (SKCE), with outcomes as the one class.

    >>> kernel_calibration_error(confidence=[0.75, 0.75], correct=[1, 0])
    -0.1875
    """
    return RULE.value(confidence, correct, width=width, biased=biased)


def kernel(cells: Cells, width: float = 0.4, biased: bool = False) -> Floats:
    """The mean over pairs."""
    total = pairs(cells, width)
    if biased:
        return ratio(np.maximum(total, 0.0), cells.total**2)
    itself = cells.total * average(cells, (1 - cells.confidence) ** 2, cells.confidence**2)
    return ratio(total - itself, cells.total * (cells.total - 1))


RULE = Rule(kernel, better="low", bounds=(-1.0, 1.0), undefined="there is only one answer", distance=True)

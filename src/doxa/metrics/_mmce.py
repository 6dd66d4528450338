"""Maximum mean calibration error."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.maths.cells import Cells, ratio
from doxa.metrics.maths.checks import Floats
from doxa.metrics.maths.laplacian import pairs
from doxa.metrics.maths.rule import Rule


def mmce(*, confidence: ArrayLike, correct: ArrayLike, width: float = 0.4) -> float:
    """sqrt(mean over all pairs of (c_i - y_i) (c_j - y_j) exp(-|c_i - c_j| / width)), in [0, 1]; lower is better.

    The largest mean miscalibration that a function of the confidence, smooth on the scale of `width`, can show. Each
    answer is also paired with itself, which biases it upwards on few answers; `kernel_calibration_error` leaves that
    out. Takes O(n log n). Source: Kumar, Sarawagi and Jain 2018, Trainable Calibration Measures for Neural Networks
    from Kernel Mean Embeddings.

    >>> mmce(confidence=[0.75, 0.75], correct=[1, 0])
    0.25
    """
    return RULE.value(confidence, correct, width=width)


def kernel(cells: Cells, width: float = 0.4) -> Floats:
    """The root of the mean over pairs."""
    return ratio(np.sqrt(np.maximum(pairs(cells, width), 0.0)), cells.total)


RULE = Rule(kernel, better="low", distance=True)

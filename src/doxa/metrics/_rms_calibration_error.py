"""Root mean square calibration error."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.maths.binning import equal_size, fold, gap
from doxa.metrics.maths.cells import Cells, ratio
from doxa.metrics.maths.checks import Floats
from doxa.metrics.maths.rule import Rule


def rms_calibration_error(
    *, confidence: ArrayLike, correct: ArrayLike, size: int = 100, as_released: bool = False
) -> float:
    """Root of the sum over bins of n_b / n (mean confidence - accuracy)², in [0, 1]; lower is better.

    Bins hold `size` answers each, counted from the least sure; the surest one also takes what is left. Ties stay in one
    bin, that of the middle of the tie. Fewer than two bins' worth of answers are one bin: then it is
    |`overconfidence`|. `as_released=True` leaves the bin of the surest answers out of the sum, as the authors' code
    does, of which others' leaderboards have copies; it is then 0 where there is one bin.
    Source: Hendrycks, Mazeika and Dietterich 2019, arXiv 1812.04606.

    >>> rms_calibration_error(confidence=[0.5, 0.5, 1.0, 1.0], correct=[1, 0, 1, 0], size=2)
    0.3535533905932738
    """
    return RULE.value(confidence, correct, size=size, as_released=as_released)


def kernel(cells: Cells, size: int = 100, as_released: bool = False) -> Floats:
    """Squared gaps of the bins over their counts."""
    index = equal_size(cells.count, size)
    bins = int(index.max()) + 1
    squares = ratio(fold(gap(cells), index, bins) ** 2, fold(cells.count, index, bins), 0.0)
    if as_released:
        last = np.maximum(cells.total // size - 1, 0)[..., None]
        squares = np.where(np.arange(bins) < last, squares, 0.0)
    return np.sqrt(ratio(squares.sum(-1), cells.total))


RULE = Rule(kernel, better="low", distance=True)

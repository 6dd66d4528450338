"""Sums over all pairs of answers, weighted by how close their confidences are, in linear time."""

from __future__ import annotations

import numpy as np

from doxa.errors import UsageError
from doxa.metrics.maths.binning import gap
from doxa.metrics.maths.cells import Cells
from doxa.metrics.maths.checks import Floats

NARROWEST = 0.001


def pairs(cells: Cells, width: float) -> Floats:
    """Sum over i and j of (c_i - y_i) (c_j - y_j) exp(-|c_i - c_j| / width), each answer with itself included.

    The kernel of two confidences in order is a product of one factor for each, so that one cumulative sum serves.
    """
    if not width >= NARROWEST:
        raise UsageError(f"width is {width}", hint=f"give a width of at least {NARROWEST}")
    excess = gap(cells)
    factor = np.exp((cells.confidence - 0.5) / width)
    surer = np.cumsum(excess / factor, axis=-1)
    twice = np.einsum("...k,...k->...", excess * factor, surer)
    return np.asarray(2 * twice - np.einsum("...k,...k->...", excess, excess))

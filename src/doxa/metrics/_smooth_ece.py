"""Calibration error without bins."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.maths.binning import fold, gap
from doxa.metrics.maths.cells import Cells, ratio
from doxa.metrics.maths.checks import Floats
from doxa.metrics.maths.rule import Rule

TERMS = 512
"""Terms of the cosine series; enough for bandwidths down to 0.004."""
GRID = 1 << 12
"""Intervals of the grid on which the residual is placed; moves the result by some hundred-thousandths of itself."""


def smooth_ece(*, confidence: ArrayLike, correct: ArrayLike) -> float:
    """Integral over [0, 1] of the absolute residual smoothed by a reflected Gaussian, in [0, 1]; lower is better.

    The bandwidth is the fixed point: the one that equals the resulting error. A consistent measure of the distance to
    the nearest calibrated forecast, continuous in the confidences. Source: Błasiok and Nakkiran 2023, arXiv 2309.12236.

    >>> round(smooth_ece(confidence=[0.5, 0.5], correct=[1, 0]), 6)
    0.0
    """
    return RULE.value(confidence, correct)


def kernel(cells: Cells) -> Floats:
    """Bisect for the bandwidth s with error(s) = s; the error falls as the bandwidth grows.

    Smoothing by a Gaussian reflected at both ends damps the k-th cosine of the residual by exp(-(s pi k)² / 2), so
    one series per replicate serves every bandwidth.
    """
    series = _cosines(cells)
    low, high = np.zeros(series.shape[:-1]), np.ones(series.shape[:-1])
    for _ in range(25):
        middle = (low + high) / 2
        above = _smoothed(series, middle) > middle
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return (low + high) / 2


def _cosines(cells: Cells) -> Floats:
    """Cosine coefficients of the residual, (..., TERMS), its mass shared between the two nearest grid points."""
    from scipy.fft import dct

    place = cells.confidence * GRID
    below = np.minimum(place, GRID - 1).astype(np.intp)
    upper = gap(cells) * (place - below)
    mass = fold(gap(cells) - upper, below, GRID + 1) + fold(upper, below + 1, GRID + 1)
    mass[..., [0, -1]] *= 2
    return ratio(dct(mass, type=1, axis=-1)[..., :TERMS] / 2, cells.total[..., None])


def _smoothed(series: Floats, bandwidth: Floats) -> Floats:
    """Integral of the absolute smoothed residual, by the midpoint rule on 2 * TERMS points."""
    from scipy.fft import dct

    damped = series * np.exp(-((bandwidth[..., None] * np.pi * np.arange(TERMS)) ** 2) / 2)
    return np.asarray(np.abs(dct(damped, type=3, n=2 * TERMS, axis=-1)).mean(-1))


RULE = Rule(kernel, better="low", distance=True)

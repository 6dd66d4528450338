"""Calibration error without bins."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.maths.binning import gap
from doxa.metrics.maths.cells import Cells, ratio
from doxa.metrics.maths.checks import Floats
from doxa.metrics.maths.rule import Rule

TERMS = 1024
"""Terms of the cosine series; enough for bandwidths down to 0.002."""
BLOCK = 4096
"""Cells whose cosines are held at a time."""


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
    for _ in range(40):
        middle = (low + high) / 2
        above = _smoothed(series, middle) > middle
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return (low + high) / 2


def _cosines(cells: Cells) -> Floats:
    """Cosine coefficients of the residual measure, (..., TERMS)."""
    residual, k = gap(cells), np.pi * np.arange(TERMS)
    total = np.zeros((*residual.shape[:-1], TERMS))
    for start in range(0, len(cells.confidence), BLOCK):
        block = slice(start, start + BLOCK)
        total += residual[..., block] @ np.cos(np.outer(cells.confidence[block], k))
    return ratio(total, cells.total[..., None])


def _smoothed(series: Floats, bandwidth: Floats) -> Floats:
    """Integral of the absolute smoothed residual, by the midpoint rule on 2 * TERMS points."""
    from scipy.fft import dct

    damped = series * np.exp(-((bandwidth[..., None] * np.pi * np.arange(TERMS)) ** 2) / 2)
    return np.asarray(np.abs(dct(damped, type=3, n=2 * TERMS, axis=-1)).mean(-1))


RULE = Rule(kernel, better="low")

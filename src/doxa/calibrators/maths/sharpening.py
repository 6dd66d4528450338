"""One exponent for distributions over options: p_i^beta over the sum of these.

For two options, p and 1 - p, it is temperature scaling: sigmoid(beta · logit p), the temperature being 1 / beta.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from doxa.calibrators.maths.logistic import EPS
from doxa.errors import DataError, UsageError
from doxa.metrics.maths.checks import Floats, Ints

SPAN = 7.0
"""Bound of the exponent's logarithm."""


def sharpened(p: ArrayLike, exponent: float) -> Floats:
    """Distributions (…, k) raised to a power and normalised anew; above 1 they get sharper, below 1 flatter.

    What is impossible stays so. Raises `UsageError` for an exponent that is not above 0, `DataError` for values below 0
    or a row of zeros. Source: Tian et al. 2023, Just Ask for Calibration (arXiv 2305.14975), temperature scaling.

    >>> sharpened([0.9, 0.1], 0.5).round(4).tolist(), sharpened([0.9, 0.1], 2).round(4).tolist()
    ([0.75, 0.25], [0.9878, 0.0122])
    """
    if not exponent > 0:
        raise UsageError(f"exponent={exponent}", hint="an exponent is above 0; 1 changes nothing")
    options = np.asarray(p, dtype=np.float64)
    largest = options.max(axis=-1, keepdims=True)
    if not ((options >= 0).all() and (largest > 0).all() and np.isfinite(options).all()):
        raise DataError("an option's probability is negative or missing, or a row is all 0", hint="give distributions")
    weights = (options / largest) ** exponent
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))


def best_exponent(options: Floats, gold: Ints) -> float:
    """The exponent of greatest likelihood of the right options: `options` (n, k), `gold` (n,) their places.

    The loss is convex in the exponent, so its slope changes sign at most once; sought from e^-SPAN to e^SPAN. 1 where
    all exponents are equally good. Probabilities are clipped to [EPS, 1 - EPS].
    """
    from scipy.optimize import brentq

    logs = np.log(np.clip(options, EPS, 1 - EPS))
    below = logs - logs.max(axis=1, keepdims=True)
    above = logs - np.take_along_axis(logs, gold[:, None], axis=1)
    if not above.any():
        return 1.0

    def slope(log_exponent: float) -> float:
        weights = np.exp(np.exp(log_exponent) * below)
        return float(((weights * above).sum(axis=1) / weights.sum(axis=1)).sum())

    if slope(-SPAN) >= 0:
        return float(np.exp(-SPAN))
    return float(np.exp(SPAN if slope(SPAN) <= 0 else brentq(slope, -SPAN, SPAN)))

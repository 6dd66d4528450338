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
"""The logarithm of the exponent is sought in [-SPAN, SPAN]."""


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

    By bisection: the loss is convex in the exponent, so its slope changes sign once. Probabilities are clipped to
    [EPS, 1 - EPS]. 1 where all are equally good.
    """
    logs = np.log(np.clip(options, EPS, 1 - EPS))
    hit = np.take_along_axis(logs, gold[:, None], axis=1)
    above = logs - hit
    low, high = -SPAN, SPAN
    for _ in range(60):
        middle = (low + high) / 2
        slope = float((sharpened(np.exp(logs), np.exp(middle)) * above).sum())
        if slope == 0:
            break
        low, high = (low, middle) if slope > 0 else (middle, high)
    return float(np.exp(middle))

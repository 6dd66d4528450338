"""Are the confidences calibrated? Cumulative differences, Spiegelhalter's z, and how likely such values are by chance.

The p-values take answers as independent, and are those of the limit of many answers.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import Any

import numpy as np

from doxa.metrics.maths.binning import gap
from doxa.metrics.maths.cells import Cells, ratio
from doxa.metrics.maths.checks import Floats

SURE = 9.0
"""Standard deviations beyond which a normal tail no longer counts in double precision."""
CERTAIN = 0.05
"""A Brownian motion leaves so narrow a band with certainty, in double precision."""


def cumulative(cells: Cells) -> Floats:
    """Outcomes minus confidences of the least sure answers, over n: (..., k + 1), 0 and then at each confidence.

    Inside a tie there is no order, so the curve is only known where one ends.
    """
    steps = -gap(cells)[..., ::-1]
    start = np.zeros((*steps.shape[:-1], 1))
    return ratio(np.concatenate([start, np.cumsum(steps, -1)], axis=-1), cells.total[..., None])


def length_scale(cells: Cells) -> Floats:
    """Standard deviation of the curve's end if confidences are calibrated: sqrt(sum of c (1 - c)) / n."""
    spread = np.einsum("...k,k->...", cells.count, cells.confidence * (1 - cells.confidence))
    return ratio(np.sqrt(spread), cells.total)


def ks_distance(cells: Cells) -> Floats:
    """Largest absolute value of the curve."""
    return np.asarray(np.abs(cumulative(cells)).max(-1))


def kuiper_distance(cells: Cells, from_zero: bool = True) -> Floats:
    """Largest minus smallest value of the curve, with or without its start at 0."""
    curve = cumulative(cells)[..., 0 if from_zero else 1 :]
    return np.asarray(curve.max(-1) - curve.min(-1))


def ks_p(cells: Cells) -> float | None:
    """Probability of a `ks_distance` as large if calibrated; `None` where all confidences are 0 or 1."""
    return _standardised(cells, ks_distance, brownian_maximum)


def kuiper_p(cells: Cells) -> float | None:
    """Probability of a `kuiper_distance` as large if calibrated; `None` where all confidences are 0 or 1."""
    return _standardised(cells, kuiper_distance, brownian_range)


def brownian_maximum(x: float) -> float:
    """Probability that a Brownian motion on [0, 1] reaches x or -x: 4 times the sum of (-1)^k Q((2k + 1) x).

    Q is the normal tail. By reflection; Darling and Siegert 1953 have the same as another series.
    """
    if x < CERTAIN:
        return 1.0
    k = np.arange(ceil(SURE / x) + 1)
    return _share(4 * np.sum((-1.0) ** k * tail((2 * k + 1) * x)))


def brownian_range(x: float) -> float:
    """Probability that the range of a Brownian motion on [0, 1] exceeds x: 8 times the sum of (-1)^(k - 1) k Q(k x).

    Feller 1951, The Asymptotic Distribution of the Range of Sums of Independent Random Variables.
    """
    if x < CERTAIN:
        return 1.0
    k = np.arange(1, 2 * ceil(SURE / x) + 1)
    return _share(8 * np.sum((-1.0) ** (k - 1) * k * tail(k * x)))


def spiegelhalter(_: Floats, numerator: Floats, variance: Floats) -> Floats:
    """Sum of (outcome - c) (1 - 2c) over the root of its variance if calibrated, the sum of (1 - 2c)² c (1 - c)."""
    return ratio(numerator, np.sqrt(variance))


def two_sided(z: float) -> float:
    """Probability of a standard normal number as far from 0."""
    return float(2 * tail(abs(z)))


def _standardised(cells: Cells, distance: Callable[[Cells], Floats], law: Callable[[float], float]) -> float | None:
    scale = float(length_scale(cells))
    return law(float(distance(cells)) / scale) if scale else None


def tail(x: Any) -> Floats:
    """Upper tail of the standard normal distribution."""
    from scipy.special import ndtr

    return np.asarray(ndtr(-x))


def _share(p: float) -> float:
    return min(1.0, max(0.0, float(p)))

"""Surprise at the outcomes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.maths.checks import Floats
from doxa.metrics.maths.rule import mean_rule

EPS = float(np.finfo(np.float64).eps)
"""Confidences are clipped to [EPS, 1 - EPS], so that one certain mistake costs 36 nats and not infinity."""


def log_loss(*, confidence: ArrayLike, correct: ArrayLike) -> float:
    """Mean of -ln(probability given to the outcome), in nats, at least 0; lower is better.

    A strictly proper score. Confidences are clipped to [2.2e-16, 1 - 2.2e-16]. Source: Good 1952.

    >>> round(log_loss(confidence=[0.5, 0.5], correct=[1, 0]), 4)
    0.6931
    """
    return RULE.value(confidence, correct)


def parts(confidence: Floats) -> tuple[Floats, Floats]:
    """Negative logarithms of the confidence and of its complement."""
    clipped = np.clip(confidence, EPS, 1 - EPS)
    return -np.log(clipped), -np.log(1 - clipped)


RULE = mean_rule(parts, better="low")

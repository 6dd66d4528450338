"""Confidence targets: answer only if you are surer than t, as an error costs t / (1 - t)."""

from __future__ import annotations

import numpy as np

from doxa.errors import DataError
from doxa.metrics.maths.checks import Floats
from doxa.metrics.maths.columns import Column_

OUTCOMES = ("correct", "abstain", "wrong")


def stakes(target: Floats) -> Floats:
    """The targets, which lie in [0, 1). Raises `DataError` for others: at 1 an error costs infinitely much."""
    bad = (target < 0) | (target >= 1)
    if bad.any():
        raise DataError(f"the target {target[bad][0]:g} is not in [0, 1)", hint="usual are 0, 0.5, 0.75 and 0.9")
    return target


def points(outcome: Column_, target: Floats) -> Floats:
    """What each answer brings: 1 correct, 0 abstained, -t / (1 - t) wrong."""
    return np.where(outcome == "correct", 1.0, np.where(outcome == "abstain", 0.0, -target / (1 - target)))

"""Prediction rejection ratio."""

from __future__ import annotations

from math import inf

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.maths.cells import ratio
from doxa.metrics.maths.checks import Floats
from doxa.metrics.maths.kernels import Places, harmonics
from doxa.metrics.maths.ranking import least_mean_risk, mean_risk
from doxa.metrics.maths.rule import BOTH, Rule
from doxa.types import Scale


def prr(*, confidence: ArrayLike, correct: ArrayLike) -> float:
    """(error rate - `aurc`) / (error rate - least `aurc`): 1 is the best order, 0 is guessing; higher is better.

    Guessing is in closed form: averaged over all orders the risk is the error rate at every coverage. Worse than
    guessing is negative, without a bound of its own. Undefined unless some answers are right and some wrong.
    Source: Malinin and Gales 2021, arXiv 2002.07650, with the mean risk of the answers kept as the curve.

    >>> prr(confidence=[0.9, 0.5, 0.1], correct=[1, 1, 0])
    1.0
    """
    return RULE.value(confidence, correct)


def share_of_best(right: Floats, wrong: Floats, earlier: Floats, table: Floats) -> Floats:
    """What the order gains over guessing, as a share of what the best order gains."""
    error_rate = ratio(wrong, right + wrong)
    best = np.where(right * wrong > 0, error_rate - least_mean_risk(right, wrong, table), 0.0)
    return ratio(error_rate - mean_risk(right, wrong, earlier, table), best)


RULE = Rule(Places(harmonics, share_of_best), better="high", scale=Scale.REAL, bounds=(-inf, 1.0), undefined=BOTH)

"""Spiegelhalter's test of calibration."""

from __future__ import annotations

from math import inf

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.maths.calibration_tests import spiegelhalter, two_sided
from doxa.metrics.maths.cells import Cells
from doxa.metrics.maths.checks import Floats
from doxa.metrics.maths.kernels import Part, Sums
from doxa.metrics.maths.rule import Rule


def spiegelhalter_z(*, confidence: ArrayLike, correct: ArrayLike) -> float:
    """How far the Brier score lies from what calibrated confidences make expect, in standard deviations.

    Sum of (outcome - c) (1 - 2c) / sqrt(sum of (1 - 2c)² c (1 - c)). Any number, zero is best: standard normal if
    calibrated, positive where sure answers fail too often (a Brier score too high). It grows with the number of
    answers; `measure` gives the two-sided p as part of the reason. Undefined where every confidence is 0, 1/2 or 1.
    Source: Spiegelhalter 1986, Probabilistic prediction in patient management and clinical trials.

    >>> round(spiegelhalter_z(confidence=[0.1, 0.9, 0.21, 0.9, 0.5], correct=[0, 1, 0, 1, 0]), 3)
    -0.757
    """
    return RULE.value(confidence, correct)


def parts(confidence: Floats) -> tuple[Part, Part]:
    """What the statistic and its variance sum."""
    slope = 1 - 2 * confidence
    variance = slope**2 * confidence * (1 - confidence)
    return Part((1 - confidence) * slope, -confidence * slope), Part(variance, variance)


def p_value(cells: Cells) -> float | None:
    """Two-sided; `None` where the statistic does not exist."""
    z = float(RULE.kernel(cells))
    return None if np.isnan(z) else two_sided(z)


RULE = Rule(
    Sums(parts, spiegelhalter),
    better="zero",
    bounds=(-inf, inf),
    undefined="every confidence is 0, 1/2 or 1",
    p_value=p_value,
)

"""Largest miscalibration of any range of confidences."""

from __future__ import annotations

from numpy.typing import ArrayLike

from doxa.metrics.maths.calibration_tests import kuiper_distance, kuiper_p
from doxa.metrics.maths.rule import Rule


def kuiper_calibration_error(*, confidence: ArrayLike, correct: ArrayLike, from_zero: bool = True) -> float:
    """Largest |sum of (outcome - confidence)| / n of the answers between any two confidences; lower is better.

    In [0, 1]: the range of the curve whose largest absolute value is `ks_calibration_error`, with ties and test alike.
    The curve begins at 0 before the first answer; `from_zero=False` leaves that point out, as MAPIE 1.6 does, whose
    statistic can then lie below that of Kolmogorov and Smirnov.
    Source: Arrieta-Ibarra, Gujral, Tannen, Tygert and Xu 2022 (ECCE-R), arXiv 2205.09680.

    >>> kuiper_calibration_error(confidence=[0.25, 0.5, 1.0], correct=[1, 0, 1])
    0.25
    """
    return RULE.value(confidence, correct, from_zero=from_zero)


RULE = Rule(kuiper_distance, better="low", distance=True, p_value=kuiper_p)

"""Largest cumulative miscalibration."""

from __future__ import annotations

from numpy.typing import ArrayLike

from doxa.metrics.maths.calibration_tests import ks_distance, ks_p
from doxa.metrics.maths.rule import Rule


def ks_calibration_error(*, confidence: ArrayLike, correct: ArrayLike) -> float:
    """Largest |sum of (outcome - confidence) of the i least sure answers| / n over i, in [0, 1]; lower is better.

    Needs no bins. Tied answers enter together, so that their order plays no part. Over sqrt(sum of c (1 - c)) / n it is
    the Kolmogorov-Smirnov statistic of a test of calibration, whose p `measure` gives as part of the reason.
    Source: Arrieta-Ibarra, Gujral, Tannen, Tygert and Xu 2022 (ECCE-MAD), arXiv 2205.09680.

    >>> ks_calibration_error(confidence=[0.25, 0.5, 1.0], correct=[1, 0, 1])
    0.25
    """
    return RULE.value(confidence, correct)


RULE = Rule(ks_distance, better="low", distance=True, p_value=ks_p)

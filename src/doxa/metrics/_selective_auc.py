"""Area under accuracy over coverage."""

from __future__ import annotations

from numpy.typing import ArrayLike

from doxa.metrics.maths.kernels import Places, harmonics
from doxa.metrics.maths.ranking import mean_accuracy
from doxa.metrics.maths.rule import Rule
from doxa.types import Scale


def selective_auc(*, confidence: ArrayLike, correct: ArrayLike) -> float:
    """Mean over i = 1 … n of the accuracy of the i surest answers, in [0, 1]; higher is better.

    Averaged over all orders of tied answers; equals 1 - `aurc`, and is also known as `auarc`. Guessing gives the
    accuracy.
    Source: Nadeem, Zucker and Hanczar 2010 (accuracy-rejection curves).

    >>> selective_auc(confidence=[0.9, 0.5], correct=[1, 0])
    0.75
    """
    return RULE.value(confidence, correct)


RULE = Rule(Places(harmonics, mean_accuracy), better="high", scale=Scale.REAL)

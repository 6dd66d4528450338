"""Area under the accuracy-rejection curve."""

from __future__ import annotations

from numpy.typing import ArrayLike

from doxa.metrics.maths.kernels import Places, harmonics
from doxa.metrics.maths.ranking import mean_accuracy
from doxa.metrics.maths.rule import Rule
from doxa.types import Scale


def auarc(*, confidence: ArrayLike, correct: ArrayLike) -> float:
    """`selective_auc` under its other name: mean accuracy as the least sure are rejected; in [0, 1], higher is better.

    Source: Nadeem, Zucker and Hanczar 2010 (accuracy-rejection curves).

    >>> auarc(confidence=[0.9, 0.5], correct=[1, 0])
    0.75
    """
    return RULE.value(confidence, correct)


RULE = Rule(Places(harmonics, mean_accuracy), better="high", scale=Scale.REAL)

"""The part of the Brier score that lies in the questions."""

from __future__ import annotations

from numpy.typing import ArrayLike

from doxa.metrics.maths.cells import ratio
from doxa.metrics.maths.checks import Floats
from doxa.metrics.maths.kernels import Sums, rights
from doxa.metrics.maths.rule import Rule
from doxa.types import Scale


def brier_uncertainty(*, confidence: ArrayLike, correct: ArrayLike) -> float:
    """Accuracy times error rate, in [0, 1/4]: the Brier score of always saying the accuracy; lower is easier.

    Source: Murphy 1973.

    >>> brier_uncertainty(confidence=[0.9, 0.8], correct=[1, 0])
    0.25
    """
    return RULE.value(confidence, correct)


def variance(total: Floats, right: Floats) -> Floats:
    """Variance of the outcomes."""
    accuracy = ratio(right, total)
    return accuracy * (1 - accuracy)


RULE = Rule(
    Sums(lambda confidence: (rights(confidence),), variance), better="low", scale=Scale.REAL, bounds=(0.0, 0.25)
)

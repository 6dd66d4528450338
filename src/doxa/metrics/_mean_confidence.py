"""How sure the model is on average."""

from __future__ import annotations

from numpy.typing import ArrayLike

from doxa.metrics.maths.checks import Floats
from doxa.metrics.maths.rule import mean_rule


def mean_confidence(*, confidence: ArrayLike, correct: ArrayLike) -> float:
    """Mean confidence, in [0, 1]; neither high nor low is better by itself, compare it with the accuracy.

    >>> mean_confidence(confidence=[0.75, 0.25], correct=[1, 0])
    0.5
    """
    return RULE.value(confidence, correct)


def parts(confidence: Floats) -> tuple[Floats, Floats]:
    """The confidence itself, whether right or wrong."""
    return confidence, confidence


RULE = mean_rule(parts, better="zero", bounds=(0.0, 1.0))

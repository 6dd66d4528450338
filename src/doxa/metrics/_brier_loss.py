"""Squared distance between confidence and outcome."""

from __future__ import annotations

from numpy.typing import ArrayLike

from doxa.metrics.maths.checks import Floats
from doxa.metrics.maths.rule import mean_rule


def brier_loss(*, confidence: ArrayLike, correct: ArrayLike) -> float:
    """Mean of (confidence - outcome)², in [0, 1]; lower is better.

    A strictly proper score: honest probabilities minimise it. It is `brier_reliability` - `brier_resolution` +
    `brier_uncertainty`. Source: Brier 1950, in the one-sided form.

    >>> brier_loss(confidence=[1.0, 0.5], correct=[1, 0])
    0.125
    """
    return RULE.value(confidence, correct)


def parts(confidence: Floats) -> tuple[Floats, Floats]:
    """Squared distance to 1 and to 0."""
    return (1 - confidence) ** 2, confidence**2


RULE = mean_rule(parts, better="low", bounds=(0.0, 1.0))

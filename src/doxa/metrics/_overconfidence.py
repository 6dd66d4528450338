"""How much surer the model is than it is right."""

from __future__ import annotations

from numpy.typing import ArrayLike

from doxa.metrics.maths.checks import Floats
from doxa.metrics.maths.rule import mean_rule


def overconfidence(*, confidence: ArrayLike, correct: ArrayLike) -> float:
    """Mean confidence minus accuracy, in [-1, 1]; zero is best, negative is underconfident.

    >>> overconfidence(confidence=[1.0, 0.75], correct=[1, 0])
    0.375
    """
    return RULE.value(confidence, correct)


def parts(confidence: Floats) -> tuple[Floats, Floats]:
    """Confidence minus outcome."""
    return confidence - 1, confidence


RULE = mean_rule(parts, better="zero", bounds=(-1.0, 1.0))

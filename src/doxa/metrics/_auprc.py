"""How cleanly the surest answers are right."""

from __future__ import annotations

from numpy.typing import ArrayLike

from doxa.metrics.maths.ranking import average_precision
from doxa.metrics.maths.rule import Rule
from doxa.types import Scale


def auprc(*, confidence: ArrayLike, correct: ArrayLike) -> float:
    """Average precision with the right answers as positives, in [0, 1]; higher is better.

    Sum over the distinct confidences of the gain in recall times the precision there; tied answers are taken together
    and nothing is interpolated, as in scikit-learn. Guessing gives about the accuracy. Undefined without right answers.
    Source: Davis and Goadrich 2006.

    >>> auprc(confidence=[0.9, 0.5, 0.1], correct=[1, 1, 0])
    1.0
    """
    return RULE.value(confidence, correct)


RULE = Rule(average_precision, better="high", scale=Scale.REAL, undefined="no answer is right")

"""How well confidence tells right from wrong."""

from __future__ import annotations

from numpy.typing import ArrayLike

from doxa.metrics.maths.intervals import delong
from doxa.metrics.maths.kernels import Places, places
from doxa.metrics.maths.ranking import area_under_roc
from doxa.metrics.maths.rule import BOTH, Rule
from doxa.types import Scale


def auroc(*, confidence: ArrayLike, correct: ArrayLike) -> float:
    """Probability that a right answer is surer than a wrong one, ties counting half; in [0, 1], higher is better.

    0.5 is guessing. Only the order of the confidences counts. Undefined unless some answers are right and some wrong.
    Source: Hanley and McNeil 1982; its interval: DeLong, DeLong and Clarke-Pearson 1988.

    >>> auroc(confidence=[0.9, 0.8, 0.8, 0.1], correct=[1, 1, 0, 0])
    0.875
    """
    return RULE.value(confidence, correct)


RULE = Rule(Places(places, area_under_roc), better="high", scale=Scale.REAL, undefined=BOTH, interval=delong)

"""Area under the risk-coverage curve."""

from __future__ import annotations

from numpy.typing import ArrayLike

from doxa.metrics.maths.kernels import Places, harmonics
from doxa.metrics.maths.ranking import mean_risk
from doxa.metrics.maths.rule import Rule
from doxa.types import Scale


def aurc(*, confidence: ArrayLike, correct: ArrayLike) -> float:
    """Mean over i = 1 … n of the share of errors among the i surest answers, in [0, 1]; lower is better.

    Averaged over all orders of tied answers, in closed form. Guessing gives the error rate.
    Source: Geifman, Uziel and El-Yaniv 2019, arXiv 1805.08206.

    >>> aurc(confidence=[0.9, 0.5], correct=[1, 0])
    0.25
    """
    return RULE.value(confidence, correct)


RULE = Rule(Places(harmonics, mean_risk), better="low", scale=Scale.REAL)

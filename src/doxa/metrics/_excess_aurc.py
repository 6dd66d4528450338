"""Risk-coverage area above the best possible."""

from __future__ import annotations

from numpy.typing import ArrayLike

from doxa.metrics.maths.checks import Floats
from doxa.metrics.maths.kernels import Places, harmonics
from doxa.metrics.maths.ranking import least_mean_risk, mean_risk
from doxa.metrics.maths.rule import Rule
from doxa.types import Scale


def excess_aurc(*, confidence: ArrayLike, correct: ArrayLike) -> float:
    """`aurc` minus that of the best order, in which all right answers come first; in [0, 1], lower is better.

    The best order is computed for the finite sample, not by its logarithmic limit.
    Source: Geifman, Uziel and El-Yaniv 2019, arXiv 1805.08206.

    >>> excess_aurc(confidence=[0.5, 0.9], correct=[1, 0])
    0.5
    """
    return RULE.value(confidence, correct)


def above_best(right: Floats, wrong: Floats, earlier: Floats, table: Floats) -> Floats:
    """Difference of two areas."""
    return mean_risk(right, wrong, earlier, table) - least_mean_risk(right, wrong, table)


RULE = Rule(Places(harmonics, above_best), better="low", scale=Scale.REAL)

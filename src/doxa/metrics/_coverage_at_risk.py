"""How much can be answered at a given risk."""

from __future__ import annotations

from numpy.typing import ArrayLike

from doxa.errors import UsageError
from doxa.metrics.maths.cells import Cells
from doxa.metrics.maths.checks import Floats
from doxa.metrics.maths.ranking import widest_coverage
from doxa.metrics.maths.rule import Rule
from doxa.types import Scale


def coverage_at_risk(*, confidence: ArrayLike, correct: ArrayLike, risk: float = 0.05) -> float:
    """Largest share of answers, the surest first, of which at most `risk` are wrong; in [0, 1], higher is better.

    The share is i / n for the largest i whose risk, averaged over the orders of tied answers, is at most `risk`; 0 when
    there is none. It looks at the data it describes: for a promise about new answers use a bound.
    Source: El-Yaniv and Wiener 2010.

    >>> coverage_at_risk(confidence=[0.9, 0.8, 0.7, 0.6], correct=[1, 1, 0, 1], risk=0.25)
    1.0
    """
    return RULE.value(confidence, correct, risk=risk)


def kernel(cells: Cells, risk: float = 0.05) -> Floats:
    """Widest coverage within the risk."""
    if not 0 <= risk <= 1:
        raise UsageError(f"risk is {risk}", hint="give a share of errors between 0 and 1")
    return widest_coverage(cells, risk)


RULE = Rule(kernel, better="high", scale=Scale.REAL)

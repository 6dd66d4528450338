"""What answers are worth where silence is allowed: a right one counts 1, a wrong one costs, abstaining is 0."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from doxa.errors import DataError
from doxa.metrics.maths.checks import Floats, outcomes


def utility(*, right: int, wrong: int, abstained: int, risk: float) -> float:
    """U = (right − risk · wrong) / N over all N questions, 0 where there are none.

    `risk` is what an error costs: 0 as in an exam without penalty, 1 as in the quiz Jeopardy!, 20 where stakes are
    high. Answers pay off, U > 0, from an accuracy of risk / (1 + risk). Jurayj, Cheng and Van Durme 2025, Is That Your
    Final Answer? (arXiv 2502.13962). Raises `DataError` for a negative count or risk.

    >>> utility(right=30, wrong=10, abstained=20, risk=0), round(utility(right=30, wrong=10, abstained=20, risk=20), 6)
    (0.5, -2.833333)
    """
    if min(right, wrong, abstained, risk) < 0:
        raise DataError(f"utility of {right}, {wrong}, {abstained} at risk {risk}", hint="none of them is below 0")
    total = right + wrong + abstained
    return (right - risk * wrong) / total if total else 0.0


def worth(*, answered: ArrayLike, correct: ArrayLike, risk: float) -> Floats:
    """What each question brings: 1 answered right, −risk answered wrong, 0 not answered. Their mean is `utility`."""
    given, right = outcomes(answered, "answered"), outcomes(correct)
    if len(given) != len(right):
        raise DataError(f"answered has {len(given)} values and correct has {len(right)}", hint="give both of each")
    return np.where(given, np.where(right, 1.0, -risk), 0.0)

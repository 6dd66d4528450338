"""Accuracy when only the surest are answered."""

from __future__ import annotations

from numpy.typing import ArrayLike

from doxa.errors import UsageError
from doxa.metrics.maths.cells import Cells
from doxa.metrics.maths.checks import Floats
from doxa.metrics.maths.ranking import accuracy_of_top
from doxa.metrics.maths.rule import Rule
from doxa.types import Scale


def accuracy_at_coverage(*, confidence: ArrayLike, correct: ArrayLike, coverage: float = 0.8) -> float:
    """Accuracy of the ceil(coverage * n) surest answers, in [0, 1]; higher is better.

    Where the limit cuts through tied answers, the average over their orders. `coverage` lies in (0, 1].

    >>> accuracy_at_coverage(confidence=[0.9, 0.8, 0.7, 0.6, 0.1], correct=[1, 1, 1, 0, 0])
    0.75
    """
    return RULE.value(confidence, correct, coverage=coverage)


def kernel(cells: Cells, coverage: float = 0.8) -> Floats:
    """Expected accuracy of the top."""
    if not 0 < coverage <= 1:
        raise UsageError(f"coverage is {coverage}", hint="give a share of the answers, above 0 and at most 1")
    return accuracy_of_top(cells, coverage)


RULE = Rule(kernel, better="high", scale=Scale.REAL)

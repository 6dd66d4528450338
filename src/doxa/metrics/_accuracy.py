"""Share of right answers."""

from __future__ import annotations

from numpy.typing import ArrayLike

from doxa.metrics.maths.cells import ratio
from doxa.metrics.maths.intervals import Interval, wilson
from doxa.metrics.maths.kernels import Sums, rights
from doxa.metrics.maths.rule import Rule
from doxa.types import Scale


def accuracy(*, confidence: ArrayLike, correct: ArrayLike) -> float:
    """Share of right answers, in [0, 1]; higher is better. The confidence plays no part.

    >>> accuracy(confidence=[0.9, 0.6, 0.3, 0.2], correct=[1, 1, 0, 1])
    0.75
    """
    return RULE.value(confidence, correct)


RULE = Rule(
    Sums(lambda confidence: (rights(confidence),), lambda total, right: ratio(right, total)),
    better="high",
    scale=Scale.REAL,
    interval=lambda cells: Interval(*wilson(float(cells.right.sum()), float(cells.total)), "Wilson"),
)

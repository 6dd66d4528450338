"""What refusing buys: the risk-coverage curve and a bound on the risk at one coverage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.maths.cells import group
from doxa.metrics.maths.checks import check
from doxa.metrics.maths.intervals import clopper_pearson, wilson
from doxa.metrics.maths.ranking import curve
from doxa.types import Scale


@dataclass(frozen=True, slots=True)
class Point:
    """One point of the curve: answer when the confidence is at least `threshold`."""

    threshold: float
    n: int
    """Answers given."""
    coverage: float
    risk: float
    """Share of errors among the answers given."""
    low: float
    """Lower end of the risk's 95 % interval (Wilson), for this one threshold."""
    high: float


@dataclass(frozen=True, slots=True)
class Bound:
    """Errors among the surest answers at a coverage: the share seen, and what it is at most with 95 % confidence."""

    coverage: float
    n: int
    risk: float
    high: float


def risk_curve(*, confidence: ArrayLike, correct: ArrayLike, limit: int = 200) -> list[Point]:
    """The risk at each distinct confidence as threshold, the highest first; at most `limit` points evenly spread."""
    cells = group(*check(confidence, correct, Scale.REAL))
    at, total = curve(cells), float(cells.total)
    chosen = np.unique(np.linspace(0, len(cells.confidence) - 1, min(limit, len(cells.confidence))).round().astype(int))
    points = []
    for i in chosen:
        n, wrong = float(at.upto[i]), float(at.errors_upto[i])
        low, high = wilson(wrong, n)
        points.append(Point(float(cells.confidence[i]), int(n), n / total, wrong / n, low, high))
    return points


def risk_bound(*, confidence: ArrayLike, correct: ArrayLike, coverage: float) -> Bound:
    """Risk of the ceil(coverage * n) surest answers and its one-sided 95 % Clopper-Pearson bound.

    Where the limit cuts through a tie, errors are those expected over the orders of the tie, and the bound takes the
    next whole number of them. It holds for a coverage chosen beforehand and independent answers.
    """
    cells = group(*check(confidence, correct, Scale.REAL))
    at = curve(cells)
    n = max(float(np.ceil(coverage * float(cells.total) - 1e-9)), 1.0)
    taken = np.clip(n - at.before, 0, cells.count)
    errors = float((taken * at.rate).sum())
    high = clopper_pearson(min(float(np.ceil(errors - 1e-9)), n), n, level=0.9)[1]
    return Bound(n / float(cells.total), int(n), errors / n, high)

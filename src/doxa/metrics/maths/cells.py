"""The form in which metrics see the data: distinct confidences, and how many answers at each are right and wrong.

Every metric of (confidence, correct) pairs is a function of these counts. So ties are handled in one place, the order
of rows cannot matter, and a bootstrap replicate is the same cells with other counts: `right` and `wrong` may carry
leading axes, one row per replicate, and kernels answer with one number per row.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from doxa.metrics.maths.checks import Bools, Floats, Ints


@dataclass(frozen=True, slots=True)
class Cells:
    """Counts of right and wrong answers at each distinct confidence, the surest first."""

    confidence: Floats
    """(k,) strictly descending"""
    right: Floats
    """(..., k) whole numbers"""
    wrong: Floats
    """(..., k) whole numbers"""

    @property
    def count(self) -> Floats:
        """Answers per cell."""
        return self.right + self.wrong

    @property
    def total(self) -> Floats:
        """Answers."""
        return np.asarray(self.count.sum(-1))

    def as_errors(self) -> Cells:
        """The same data seen from the other side: doubt instead of confidence, errors instead of successes."""
        return Cells(-self.confidence[::-1], self.wrong[..., ::-1], self.right[..., ::-1])


def distinct(confidence: Floats) -> tuple[Floats, Ints]:
    """Distinct values in descending order, and for each row the index of its value."""
    values, index = np.unique(confidence, return_inverse=True)
    return values[::-1], len(values) - 1 - index


def group(confidence: Floats, correct: Bools) -> Cells:
    """Count right and wrong answers at each distinct confidence."""
    order = np.argsort(-confidence)
    values, right = confidence[order], correct[order].astype(np.float64)
    first = np.append(True, values[1:] != values[:-1])
    if first.all():
        return Cells(values, right, 1 - right)
    start = np.flatnonzero(first)
    right = np.add.reduceat(right, start)
    return Cells(values[start], right, np.diff(start, append=len(values)) - right)


def ratio(numerator: Floats, denominator: Floats, empty: float = np.nan) -> Floats:
    """Divide, with `empty` where the denominator is 0."""
    shape = np.broadcast_shapes(np.shape(numerator), np.shape(denominator))
    out = np.full(shape, empty)
    np.divide(numerator, denominator, out=out, where=np.asarray(denominator) != 0)
    return out


def average(cells: Cells, if_right: Floats, if_wrong: Floats) -> Floats:
    """Mean over answers of a quantity that is `if_right` or `if_wrong`, (k,) each."""
    return ratio(cells.right @ if_right + cells.wrong @ if_wrong, cells.total)

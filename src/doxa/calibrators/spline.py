"""Spline calibration: the slope of a smooth curve through the cumulated right answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from doxa.calibrators.maths.hull import cumulated
from doxa.errors import UsageError
from doxa.metrics.maths.cells import group
from doxa.metrics.maths.checks import Floats, check, numbers
from doxa.state import dump, fitted, load, ungrouped
from doxa.types import Scale

POINTS = 1000
"""The fitted curve is kept at the scores of so many evenly spaced ranks."""


@dataclass(frozen=True, slots=True)
class Spline:
    """Slope of a natural cubic spline through the points (i / n, right answers among the i least sure / n).

    For confidences of any scale, of which only ranks count; clipped to [0, 1]; smooth in the rank and not always
    increasing. `knots` evenly spaced ranks, heights by least squares. Equal confidences get the mean slope over their
    ranks, and their rows count as the mean of all their orders. Straight between scores, level beyond the ends. The
    authors' code fits what is left after the cumulated confidence is taken away, and adds the confidence again, which
    makes sense for probabilities alone.
    Source: Gupta, Rahimi, Ajanthan, Mensink, Sminchisescu and Hartley 2021, arXiv 2006.12800.
    """

    scale: ClassVar[Scale] = Scale.REAL
    implements: ClassVar[tuple[str, ...]] = ()
    knots: int = 6
    _scores: tuple[float, ...] | None = None
    _values: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        """Refuse less than two knots."""
        if self.knots < 2:
            raise UsageError(f"knots={self.knots}", hint="knots is at least 2: the ends")

    def fit(self, *, confidence: ArrayLike, correct: ArrayLike, by: Any = None) -> Self:
        """Return a fitted copy. Raises `DataError` for bad values."""
        ungrouped(by)
        cells = group(*check(confidence, correct, self.scale))
        count = cells.count[::-1]
        values = np.clip(slopes(cells.right[::-1], count, self.knots), 0, 1)
        ranks = np.linspace(1, cells.total, POINTS)
        kept = np.unique(np.searchsorted(np.cumsum(count), ranks)) if len(count) > POINTS else slice(None)
        scores = cells.confidence[::-1][kept]
        return replace(self, _scores=tuple(scores.tolist()), _values=tuple(values[kept].tolist()))

    def predict(self, *, confidence: ArrayLike, by: Any = None) -> Floats:
        """Probability of being right."""
        ungrouped(by)
        scores, values = np.asarray(fitted(self._scores)), np.asarray(fitted(self._values))
        return np.asarray(np.interp(numbers("confidence", confidence), scores, values), dtype=np.float64)

    def to_json(self) -> dict[str, Any]:
        """Knobs and state as JSON-able values."""
        return dump(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The calibrator that `to_json` wrote."""
        return load(cls, data)


def slopes(right: Floats, count: Floats, knots: int) -> Floats:
    """Mean slope of the spline over the ranks of each cell, the least sure cell first; at most n + 1 knots."""
    from scipy.interpolate import CubicSpline

    ends = cumulated(count)
    n = int(ends[-1])
    at = np.linspace(0, 1, min(knots, n + 1))
    basis = CubicSpline(at, np.eye(len(at)), bc_type="natural")(np.arange(n + 1) / n)
    reached = np.interp(np.arange(n + 1), ends, cumulated(right)) / n
    heights = np.linalg.lstsq(basis, reached, rcond=None)[0]
    reached = CubicSpline(at, heights, bc_type="natural")(ends / n)
    return np.asarray(np.diff(reached) * n / count)

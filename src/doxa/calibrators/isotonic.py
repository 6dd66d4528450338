"""Isotonic regression: the best non-decreasing curve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from doxa.calibrators.maths.hull import pooled
from doxa.metrics.maths.cells import group
from doxa.metrics.maths.checks import Floats, check, numbers
from doxa.state import dump, fitted, load, ungrouped
from doxa.types import Scale


@dataclass(frozen=True, slots=True)
class Isotonic:
    """The non-decreasing function of the confidence with the least squared error, for confidences of any scale.

    Straight between the knots; below the first and above the last it stays level. Flexible, so it wants some hundred
    answers; it may answer 0 or 1. Source: Zadrozny and Elkan 2002; Ayer, Brunk, Ewing, Reid and Silverman 1955.
    """

    scale: ClassVar[Scale] = Scale.REAL
    implements: ClassVar[tuple[str, ...]] = ()
    _knots: tuple[float, ...] | None = None
    _values: tuple[float, ...] | None = None

    def fit(self, *, confidence: ArrayLike, correct: ArrayLike, by: Any = None) -> Self:
        """Return a fitted copy. Raises `DataError` for bad values."""
        ungrouped(by)
        cells = group(*check(confidence, correct, self.scale))
        x, count = cells.confidence[::-1], cells.count[::-1]
        values = pooled(cells.right[::-1], count)
        flat = np.zeros(len(x), dtype=bool)
        flat[1:-1] = (values[1:-1] == values[:-2]) & (values[1:-1] == values[2:])
        return replace(self, _knots=tuple(x[~flat].tolist()), _values=tuple(values[~flat].tolist()))

    def predict(self, *, confidence: ArrayLike, by: Any = None) -> Floats:
        """Probability of being right."""
        ungrouped(by)
        knots, values = np.asarray(fitted(self._knots)), np.asarray(fitted(self._values))
        return np.asarray(np.interp(numbers("confidence", confidence), knots, values), dtype=np.float64)

    def to_json(self) -> dict[str, Any]:
        """Knobs and state as JSON-able values."""
        return dump(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The calibrator that `to_json` wrote."""
        return load(cls, data)

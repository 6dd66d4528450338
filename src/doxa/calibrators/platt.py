"""Platt scaling: a logistic curve through the raw confidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from doxa.calibrators.maths.logistic import ridge_logistic, softened
from doxa.metrics.maths.checks import Floats, check, numbers
from doxa.state import dump, fitted, load, ungrouped
from doxa.types import Scale


@dataclass(frozen=True, slots=True)
class Platt:
    """P(right) = 1 / (1 + exp(-(slope * confidence + intercept))), for confidences of any scale.

    Maximum likelihood for softened outcomes, (r + 1) / (r + 2) for right and 1 / (w + 2) for wrong answers, which keeps
    it finite where they are separated. A negative slope, for confidence that misleads, is kept.
    Source: Platt 1999; Newton's method as in Lin, Lin and Weng 2007.
    """

    scale: ClassVar[Scale] = Scale.REAL
    implements: ClassVar[tuple[str, ...]] = ()
    _slope: float | None = None
    _intercept: float | None = None

    def fit(self, *, confidence: ArrayLike, correct: ArrayLike, by: Any = None) -> Self:
        """Return a fitted copy. Raises `DataError` for bad values."""
        ungrouped(by)
        p, y = check(confidence, correct, self.scale)
        slope, intercept = logistic_fit(p, softened(y))
        return replace(self, _slope=slope, _intercept=intercept)

    def predict(self, *, confidence: ArrayLike, by: Any = None) -> Floats:
        """Probability of being right."""
        from scipy.special import expit

        ungrouped(by)
        slope, intercept = fitted(self._slope), fitted(self._intercept)
        return np.asarray(expit(slope * numbers("confidence", confidence) + intercept), dtype=np.float64)

    def to_json(self) -> dict[str, Any]:
        """Knobs and state as JSON-able values."""
        return dump(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The calibrator that `to_json` wrote."""
        return load(cls, data)


def logistic_fit(x: Floats, target: Floats) -> tuple[float, float]:
    """Slope and intercept of least cross-entropy; a constant has no slope."""
    centre, spread = float(x.mean()), float(x.std())
    if spread <= 1e-12 * max(1.0, abs(centre)):
        x, centre, spread = np.zeros_like(x), 0.0, 1.0
    weights, intercept = ridge_logistic(((x - centre) / spread)[:, None], target, ridge=0.0)
    slope = float(weights[0]) / spread
    return slope, intercept - slope * centre

"""Platt scaling: a logistic curve through the raw confidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.maths.checks import Bools, Floats, check, numbers
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


def softened(correct: Bools) -> Floats:
    """Platt's targets."""
    right, wrong = int(correct.sum()), int((~correct).sum())
    return np.where(correct, (right + 1) / (right + 2), 1 / (wrong + 2))


def logistic_fit(x: Floats, target: Floats) -> tuple[float, float]:
    """Slope and intercept of least cross-entropy, by Newton steps that are halved until they help."""
    from scipy.special import expit, logit

    centre, spread = float(x.mean()), float(x.std())
    if spread <= 1e-12 * max(1.0, abs(centre)) or np.ptp(target) == 0:
        return 0.0, float(logit(target.mean()))
    design = np.column_stack([(x - centre) / spread, np.ones_like(x)])
    weights = np.array([0.0, float(logit(target.mean()))])

    def loss(w: Floats) -> float:
        z = design @ w
        return float((np.logaddexp(0, z) - target * z).sum())

    for _ in range(100):
        p = expit(design @ weights)
        gradient = design.T @ (p - target)
        if np.abs(gradient).max() < 1e-10 * len(x):
            break
        step = np.linalg.solve(design.T @ (design * (p * (1 - p))[:, None]) + 1e-12 * np.eye(2), gradient)
        size = 1.0
        while size > 1e-10 and loss(weights - size * step) > loss(weights):
            size /= 2
        weights = weights - size * step
    slope = float(weights[0]) / spread
    return slope, float(weights[1]) - slope * centre

"""Beta calibration: a logistic curve through the logarithms of the confidence and of the doubt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from doxa.calibrators.maths.logistic import EPS, ridge_logistic, softened
from doxa.metrics.maths.checks import Bools, Floats, check
from doxa.state import dump, fitted, load, ungrouped
from doxa.types import Scale

RIDGE = 1e-6
"""As a normal prior of standard deviation 1,000 on a and b: felt only where right and wrong are separated."""


@dataclass(frozen=True, slots=True)
class Beta:
    """logit P(right) = a · ln p - b · ln(1 - p) + c with a, b >= 0, for confidences p in [0, 1].

    Maximum likelihood; the curve never falls, and is the identity at a = b = 1, c = 0. Where a or b would be negative
    it is 0 and the others are fitted again. Confidences are clipped to [1e-6, 1 - 1e-6]. With answers that are all
    right or all wrong there is no such maximum: a = b = 0 then, and c is that of Platt's softened outcomes.
    Source: Kull, Silva Filho and Flach 2017, Beta calibration (AISTATS).
    """

    scale: ClassVar[Scale] = Scale.UNIT
    implements: ClassVar[tuple[str, ...]] = ()
    _a: float | None = None
    _b: float | None = None
    _c: float | None = None

    def fit(self, *, confidence: ArrayLike, correct: ArrayLike, by: Any = None) -> Self:
        """Return a fitted copy. Raises `DataError` for bad values."""
        ungrouped(by)
        p, y = check(confidence, correct)
        a, b, c = best_curve(features(p), y)
        return replace(self, _a=a, _b=b, _c=c)

    def predict(self, *, confidence: ArrayLike, by: Any = None) -> Floats:
        """Probability of being right."""
        from scipy.special import expit

        ungrouped(by)
        p = check(confidence, np.zeros(np.shape(confidence)))[0]
        slopes = np.array([fitted(self._a), fitted(self._b)])
        return np.asarray(expit(features(p) @ slopes + fitted(self._c)), dtype=np.float64)

    def to_json(self) -> dict[str, Any]:
        """Knobs and state as JSON-able values."""
        return dump(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The calibrator that `to_json` wrote."""
        return load(cls, data)


def features(p: Floats) -> Floats:
    """(n, 2): ln p and -ln(1 - p), both increasing."""
    clipped = np.clip(p, EPS, 1 - EPS)
    return np.column_stack([np.log(clipped), -np.log1p(-clipped)])


def best_curve(x: Floats, correct: Bools) -> tuple[float, float, float]:
    """The likeliest a, b >= 0 and c. The loss is convex, so it is the best of both, either or neither being free."""
    if correct.all() or not correct.any():
        return 0.0, 0.0, ridge_logistic(x[:, :0], softened(correct), RIDGE)[1]
    best, least = (0.0, 0.0, 0.0), np.inf
    for free in ([0, 1], [0], [1], []):
        slopes = np.zeros(2)
        slopes[free], c = ridge_logistic(x[:, free], correct.astype(np.float64), RIDGE)
        if (slopes < 0).any():
            continue
        z = x @ slopes + c
        loss = float((np.logaddexp(0, z) - correct * z).sum())
        if loss < least:
            best, least = (float(slopes[0]), float(slopes[1]), c), loss
        if len(free) == 2:
            break
    return best

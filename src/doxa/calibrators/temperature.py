"""Temperature scaling: one number that softens or sharpens the confidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.maths.checks import Bools, Floats, check
from doxa.state import dump, fitted, load, ungrouped
from doxa.types import Scale

EPS = 1e-6
"""Confidences are clipped to [EPS, 1 - EPS], so that 0 and 1 have a logit."""
SPAN = 7.0
"""The logarithm of the temperature is sought in [-SPAN, SPAN]."""


@dataclass(frozen=True, slots=True)
class Temperature:
    """P(right) = sigmoid(logit(confidence) / temperature), for confidences in [0, 1].

    The temperature of greatest likelihood; above 1 the model was too sure. Keeps the order and the point 0.5, so it
    cannot mend confidence that is too high for right and wrong answers alike. Scores of another scale need `Platt` or
    `Isotonic`. Source: Guo, Pleiss, Sun and Weinberger 2017, arXiv 1706.04599, in the binary form.
    """

    scale: ClassVar[Scale] = Scale.UNIT
    implements: ClassVar[tuple[str, ...]] = ()
    _temperature: float | None = None

    def fit(self, *, confidence: ArrayLike, correct: ArrayLike, by: Any = None) -> Self:
        """Return a fitted copy. Raises `DataError` for bad values."""
        ungrouped(by)
        p, y = check(confidence, correct)
        return replace(self, _temperature=best_temperature(_logits(p), y))

    def predict(self, *, confidence: ArrayLike, by: Any = None) -> Floats:
        """Probability of being right."""
        from scipy.special import expit

        ungrouped(by)
        p = check(confidence, np.zeros(np.shape(confidence)))[0]
        return np.asarray(expit(_logits(p) / fitted(self._temperature)), dtype=np.float64)

    def to_json(self) -> dict[str, Any]:
        """Knobs and state as JSON-able values."""
        return dump(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The calibrator that `to_json` wrote."""
        return load(cls, data)


def best_temperature(logits: Floats, correct: Bools) -> float:
    """Maximum likelihood by bisection: the loss is convex in 1 / temperature, so its slope changes sign once."""
    from scipy.special import expit

    low, high = -SPAN, SPAN
    for _ in range(60):
        middle = (low + high) / 2
        slope = float(((expit(logits * np.exp(-middle)) - correct) * logits).sum())
        low, high = (middle, high) if slope > 0 else (low, middle)
    return float(np.exp((low + high) / 2))


def _logits(p: Floats) -> Floats:
    """Log-odds of the clipped confidence."""
    clipped = np.clip(p, EPS, 1 - EPS)
    return np.asarray(np.log(clipped / (1 - clipped)))

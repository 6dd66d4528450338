"""Several estimators into one probability: a logistic model of their scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from doxa.calibrators.maths.columns import columns, known, paired, refuse_width, widest
from doxa.calibrators.maths.logistic import logits, ridge_logistic, softened
from doxa.errors import UsageError
from doxa.metrics.maths.checks import Bools, Floats
from doxa.state import dump, fitted, load, ungrouped
from doxa.types import Scale


@dataclass(frozen=True, slots=True)
class LogisticEnsemble:
    """P(right) = 1 / (1 + exp(-(weights · scores + intercept))), for the confidences of several estimators.

    `scales` declares each column: of a `unit` column the score is the logit of the confidence, of a `real` one the
    standardised value; without scales all are `unit`. Cross-entropy for Platt's softened outcomes plus
    `ridge` / 2 · |weights|². A missing confidence counts as its column's mean, and that it is missing as one more
    score, so every answer with one confidence at least has a probability.
    Source: stacking, Wolpert 1992; ridge logistic regression, le Cessie and van Houwelingen 1992.
    """

    implements: ClassVar[tuple[str, ...]] = ()
    several: ClassVar[bool] = True
    scales: tuple[str, ...] = ()
    ridge: float = 1.0
    _centres: tuple[float, ...] | None = None
    _spreads: tuple[float, ...] | None = None
    _weights: tuple[float, ...] | None = None
    _absences: tuple[float, ...] | None = None
    """Weight of each column's being missing."""
    _intercept: float | None = None

    def __post_init__(self) -> None:
        """Refuse unknown scales, and a ridge that is not above 0: without one, collinear columns have no solution."""
        known(self.scales)
        if not 0 < self.ridge < float("inf"):
            raise UsageError(f"ridge={self.ridge!r}", hint="a ridge is a number above 0")

    @property
    def scale(self) -> Scale:
        """`UNIT` if all columns are."""
        return widest(self.scales)

    def fit(self, *, confidence: ArrayLike, correct: ArrayLike, by: Any = None) -> Self:
        """Return a fitted copy. Raises `DataError` for bad values."""
        ungrouped(by)
        values, given, y = paired(confidence, correct, self.scales)
        scores = self._scores(values)
        count = given.sum(axis=0)
        centres = (scores * given).sum(axis=0) / count
        spreads = np.sqrt((((scores - centres) * given) ** 2).sum(axis=0) / count)
        flat = spreads <= 1e-12 * np.maximum(1.0, np.abs(centres))
        spreads = np.where(flat | ~self._real(len(count)), 1.0, spreads)
        features = np.hstack([(scores - centres) / spreads * given, ~given])
        weights, intercept = ridge_logistic(features, softened(y), self.ridge)
        return replace(
            self,
            _centres=tuple(centres.tolist()),
            _spreads=tuple(spreads.tolist()),
            _weights=tuple(weights[: len(count)].tolist()),
            _absences=tuple(weights[len(count) :].tolist()),
            _intercept=intercept,
        )

    def predict(self, *, confidence: ArrayLike, by: Any = None) -> Floats:
        """Probability of being right."""
        from scipy.special import expit

        ungrouped(by)
        weights, absences = np.asarray(fitted(self._weights)), np.asarray(fitted(self._absences))
        values, given = columns(confidence, self.scales)
        refuse_width(given, len(weights))
        scores = (self._scores(values) - fitted(self._centres)) / fitted(self._spreads)
        z = (scores * given) @ weights + ~given @ absences + fitted(self._intercept)
        return np.asarray(expit(z), dtype=np.float64)

    def to_json(self) -> dict[str, Any]:
        """Knobs and state as JSON-able values."""
        return dump(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The calibrator that `to_json` wrote."""
        return load(cls, data)

    def _real(self, k: int) -> Bools:
        """Which of `k` columns hold numbers of any size."""
        return np.array([scale == Scale.REAL.value for scale in self.scales or ("unit",) * k], dtype=bool)

    def _scores(self, values: Floats) -> Floats:
        """Logits of the unit columns, the others as they are."""
        real = self._real(values.shape[1])
        return np.where(real, values, logits(np.where(real, 0.5, values)))

"""Several estimators into one probability: a logistic model of their scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from doxa.calibrators.maths.columns import Table, columns, known, paired, refuse_width, widest
from doxa.calibrators.maths.logistic import EPS, ridge_logistic, softened
from doxa.errors import UsageError
from doxa.metrics.maths.checks import Bools, Floats
from doxa.state import dump, fitted, load, ungrouped
from doxa.types import Scale


@dataclass(frozen=True, slots=True)
class LogisticEnsemble:
    """P(right) = 1 / (1 + exp(-(weights · scores + intercept))), for the confidences of several estimators.

    `scales` declares each column. A `unit` one, of confidences p in [0, 1], gives the scores ln p and -ln(1 - p), which
    make up the logit but may weigh differently, as a stated 100 % needs; a `real` one gives the standardised value.
    Without scales all are `unit`. Least is the cross-entropy for Platt's softened outcomes + `ridge` / 2 · |weights|².
    A missing confidence counts as its column's mean, and that it is missing as one more score, so every answer with one
    confidence at least has a probability. Source: stacking, Wolpert 1992; the two logarithms, Kull, Silva Filho and
    Flach 2017.
    """

    implements: ClassVar[tuple[str, ...]] = ()
    several: ClassVar[bool] = True
    scales: tuple[str, ...] = ()
    ridge: float = 1.0
    _centres: tuple[float, ...] | None = None
    """Mean of each score."""
    _spreads: tuple[float, ...] | None = None
    """Standard deviation of each score of a real column, 1 of the others."""
    _weights: tuple[float, ...] | None = None
    """Of each score."""
    _absences: tuple[float, ...] | None = None
    """Of each column's being missing."""
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

    def fit(self, *, confidence: Table, correct: ArrayLike, by: Any = None) -> Self:
        """Return a fitted copy. Raises `DataError` for bad values."""
        ungrouped(by)
        values, given, y = paired(confidence, correct, self.scales)
        scores, has, real = scored(values, given, self.scales)
        count = has.sum(axis=0)
        centres = (scores * has).sum(axis=0) / count
        spreads = np.sqrt((((scores - centres) * has) ** 2).sum(axis=0) / count)
        flat = spreads <= 1e-12 * np.maximum(1.0, np.abs(centres))
        spreads = np.where(real & ~flat, spreads, 1.0)
        features = np.hstack([(scores - centres) / spreads * has, ~given])
        weights, intercept = ridge_logistic(features, softened(y), self.ridge)
        return replace(
            self,
            _centres=tuple(centres.tolist()),
            _spreads=tuple(spreads.tolist()),
            _weights=tuple(weights[: len(count)].tolist()),
            _absences=tuple(weights[len(count) :].tolist()),
            _intercept=intercept,
        )

    def predict(self, *, confidence: Table, by: Any = None) -> Floats:
        """Probability of being right."""
        from scipy.special import expit

        ungrouped(by)
        absences, intercept = np.asarray(fitted(self._absences)), fitted(self._intercept)
        values, given = columns(confidence, self.scales)
        refuse_width(given, len(absences))
        scores, has, _ = scored(values, given, self.scales)
        scores = (scores - fitted(self._centres)) / fitted(self._spreads) * has
        return np.asarray(expit(scores @ fitted(self._weights) + ~given @ absences + intercept), dtype=np.float64)

    def to_json(self) -> dict[str, Any]:
        """Knobs and state as JSON-able values."""
        return dump(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The calibrator that `to_json` wrote."""
        return load(cls, data)


def scored(values: Floats, given: Bools, scales: tuple[str, ...]) -> tuple[Floats, Bools, Bools]:
    """The scores of the columns, which of them are there, and which are of a real column."""
    scores: list[Floats] = []
    origin: list[int] = []
    real: list[bool] = []
    for j, scale in enumerate(scales or (Scale.UNIT.value,) * values.shape[1]):
        p, plain = values[:, j], scale == Scale.REAL.value
        found = [p] if plain else [np.log(np.clip(p, EPS, 1)), -np.log(np.clip(1 - p, EPS, 1))]
        scores += found
        origin += [j] * len(found)
        real += [plain] * len(found)
    return np.column_stack(scores), given[:, origin], np.array(real, dtype=bool)

"""Several estimators into one probability: an isotonic curve for each, and a weighted mean of the curves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from doxa import registry
from doxa.calibrators.maths.columns import Table, columns, known, paired, refuse_width, widest
from doxa.calibrators.maths.folds import content, fold_of
from doxa.calibrators.maths.logistic import convex_weights
from doxa.errors import UsageError
from doxa.metrics.maths.checks import Bools, Floats
from doxa.state import dump, fitted, load, ungrouped
from doxa.types import Scale


@dataclass(frozen=True, slots=True)
class IsotonicEnsemble:
    """P(right) = weights · curves(confidences), for the confidences of several estimators of any scale.

    Each curve is the isotonic regression on one column; the weights, none negative and 1 in sum, have the least squared
    error on probabilities from curves of the other `folds`, so that no curve is judged on what drew it. A missing
    confidence counts as the share of right answers among those that lack it, with one answer of overall accuracy added.
    `scales` declares each column, as `unit` where it must lie in [0, 1]; without scales all are `unit`.
    Source: stacking with such weights, Breiman 1996; isotonic regression, Zadrozny and Elkan 2002.
    """

    implements: ClassVar[tuple[str, ...]] = ()
    several: ClassVar[bool] = True
    scales: tuple[str, ...] = ()
    folds: int = 5
    _curves: tuple[Any, ...] | None = None
    _fallbacks: tuple[float, ...] | None = None
    """Probability in place of each column's curve where its confidence is missing."""
    _weights: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        """Refuse unknown scales, and folds that divide nothing."""
        known(self.scales)
        if self.folds < 2:
            raise UsageError(f"folds={self.folds!r}", hint="at least 2 folds divide the answers")

    @property
    def scale(self) -> Scale:
        """`UNIT` if all columns are."""
        return widest(self.scales)

    def fit(self, *, confidence: Table, correct: ArrayLike, by: Any = None) -> Self:
        """Return a fitted copy. Raises `DataError` for bad values."""
        ungrouped(by)
        values, given, y = paired(confidence, correct, self.scales)
        k = values.shape[1]
        weights = np.full(k, 1 / k)
        if k > 1 and len(y) > 1:
            weights = convex_weights(held_out(values, given, y, self.folds), y.astype(np.float64))
        curves, fallbacks = curves_of(values, given, y)
        return replace(self, _curves=curves, _fallbacks=fallbacks, _weights=tuple(weights.tolist()))

    def predict(self, *, confidence: Table, by: Any = None) -> Floats:
        """Probability of being right."""
        ungrouped(by)
        curves, weights = fitted(self._curves), np.asarray(fitted(self._weights))
        values, given = columns(confidence, self.scales)
        refuse_width(given, len(weights))
        mixed = through(curves, fitted(self._fallbacks), values, given) @ weights
        return np.asarray(np.clip(mixed, 0, 1), dtype=np.float64)

    def to_json(self) -> dict[str, Any]:
        """Knobs and state as JSON-able values."""
        return dump(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The calibrator that `to_json` wrote."""
        return load(cls, data)


def held_out(values: Floats, given: Bools, correct: Bools, folds: int) -> Floats:
    """Each row through curves that were fitted on the other folds."""
    fold = fold_of(content(np.where(given, values, np.nan), correct), folds=folds)
    found = np.empty(values.shape)
    for i in range(int(fold.max()) + 1):
        here = fold == i
        found[here] = through(*curves_of(values[~here], given[~here], correct[~here]), values[here], given[here])
    return found


def curves_of(values: Floats, given: Bools, correct: Bools) -> tuple[tuple[Any, ...], tuple[float, ...]]:
    """Per column its isotonic curve, and the probability where its value is missing.

    A column without values is level at the overall accuracy.
    """
    curves, fallbacks, overall = [], [], float(correct.mean())
    for j in range(values.shape[1]):
        has = given[:, j] if given[:, j].any() else np.ones(len(values), dtype=bool)
        curves.append(registry.build("calibrators", "isotonic").fit(confidence=values[has, j], correct=correct[has]))
        lacks = correct[~given[:, j]]
        fallbacks.append(float((lacks.sum() + overall) / (len(lacks) + 1)))
    return tuple(curves), tuple(fallbacks)


def through(curves: tuple[Any, ...], fallbacks: tuple[float, ...], values: Floats, given: Bools) -> Floats:
    """Each column through its curve, (n, k)."""
    found = [curve.predict(confidence=values[:, j]) for j, curve in enumerate(curves)]
    return np.where(given, np.column_stack(found), fallbacks)

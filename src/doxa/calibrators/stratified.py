"""One calibrator per stratum, drawn towards the one that is fitted on all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from doxa import registry
from doxa.calibrators.maths.folds import content, fold_of
from doxa.calibrators.maths.groups import grouping, matched, strata
from doxa.errors import UsageError
from doxa.metrics.maths.checks import Bools, Floats, outcomes
from doxa.state import dump, fitted, load
from doxa.types import Scale

PRIORS = (0.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 1e9)
"""Strengths that are tried; the first keeps the strata apart, with the last there is in effect one curve for all."""


@dataclass(frozen=True, slots=True)
class Stratified:
    """P(right) = w · own(confidence) + (1 − w) · pooled(confidence), with w = n / (n + `prior`).

    `own` is the calibrator `method` fitted on the n answers of the stratum, `pooled` the one fitted on all. Without
    `prior`, the one of `PRIORS` with the least Brier score on folds that the calibrators were not fitted on is taken,
    the greatest where several have it. A stratum that was not seen, or an answer without a stratum, is pooled. `by` is
    a label for each answer; of several labels or memberships each combination is a stratum.
    Source: the weight is that of credibility theory, Bühlmann 1967.
    """

    implements: ClassVar[tuple[str, ...]] = ()
    grouped: ClassVar[bool] = True
    method: str = "platt"
    prior: float | None = None
    _pooled: Any = None
    _strata: tuple[str, ...] | None = None
    _own: tuple[Any, ...] | None = None
    _weights: tuple[float, ...] | None = None
    """w of each stratum."""

    def __post_init__(self) -> None:
        """Refuse a negative prior, and a method that does not exist."""
        if self.prior is not None and not 0 <= self.prior < float("inf"):
            raise UsageError(f"prior={self.prior!r}", hint="a prior is a number of answers, or left out")
        registry.make("calibrators", self.method)

    @property
    def several(self) -> bool:
        """Whether it takes the confidences of several estimators."""
        return getattr(registry.make("calibrators", self.method), "several", False)

    @property
    def scale(self) -> Scale:
        """The scale that the method takes."""
        scale: Scale = registry.make("calibrators", self.method).scale
        return scale

    def fit(self, *, confidence: ArrayLike, correct: ArrayLike, by: Any = None) -> Self:
        """Return a fitted copy; without `by` it is the pooled one. Raises `DataError` for bad values."""
        pooled = registry.make("calibrators", self.method)
        p, y, stratum = np.asarray(confidence), outcomes(correct), labels(by, len(np.asarray(correct)))
        whole = pooled.fit(confidence=p, correct=y)
        names = sorted({*stratum.tolist()} - {None})
        prior = self.prior
        if prior is None:
            prior = best_prior(pooled, p, y, stratum) if len(names) > 1 else 0.0
        own = [pooled.fit(confidence=p[stratum == name], correct=y[stratum == name]) for name in names]
        weights = [shares(int((stratum == name).sum()), prior) for name in names]
        return replace(self, _pooled=whole, _strata=tuple(names), _own=tuple(own), _weights=tuple(weights))

    def predict(self, *, confidence: ArrayLike, by: Any = None) -> Floats:
        """Probability of being right. Raises `UsageError` where it was fitted by group and `by` is not given."""
        pooled, names = fitted(self._pooled), fitted(self._strata)
        matched(names, by)
        p = np.asarray(confidence)
        found: Floats = pooled.predict(confidence=p)
        stratum = labels(by, len(p))
        for name, own, weight in zip(names, fitted(self._own), fitted(self._weights), strict=True):
            here = stratum == name
            if here.any():
                found[here] += weight * (own.predict(confidence=p[here]) - found[here])
        return found

    def to_json(self) -> dict[str, Any]:
        """Knobs and state as JSON-able values."""
        return dump(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The calibrator that `to_json` wrote."""
        return load(cls, data)


def labels(by: Any, n: int) -> NDArray[np.object_]:
    """The stratum of each answer, `None` where it has none."""
    return np.array([None] * n if by is None else strata(grouping(by, n), n), dtype=object)


def shares(n: Any, prior: float) -> Any:
    """Weight of a stratum of `n` answers against the pooled fit."""
    return n / (n + prior)


def best_prior(method: Any, p: NDArray[Any], correct: Bools, stratum: NDArray[np.object_]) -> float:
    """The strength of least Brier score out of fold."""
    pooled, own, count = (np.zeros(len(correct)) for _ in range(3))
    fold = fold_of(content(p, correct, stratum))
    for i in range(int(fold.max()) + 1):
        here = fold == i
        pooled[here] = method.fit(confidence=p[~here], correct=correct[~here]).predict(confidence=p[here])
        for name in {*stratum[here].tolist()} - {None}:
            asked, there = here & (stratum == name), ~here & (stratum == name)
            if there.any():
                own[asked] = method.fit(confidence=p[there], correct=correct[there]).predict(confidence=p[asked])
                count[asked] = there.sum()
    weights = [np.where(count > 0, shares(np.maximum(count, 1), prior), 0) for prior in PRIORS]
    losses = [float(np.mean((pooled + w * (own - pooled) - correct) ** 2)) for w in weights]
    return max(prior for prior, loss in zip(PRIORS, losses, strict=True) if loss <= min(losses) + 1e-12)

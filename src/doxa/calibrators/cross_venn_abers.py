"""Cross Venn-Abers: one inductive predictor a fold, merged by geometric means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from doxa.calibrators.maths import venn
from doxa.calibrators.maths.folds import content, fold_of
from doxa.errors import UsageError
from doxa.metrics.maths.cells import group
from doxa.metrics.maths.checks import Floats, check, numbers
from doxa.state import dump, fitted, load, ungrouped
from doxa.types import Scale


@dataclass(frozen=True, slots=True)
class CrossVennAbers:
    """GM(p1) / (GM(1 - p0) + GM(p1)), the geometric means being over `VennAbers` fitted on each of `folds` parts.

    For confidences of any scale. The folds are of even size, by a hash of the rows' content. Here the score is given,
    while the authors also train it anew on the other folds; what remains is an average, smoother than one `VennAbers`
    on all answers and wider between p0 and p1, which without retraining is the better use of few answers.
    Source: Vovk, Petej and Fedorova 2015, arXiv 1511.00213, section 4.
    """

    scale: ClassVar[Scale] = Scale.REAL
    implements: ClassVar[tuple[str, ...]] = ()
    folds: int = 5
    seed: int = 0
    _bounds: tuple[venn.Bounds, ...] | None = None

    def __post_init__(self) -> None:
        """Refuse less than two folds."""
        if self.folds < 2:
            raise UsageError(f"folds={self.folds}", hint="folds is at least 2; with one it is venn_abers")

    def fit(self, *, confidence: ArrayLike, correct: ArrayLike, by: Any = None) -> Self:
        """Return a fitted copy. Raises `DataError` for bad values."""
        ungrouped(by)
        p, y = check(confidence, correct, self.scale)
        alone = np.zeros(1, dtype=np.intp)
        fold = fold_of(content(p, y), folds=self.folds, seed=self.seed) if len(p) > 1 else alone
        parts = [venn.bounds(group(p[fold == i], y[fold == i])) for i in range(int(fold.max()) + 1)]
        return replace(self, _bounds=tuple(parts))

    def interval(self, *, confidence: ArrayLike) -> tuple[Floats, Floats]:
        """1 - GM(1 - p0) and GM(p1) of each confidence."""
        p = numbers("confidence", confidence)
        found = np.array([venn.interval(part, p) for part in fitted(self._bounds)])
        return 1 - _geometric_mean(1 - found[:, 0]), _geometric_mean(found[:, 1])

    def predict(self, *, confidence: ArrayLike, by: Any = None) -> Floats:
        """Probability of being right."""
        ungrouped(by)
        return venn.merged(*self.interval(confidence=confidence))

    def to_json(self) -> dict[str, Any]:
        """Knobs and state as JSON-able values."""
        return dump(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The calibrator that `to_json` wrote."""
        return load(cls, data)


def _geometric_mean(parts: Floats) -> Floats:
    """Over the first axis; all parts are above 0."""
    return np.asarray(np.exp(np.log(parts).mean(axis=0)))

"""Inductive Venn-Abers: two probabilities that bracket the right one, and their merger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from numpy.typing import ArrayLike

from doxa.calibrators.maths import venn
from doxa.metrics.maths.cells import group
from doxa.metrics.maths.checks import Floats, check, numbers
from doxa.state import dump, fitted, load, ungrouped
from doxa.types import Scale


@dataclass(frozen=True, slots=True)
class VennAbers:
    """p1 / (1 - p0 + p1), p0 and p1 being isotonic fits at the confidence with it as a wrong and as a right answer.

    For confidences of any scale, of which only the order counts; never decreasing. One of p0 and p1 is calibrated if
    answers are drawn alike, whatever their distribution; how far they are apart says how little is known there.
    0 <= p0 < p1 <= 1, and the merged probability is never 0 or 1. O(n log n) to fit, O(log n) a prediction.
    Source: Vovk, Petej and Fedorova 2015, arXiv 1511.00213; for questions of yes or no Giovannotti and Gammerman 2024,
    arXiv 2407.01122.
    """

    scale: ClassVar[Scale] = Scale.REAL
    implements: ClassVar[tuple[str, ...]] = ("ivap-binary-qa",)
    coverage: ClassVar[str] = "full"
    _bounds: venn.Bounds | None = None

    def fit(self, *, confidence: ArrayLike, correct: ArrayLike, by: Any = None) -> Self:
        """Return a fitted copy. Raises `DataError` for bad values."""
        ungrouped(by)
        return replace(self, _bounds=venn.bounds(group(*check(confidence, correct, self.scale))))

    def interval(self, *, confidence: ArrayLike) -> tuple[Floats, Floats]:
        """p0 and p1 of each confidence."""
        return venn.interval(fitted(self._bounds), numbers("confidence", confidence))

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

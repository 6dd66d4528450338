"""Histogram binning: the accuracy of the bin a confidence falls in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike

from doxa.errors import UsageError
from doxa.metrics.maths.binning import equal_count, fold, locate
from doxa.metrics.maths.cells import Cells, group, ratio
from doxa.metrics.maths.checks import Floats, check
from doxa.state import dump, fitted, load, ungrouped
from doxa.types import Scale


@dataclass(frozen=True, slots=True)
class Histogram:
    """Share of right answers in the bin, for confidences in [0, 1].

    Bins are (a, b], 0 in the first, of equal width or of equal count (ties together). `smoothing` adds that many
    answers of overall accuracy to each bin; an empty bin answers with the overall accuracy in any case. Not monotone.
    Source: Zadrozny and Elkan 2001.
    """

    scale: ClassVar[Scale] = Scale.UNIT
    implements: ClassVar[tuple[str, ...]] = ()
    bins: int = 10
    equal: Literal["width", "count"] = "width"
    smoothing: float = 0.0
    _edges: tuple[float, ...] | None = None
    """Upper ends of all bins but the last."""
    _values: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        """Refuse knobs out of range."""
        if self.bins < 1 or self.equal not in ("width", "count") or self.smoothing < 0:
            raise UsageError(
                f"bins={self.bins!r}, equal={self.equal!r}, smoothing={self.smoothing!r}",
                hint="bins is at least 1, equal is 'width' or 'count', smoothing at least 0",
            )

    def fit(self, *, confidence: ArrayLike, correct: ArrayLike, by: Any = None) -> Self:
        """Return a fitted copy. Raises `DataError` for bad values."""
        ungrouped(by)
        cells = group(*check(confidence, correct))
        edges = np.arange(1, self.bins) / self.bins if self.equal == "width" else even_edges(cells, self.bins)
        index = locate(edges, cells.confidence)
        right, count = (fold(values, index, len(edges) + 1) for values in (cells.right, cells.count))
        overall = float(cells.right.sum() / cells.total)
        values = ratio(right + self.smoothing * overall, count + self.smoothing, overall)
        return replace(self, _edges=tuple(edges.tolist()), _values=tuple(values.tolist()))

    def predict(self, *, confidence: ArrayLike, by: Any = None) -> Floats:
        """Probability of being right."""
        ungrouped(by)
        p = check(confidence, np.zeros(np.shape(confidence)))[0]
        return np.asarray(fitted(self._values), dtype=np.float64)[locate(np.asarray(fitted(self._edges)), p)]

    def to_json(self) -> dict[str, Any]:
        """Knobs and state as JSON-able values."""
        return dump(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The calibrator that `to_json` wrote."""
        return load(cls, data)


def even_edges(cells: Cells, bins: int) -> Floats:
    """Upper ends of the bins of equal count that hold answers, but the last."""
    ascending = equal_count(cells.count[::-1], bins)
    last = np.flatnonzero(np.diff(ascending))
    return np.asarray(cells.confidence[::-1][last])

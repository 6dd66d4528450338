"""Cells of two scores, each answered with its accuracy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from doxa.calibrators.maths.columns import Table, columns, paired, refuse_width
from doxa.errors import UsageError
from doxa.metrics.maths.binning import equal_width
from doxa.metrics.maths.checks import Bools, Floats, Ints
from doxa.state import dump, fitted, load, ungrouped
from doxa.types import Scale


@dataclass(frozen=True, slots=True)
class Pace:
    """Share of right answers in the cell of a grid, for scores in [0, 1]: as a rule two, so `bins` · `bins` cells.

    In PACE-LM the scores are how much evidence past cases give (the share of samples that say they suffice) and how
    well the answer stands up to it (the mean rating). Bins are (a, b], 0 in the first; a missing score is a bin of its
    own. `smoothing` adds that many answers of overall accuracy to each cell; an empty cell answers with the overall
    accuracy. Bins and smoothing are not published: 5 · 5 cells and one answer are a choice.
    Source: Zhang, Zhang, Bansal et al. 2023, PACE-LM, arXiv 2309.05833.
    """

    scale: ClassVar[Scale] = Scale.UNIT
    implements: ClassVar[tuple[str, ...]] = ("pace-lm",)
    coverage: ClassVar[str] = "partial: the calibration of the two scores; without its two prompts"
    example: ClassVar[str] = "log.csv --confidence coe --confidence rce"
    reads: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"coe": "a number from 0 to 1", "rce": "a number from 0 to 1", "correct": "true or false"}
    )
    several: ClassVar[bool] = True
    bins: int = 5
    smoothing: float = 1.0
    _width: int | None = None
    """Number of scores."""
    _cells: tuple[int, ...] | None = None
    """Numbers of the cells that hold answers, ascending."""
    _values: tuple[float, ...] | None = None
    _overall: float | None = None

    def __post_init__(self) -> None:
        """Refuse knobs out of range."""
        if self.bins < 1 or not 0 <= self.smoothing < float("inf"):
            raise UsageError(
                f"bins={self.bins!r}, smoothing={self.smoothing!r}", hint="bins is at least 1, smoothing at least 0"
            )

    def fit(self, *, confidence: Table, correct: ArrayLike, by: Any = None) -> Self:
        """Return a fitted copy. Raises `DataError` for bad values."""
        ungrouped(by)
        scores, given, y = paired(confidence, correct)
        cells, index = np.unique(self._cell(scores, given), return_inverse=True)
        right, count, overall = np.bincount(index, y), np.bincount(index), float(y.mean())
        values = (right + self.smoothing * overall) / (count + self.smoothing)
        return replace(
            self,
            _width=scores.shape[1],
            _cells=tuple(cells.tolist()),
            _values=tuple(values.tolist()),
            _overall=overall,
        )

    def predict(self, *, confidence: Table, by: Any = None) -> Floats:
        """Probability of being right."""
        ungrouped(by)
        cells, width = np.asarray(fitted(self._cells)), fitted(self._width)
        scores, given = columns(confidence)
        refuse_width(given, width)
        cell = self._cell(scores, given)
        place = np.minimum(np.searchsorted(cells, cell), len(cells) - 1)
        return np.where(cells[place] == cell, np.asarray(fitted(self._values))[place], fitted(self._overall))

    def to_json(self) -> dict[str, Any]:
        """Knobs and state as JSON-able values."""
        return dump(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The calibrator that `to_json` wrote."""
        return load(cls, data)

    def _cell(self, scores: Floats, given: Bools) -> Ints:
        """The number of each row's cell: its bins as digits, a missing score being the last digit there is."""
        digits = np.where(given, equal_width(scores, self.bins), self.bins)
        return np.asarray(digits @ (self.bins + 1) ** np.arange(scores.shape[1])[::-1], dtype=np.intp)

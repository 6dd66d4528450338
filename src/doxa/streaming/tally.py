"""What is kept of the rows that were read: counts, sums, and right and wrong answers in bins of the confidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import fsum

import numpy as np

from doxa.metrics.maths.cells import Cells
from doxa.metrics.maths.checks import Bools, Floats, Ints
from doxa.metrics.maths.kernels import Part, Sums

SLICE = 1 << 14
"""Rows whose sums are computed at a time: few enough to stay in the processor's cache."""
APART = 64
"""Slices whose sums are kept one by one, to be added without rounding."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Bins of equal width between two confidences; where the order of answers is known, so is that of their bins."""

    low: float
    high: float
    bins: int

    def places(self, confidence: Floats) -> Ints:
        """The bin of each confidence."""
        half = self.high / 2 - self.low / 2
        scale = self.bins / 2 / half if half > np.finfo(np.float64).tiny * self.bins else 0.0
        found = np.empty(len(confidence), dtype=np.intp)
        for rows in slices(len(confidence)):
            place = confidence[rows] * scale - self.low * scale
            found[rows] = np.clip(place, 0, self.bins - 1, out=place).astype(np.int32)
        return found

    def codes(self, confidence: Floats, correct: Bools) -> Ints:
        """Twice the bin of each answer, and 1 more for right ones."""
        code = self.places(confidence)
        code *= 2
        code += correct
        return code

    def middles(self) -> Floats:
        """The middle of each bin."""
        share = (np.arange(self.bins) + 0.5) / self.bins
        return np.asarray(self.low * (1 - share) + self.high * share)


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one batch of rows adds."""

    n: int
    missing: int
    sums: Floats
    """(slices, k): the sums of all parts, one after the other."""
    counts: Ints
    """(bins, 2): wrong and right answers."""
    value: Floats
    """(bins,): a confidence of the bin, NaN where none was seen."""
    mixed: Bools
    """(bins,): whether two different ones were."""


class Tally:
    """The rows of one group that were read so far."""

    def __init__(self, grid: Grid) -> None:
        """Nothing was read yet."""
        self.grid, self.n, self.missing = grid, 0, 0
        self.sums: list[Floats] = []
        self.counts = np.zeros((grid.bins, 2), dtype=np.int64)
        self.value = np.full(grid.bins, np.nan)
        self.mixed = np.zeros(grid.bins, dtype=bool)

    def add(self, chunk: Chunk) -> None:
        """Take the rows of a batch."""
        self.n, self.missing = self.n + chunk.n, self.missing + chunk.missing
        self.sums.extend(chunk.sums)
        if len(self.sums) > APART:
            self.sums = [self.total()]
        self.counts += chunk.counts
        new = ~np.isnan(chunk.value)
        self.mixed |= chunk.mixed | (new & ~np.isnan(self.value) & (self.value != chunk.value))
        self.value[new] = chunk.value[new]

    def total(self) -> Floats:
        """The sums of all parts over all rows; those of `APART` slices are added without rounding."""
        return np.array([fsum(column) for column in np.array(self.sums).T.tolist()])

    def filled(self) -> Ints:
        """The bins that hold answers, the surest first."""
        return np.asarray(np.flatnonzero(self.counts.any(1))[::-1])

    def cells(self) -> Cells:
        """The bins that hold answers as ties at their one confidence, or at their middles."""
        bins = self.filled()
        confidence = np.where(self.mixed, self.grid.middles(), self.value)[bins]
        wrong, right = self.counts[bins].T.astype(np.float64)
        return Cells(confidence, right, wrong)


def slices(n: int) -> Iterator[slice]:
    """Yield the slices of `n` rows."""
    return (slice(begin, begin + SLICE) for begin in range(0, n, SLICE))


def added(kernels: Mapping[str, Sums], confidence: Floats, correct: Bools) -> Floats:
    """The sums that metrics need, of these answers, one after the other."""
    right = correct.astype(np.float64)
    cells = Cells(confidence, right, 1 - right)
    sums = (np.atleast_1d(part.over(cells)) for kernel in kernels.values() for part in kernel.parts(confidence))
    return np.concatenate([np.zeros(0), *sums])


def apart(kernels: Mapping[str, Sums], sums: Floats) -> dict[str, list[Floats]]:
    """The sums of each metric's parts."""
    sizes = {name: [part.bins for part in kernel.parts(np.zeros(1))] for name, kernel in kernels.items()}
    ends = np.cumsum([size for metric in sizes.values() for size in metric])
    pieces = iter(np.split(sums, ends[:-1]))
    return {name: [next(pieces) for _ in metric] for name, metric in sizes.items()}


def shaped(part: Part, sums: Floats) -> Floats:
    """Sums (..., bins) as the metric takes them: without the last axis where there are no bins."""
    return sums[..., 0] if part.bin is None else sums


def chunk(kernels: Mapping[str, Sums], tally: Tally, confidence: Floats, correct: Bools, missing: int) -> Chunk:
    """Count one batch of complete rows. `tally` is only looked at: bins known to be mixed need no second look."""
    grid = tally.grid
    code = grid.codes(confidence, correct)
    counts = np.bincount(code, minlength=2 * grid.bins).reshape(grid.bins, 2)
    index = code >> 1
    value, mixed = np.full(grid.bins, np.nan), np.zeros(grid.bins, dtype=bool)
    new = np.flatnonzero(~tally.mixed[index])
    if len(new):
        index, kept = index[new], confidence[new]
        value[index] = kept
        mixed[index[value[index] != kept]] = True
    sums = np.array([added(kernels, confidence[rows], correct[rows]) for rows in slices(len(confidence))])
    return Chunk(len(confidence), missing, sums, counts, value, mixed)

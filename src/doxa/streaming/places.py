"""Areas of a ranking from bins: the value if bins were ties, what it can be at most and at least, and its slopes.

Inside a bin whose confidences differ the order of answers is unknown. The areas sum a potential's steps over the places
of wrong answers, and steps only grow: so no order gives less than the wrong answers first, and none more than last.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from doxa.metrics.maths.cells import Cells
from doxa.metrics.maths.checks import Bools, Floats
from doxa.metrics.maths.kernels import Places, harmonics, places


def triangle(upto: Floats) -> Floats:
    """1 + 2 + … + n at any n."""
    return upto * (upto + 1) / 2


def harmonic(upto: Floats) -> Floats:
    """n (H(n) - 1) at any n: H(n) is the digamma function of n + 1, plus Euler's constant."""
    from scipy.special import digamma

    return np.asarray(upto * (digamma(upto + 1) + np.euler_gamma - 1))


POTENTIALS: dict[Callable[[int], Floats], Callable[[Floats], Floats]] = {places: triangle, harmonics: harmonic}
"""Tables of 0 … n as functions: a table of 10^8 places would fill the memory."""


@dataclass(frozen=True, slots=True)
class Table:
    """What a table of a potential holds, computed where it is looked up."""

    at: Callable[[Floats], Floats]

    def __getitem__(self, index: Any) -> Floats:
        """The entries at some places."""
        return self.at(np.asarray(index, dtype=np.float64))


class Area(NamedTuple):
    """A metric from bins, and the ends between which its exact value lies."""

    value: float
    low: float
    high: float

    @property
    def bound(self) -> float:
        """How far the exact value may be."""
        return max(self.value - self.low, self.high - self.value)


def area(kernel: Places, cells: Cells, mixed: Bools) -> Area:
    """The metric with bins as ties; `mixed` says in which of them the order of answers is unknown."""
    at = POTENTIALS[kernel.potential]
    end = np.cumsum(cells.count)
    start = end - cells.count
    tied = cells.wrong / cells.count * (at(end) - at(start))
    first = np.where(mixed, at(start + cells.wrong) - at(start), tied)
    last = np.where(mixed, at(end) - at(end - cells.wrong), tied)
    right, wrong = cells.right.sum(), cells.wrong.sum()
    value, *ends = (float(kernel.finish(right, wrong, sums.sum(), Table(at))) for sums in (tied, first, last))  # type: ignore[arg-type]
    return Area(value, min(value, *ends), max(value, *ends))


def slopes(kernel: Places, cells: Cells) -> tuple[Floats, Floats] | None:
    """What one right and one wrong answer more in each bin would change: the metric's derivatives by the counts.

    `None` where there are too few of either to tell.
    """
    at = POTENTIALS[kernel.potential]
    right, wrong = float(cells.right.sum()), float(cells.wrong.sum())
    step = max(1.0, np.floor(1e-4 * min(right, wrong)))
    if min(right, wrong) < 2:
        return None
    end = np.cumsum(cells.count)
    start = end - cells.count
    gain, share = at(end) - at(start), cells.wrong / cells.count
    gained = float((share * gain).sum())
    # An answer more moves the bins below by a place, and its own bin's end.
    rise_end, rise_start = (at(ends + 0.5) - at(ends - 0.5) for ends in (end, start))
    moved = share * (rise_end - rise_start)
    below = share * rise_end + moved.sum() - np.cumsum(moved)
    by_right = below - share * gain / cells.count
    by_wrong = by_right + gain / cells.count
    to_right, to_wrong, to_gained = _partial(kernel, right, wrong, gained, step)
    return to_right + to_gained * by_right, to_wrong + to_gained * by_wrong


def _partial(kernel: Places, right: float, wrong: float, gained: float, step: float) -> Floats:
    """Derivatives by the numbers of right and of wrong answers and by the sum, by central differences."""
    steps = np.array([step, step, 1e-4 * gained + 1e-12])
    moves = np.vstack([np.diag(steps), -np.diag(steps)])
    at = (np.array([right, wrong, gained]) + moves).T
    up, down = np.split(kernel.finish(*at, Table(POTENTIALS[kernel.potential])), 2)  # type: ignore[call-arg]
    return np.asarray((up - down) / 2 / steps)

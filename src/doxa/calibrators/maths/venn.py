"""The two probabilities of an inductive Venn-Abers predictor, for every score at once.

The cumulative-sum diagram of n scores has the points P_0 … P_k: answers, and right answers, up to each distinct score.
One more right answer at a score above m of the distinct ones shifts P_0 … P_m by (-1, -1). The isotonic fit at it is

    p1 = max over l <= m of min over j > m of slope(P_l - (1, 1), P_j).

It is no smaller than the slope there of the hull of all points, and a line as steep as that which touches what is to
the right touches it at a corner of this hull. So j need only run over corners to the right of l, along which the slope
falls, then rises: a binary search for all l side by side. The running maximum over l is p1 at every place: O(n log n),
and no loop over answers. p0 is 1 - p1 of the mirrored data. Vovk, Petej and Fedorova 2015 (arXiv 1511.00213),
algorithms 1 to 4, precompute the same two vectors with a stack.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from doxa.calibrators.maths.hull import corners, cumulated
from doxa.metrics.maths.cells import Cells
from doxa.metrics.maths.checks import Floats

Bounds = tuple[tuple[float, ...], ...]
"""p0 and p1 as steps: scores at which p0 changes, its values, scores above which p1 changes, its values."""


def bounds(cells: Cells) -> Bounds:
    """Both step functions."""
    scores, right, count = cells.confidence[::-1], cells.right[::-1], cells.count[::-1]
    above, high = _one_more_right(scores, right, count)
    mirrored, doubt = _one_more_right(-scores[::-1], (count - right)[::-1], count[::-1])
    steps = (0.0 - mirrored[::-1], 1 - doubt[::-1], above, high)
    return tuple(tuple(each.tolist()) for each in steps)


def interval(found: Sequence[Sequence[float]], confidence: Floats) -> tuple[Floats, Floats]:
    """p0 and p1 at each confidence."""
    at, low, above, high = (np.asarray(each, dtype=np.float64) for each in found)
    return low[np.searchsorted(at, confidence, "right")], high[np.searchsorted(above, confidence, "left")]


def merged(low: Floats, high: Floats) -> Floats:
    """The one probability whose log loss exceeds that of the right one of the two least: p1 / (1 - p0 + p1)."""
    return high / (1 - low + high)


def _one_more_right(scores: Floats, right: Floats, count: Floats) -> tuple[Floats, Floats]:
    """The scores above which p1 changes, and its values from the lowest scores to the highest; scores ascend."""
    x, y = cumulated(count), cumulated(right)
    at = corners(x, y)
    begin = np.flatnonzero(np.append(True, right[:-1] < count[:-1]))  # past right answers alone p1 stays
    left, height = x[begin] - 1, y[begin] - 1
    hull_x, hull_y = x[at], y[at]
    edge_x, edge_y = np.diff(hull_x, append=hull_x[-1]), np.diff(hull_y, append=hull_y[-1])
    low, high = np.searchsorted(at, begin, "right"), np.full(len(begin), len(at) - 1)
    for _ in range(len(at).bit_length()):
        middle = (low + high) // 2
        rises = edge_y[middle] * (hull_x[middle] - left) >= (hull_y[middle] - height) * edge_x[middle]
        low, high = np.where(rises, low, middle + 1), np.where(rises, middle, high)
    values = np.append(np.maximum.accumulate((hull_y[low] - height) / (hull_x[low] - left)), 1.0)
    steps = np.flatnonzero(np.diff(values)) + 1
    return scores[np.append(begin, len(scores))[steps] - 1], values[np.append(0, steps)]

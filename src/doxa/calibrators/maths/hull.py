"""The lower convex hull of a chain of points: isotonic regression is its slopes."""

from __future__ import annotations

import numpy as np

from doxa.metrics.maths.checks import Floats, Ints


def corners(x: Floats, y: Floats) -> Ints:
    """Places of the corners of the lower convex hull; `x` ascends strictly. Points inside an edge are no corners.

    A point on or above the line between its neighbours is no corner, so all such points go at once, again and again.
    Each round is one pass of arrays; where a round takes away little, the rest is done point by point: O(n) in total.
    """
    kept, before = np.arange(len(x)), np.inf
    while len(kept) < 0.9 * before:
        before = len(kept)
        dx, dy = np.diff(x[kept]), np.diff(y[kept])
        kept = kept[np.concatenate([[True], dy[:-1] * dx[1:] < dy[1:] * dx[:-1], [True]])[: len(kept)]]
    return kept if len(kept) == before else kept[_one_by_one(x[kept].tolist(), y[kept].tolist())]


def _one_by_one(x: list[float], y: list[float]) -> list[int]:
    """The same by a stack (Andrew 1979)."""
    hull: list[int] = []
    for i in range(len(x)):
        while len(hull) > 1:
            a, b = hull[-2], hull[-1]
            if (y[b] - y[a]) * (x[i] - x[b]) < (y[i] - y[b]) * (x[b] - x[a]):
                break
            hull.pop()
        hull.append(i)
    return hull


def pooled(right: Floats, count: Floats) -> Floats:
    """Isotonic regression: non-decreasing means of least weighted squared error, for cells in ascending order.

    They are the slopes of the hull of the cumulative sums (Barlow, Bartholomew, Bremner and Brunk 1972).
    """
    x, y = cumulated(count), cumulated(right)
    at = corners(x, y)
    return np.repeat(np.diff(y[at]) / np.diff(x[at]), np.diff(at))


def cumulated(values: Floats) -> Floats:
    """Sums of the first 0, 1, 2, … values."""
    return np.concatenate([[0.0], np.cumsum(values)])

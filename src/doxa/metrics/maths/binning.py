"""The one binning: what ECE sums, reliability diagrams draw."""

from __future__ import annotations

from typing import Literal

import numpy as np

from doxa.errors import UsageError
from doxa.metrics.maths.cells import Cells
from doxa.metrics.maths.checks import Floats, Ints

Edges = Literal["right", "left"]


def equal_width(confidence: Floats, bins: int, edges: Edges = "right") -> Ints:
    """Bin of each confidence among `bins` of equal width over [0, 1].

    With `edges="right"` a bin is (a, b] and 0 falls in the first; with `"left"` it is [a, b) and 1 falls in the last.
    Values are compared with the fractions i / bins themselves: 7 / 25 * 25 exceeds 7, and seven steps of 0.1 exceed
    0.7. Nothing is forgiven: 0.1 + 0.2 exceeds 0.3 and falls above it; round sums of decimals first.
    """
    if bins < 1 or edges not in ("right", "left"):
        raise UsageError(
            f"cannot make {bins} bins with edges={edges!r}", hint="edges is 'right' or 'left', bins at least 1"
        )
    if edges == "left" or not (len(confidence) and confidence.min() >= 0 and confidence.max() <= 1):
        return locate(np.arange(1, bins) / bins, confidence, edges)
    # Faster than a search: the product is rounded, and so can at most be one bin too high.
    index = (confidence * bins).astype(np.int32).astype(np.intp)
    index -= confidence <= np.append(-1.0, np.arange(1, bins + 1) / bins)[index]
    return np.asarray(index)


def locate(inner: Floats, confidence: Floats, edges: Edges = "right") -> Ints:
    """Bin of each confidence among those that the `inner` edges divide."""
    return np.asarray(np.searchsorted(inner, confidence, side="left" if edges == "right" else "right"), dtype=np.intp)


def equal_count(count: Floats, bins: int) -> Ints:
    """Bin of each cell, (..., k): that of the middle of the cell in the order of all answers, so ties stay together."""
    share = (np.cumsum(count, -1) - count / 2) / np.maximum(count.sum(-1, keepdims=True), 1)
    return np.asarray(np.minimum(share * bins, bins - 1), dtype=np.intp)


def equal_size(count: Floats, size: int) -> Ints:
    """Bin of each cell, (..., k): bins of `size` answers from the least sure up, the surest one taking what is left.

    The middle of a cell decides, so ties stay together.
    """
    if size < 1:
        raise UsageError(f"cannot make bins of {size} answers", hint="size is at least 1")
    total = count.sum(-1, keepdims=True)
    middle = total - np.cumsum(count, -1) + count / 2
    return np.asarray(np.minimum(middle // size, np.maximum(total // size - 1, 0)), dtype=np.intp)


def fold(values: Floats, index: Ints, bins: int) -> Floats:
    """Sum the last axis by bin: (..., k) to (..., bins); `index` is (k,) or one row per row of `values`."""
    rows = values.reshape(-1, values.shape[-1])
    slots = index.reshape(-1, index.shape[-1]) + bins * np.arange(len(rows))[:, None]
    sums = np.asarray(np.bincount(slots.ravel(), rows.ravel(), bins * len(rows)), dtype=np.float64)
    return sums.reshape(*values.shape[:-1], bins)


def gap(cells: Cells) -> Floats:
    """Sum of confidence minus number right, per cell: what a bin's distance from the diagonal is made of."""
    return cells.wrong * cells.confidence - cells.right * (1 - cells.confidence)

"""The cluster bootstrap: replicates are the same cells with other counts, many at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from doxa.metrics.maths.cells import Cells, distinct
from doxa.metrics.maths.checks import Bools, Floats, Ints

TIMES = 2000
"""Replicates."""
FEW_KINDS = 8
"""Counts are drawn directly where units outnumber their kinds by more than this."""
CHUNK = 1 << 17
"""Numbers held at a time per array."""


def replicates(confidence: Floats, correct: Bools, cluster: Ints | None, seed: int) -> Iterator[Cells]:
    """Yield resampled cells in chunks: (b, k) counts, `TIMES` rows in all. The order of rows plays no part."""
    values, index = distinct(confidence)
    code = 2 * index + ~correct
    if cluster is None:
        kinds, kind = np.unique(code, return_inverse=True)
        chunks = draws(np.sort(kind), len(kinds), seed)
    else:
        kinds, start, order = _sorted(code)
        chunks = (_by_kind(w, cluster[order], start) for w in draws(np.arange(cluster.max() + 1), len(code), seed))
    for counts in chunks:
        yield _fill(values, kinds, counts)


def paired(sides: Sequence[tuple[Floats, Bools]], cluster: Ints | None, seed: int) -> Iterator[tuple[Cells, ...]]:
    """Yield resampled cells of several answers to the same questions; the same questions are drawn for all.

    A side is the confidences and outcomes of its answers, a row a question.
    """
    if cluster is None:
        rows = np.lexsort([column for side in sides for column in side])
        sides = [(confidence[rows], correct[rows]) for confidence, correct in sides]
        cluster = np.arange(len(rows))
    kept = []
    for confidence, correct in sides:
        values, index = distinct(confidence)
        kept.append((values, *_sorted(2 * index + ~correct)))
    for weights in draws(np.arange(cluster.max() + 1), len(cluster), seed):
        yield tuple(
            _fill(values, kinds, _by_kind(weights, cluster[order], start)) for values, kinds, start, order in kept
        )


def calibrated(cells: Cells, seed: int) -> Iterator[Cells]:
    """Yield cells with outcomes drawn from the confidences: what perfect calibration would have shown."""
    rng = np.random.default_rng(seed)
    step = max(1, CHUNK // len(cells.confidence))
    for done in range(0, TIMES, step):
        shape = (min(step, TIMES - done), len(cells.confidence))
        right = rng.binomial(cells.count.astype(np.int64), cells.confidence, shape).astype(np.float64)
        yield Cells(cells.confidence, right, cells.count - right)


def draws(kind: Ints, width: int, seed: int) -> Iterator[Floats]:
    """Draw len(kind) units with replacement, `TIMES` times over, and count them by kind: chunks of (b, kinds).

    `width` is the size of what the caller makes of one replicate, which bounds the chunk.
    """
    rng = np.random.default_rng(seed)
    sizes = np.bincount(kind)
    units, kinds = len(kind), len(sizes)
    few = kinds * FEW_KINDS < units
    step = max(1, CHUNK // max(kinds if few else units, width))
    for done in range(0, TIMES, step):
        rows = min(step, TIMES - done)
        if few:  # the same distribution, without drawing the units one by one
            yield rng.multinomial(units, sizes / units, rows).astype(np.float64)
            continue
        drawn = kind[rng.integers(0, units, (rows, units))] + kinds * np.arange(rows)[:, None]
        yield np.bincount(drawn.ravel(), minlength=rows * kinds).reshape(rows, kinds).astype(np.float64)


def percentiles(values: Floats) -> tuple[float, float] | None:
    """The middle 95 % of the replicates that have a value; `None` when under nine tenths have one."""
    known = values[~np.isnan(values)]
    if len(known) < 0.9 * len(values):
        return None
    low, high = np.percentile(known, [2.5, 97.5])
    return float(low), float(high)


def _sorted(code: Ints) -> tuple[Ints, Ints, Ints]:
    """Distinct codes, where each starts in sorted order, and that order."""
    order = np.argsort(code, kind="stable")
    kinds, start = np.unique(code[order], return_index=True)
    return kinds, start, order


def _by_kind(weights: Floats, cluster: Ints, start: Ints) -> Floats:
    """Cluster weights (b, clusters) to weights by kind (b, kinds); rows of `cluster` are in the order of kinds."""
    return np.add.reduceat(weights[:, cluster], start, axis=1)


def _fill(values: Floats, kinds: Ints, counts: Floats) -> Cells:
    """Put counts by kind into cells; kinds are 2 * cell for right answers and 2 * cell + 1 for wrong ones."""
    both = np.zeros((len(counts), 2 * len(values)))
    both[:, kinds] = counts
    return Cells(values, both[:, 0::2], both[:, 1::2])


def row_weights(n: int, cluster: Ints | None, seed: int) -> Iterator[Floats]:
    """Yield how often each of `n` rows is drawn, (b, n), for statistics that are not functions of cells."""
    units = np.arange(n) if cluster is None else np.arange(cluster.max() + 1)
    for weights in draws(units, n, seed):
        yield weights if cluster is None else weights[:, cluster]

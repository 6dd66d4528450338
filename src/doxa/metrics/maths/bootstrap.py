"""The cluster bootstrap: replicates are the same answers with other counts, thousands at a time.

Units (clusters, or answers that are alike) are drawn with replacement, and how often each was drawn are its weights.
A metric of sums over answers is a product of weights with the sums of the units; the areas of a ranking come from one
walk down it that takes all replicates along; every other metric sees the cells of each replicate.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from doxa.metrics.maths.binning import fold
from doxa.metrics.maths.cells import Cells, distinct
from doxa.metrics.maths.checks import Bools, Floats, Ints
from doxa.metrics.maths.kernels import Kernel, Places, Sums, rights, wrongs

TIMES = 2000
"""Replicates, unless there are so many units that fewer do."""
WORK, FEWEST = 40_000_000, 200
"""Above this many drawn units in all there are fewer replicates, though never fewer than the second number."""
FEW_KINDS = 8
"""Counts are drawn directly where units outnumber their kinds by more than this."""
CHUNK = 1 << 18
"""Numbers held at a time per array, so that it stays in the processor's cache."""
SMALL = 1 << 18
"""Multiplications in one matrix product, few enough that BLAS does not start threads and wait for them."""
BLOCK = 1 << 25
"""Weights held at a time."""

Weights = NDArray[np.int32]
"""(units, b): how often each unit is drawn in each of b replicates."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Answers, the surest first, and the unit that each is drawn with. The order of rows played no part."""

    confidence: Floats
    correct: Bools
    unit: Ints


def arranged(confidence: Floats, correct: Bools, unit: Ints) -> Sample:
    """Put rows in order: by falling confidence, right answers before wrong ones of the same confidence."""
    order = np.lexsort((~correct, -confidence))
    return Sample(confidence[order], correct[order], unit[order])


def resample(
    kernels: Mapping[str, Kernel], confidence: Floats, correct: Bools, cluster: Ints | None, seed: int
) -> dict[str, Floats]:
    """Values of metrics on replicates of the same answers."""
    if cluster is not None:
        return replicated(kernels, [arranged(confidence, correct, cluster)], np.arange(cluster.max() + 1), seed)[0]
    # Rows that are alike are one kind, and weights say how often a kind is drawn.
    values, index = distinct(confidence)
    kinds, kind = np.unique(2 * index + ~correct, return_inverse=True)
    sample = Sample(values[kinds // 2], kinds % 2 == 0, np.arange(len(kinds)))
    return replicated(kernels, [sample], np.sort(kind), seed)[0]


def paired(
    kernel: Kernel, sides: Sequence[tuple[Floats, Bools]], cluster: Ints | None, seed: int
) -> tuple[Floats, ...]:
    """Values of a metric on replicates of several answers to the same questions, drawn for all alike.

    A side is the confidences and outcomes of its answers, a row a question.
    """
    if cluster is None:
        rows = np.lexsort([column for side in sides for column in side])
        sides = [(confidence[rows], correct[rows]) for confidence, correct in sides]
        cluster = np.arange(len(rows))
    samples = [arranged(confidence, correct, cluster) for confidence, correct in sides]
    found = replicated({"metric": kernel}, samples, np.arange(cluster.max() + 1), seed)
    return tuple(each["metric"] for each in found)


def replicated(
    kernels: Mapping[str, Kernel], samples: Sequence[Sample], kind: Ints, seed: int
) -> list[dict[str, Floats]]:
    """Values of metrics on each sample, all samples under the same weights."""
    found: list[list[dict[str, Floats]]] = [[] for _ in samples]
    sums = [summands(kernels, sample) for sample in samples]
    for weights in blocks(kind, seed):
        for sample, own, values in zip(samples, sums, found, strict=True):
            values.append(evaluate(kernels, sample, own, weights))
    return [{name: np.concatenate([values[name] for values in parts]) for name in kernels} for parts in found]


@dataclass(frozen=True, slots=True)
class Summands:
    """What is summed for all metrics of sums, besides right and wrong answers, and how much of it each unit holds."""

    parts: Mapping[str, int]
    """How many there are of each metric."""
    plain: Sequence[bool]
    """Whether each is one sum without bins: right answers, wrong ones, then those of the metrics."""
    bins: Sequence[int]
    units: Floats
    """(all bins, units)"""


def summands(kernels: Mapping[str, Kernel], sample: Sample) -> Summands:
    """The same for all replicates, so computed once."""
    parts = {name: kernel.parts(sample.confidence) for name, kernel in kernels.items() if isinstance(kernel, Sums)}
    wanted = [rights(sample.confidence), wrongs(sample.confidence), *chain(*parts.values())]
    columns = [part.by_unit(sample.correct, sample.unit) for part in wanted]
    counts = {name: len(own) for name, own in parts.items()}
    return Summands(counts, [part.bin is None for part in wanted], [part.bins for part in wanted], np.hstack(columns).T)


def evaluate(kernels: Mapping[str, Kernel], sample: Sample, summands: Summands, weights: Weights) -> dict[str, Floats]:
    """Values of metrics on the replicates of one block, each kind of kernel in its own way."""
    sums = {name: kernel for name, kernel in kernels.items() if isinstance(kernel, Sums)}
    places = {name: kernel for name, kernel in kernels.items() if isinstance(kernel, Places)}
    others = {name: kernel for name, kernel in kernels.items() if name not in sums and name not in places}
    right, wrong, *added = added_up(summands, weights)
    values = by_cells(others, sample, weights) | by_places(places, sample, weights, right, wrong)
    for name, kernel in sums.items():
        own, added = added[: summands.parts[name]], added[summands.parts[name] :]
        values[name] = kernel.finish(right + wrong, *own)
    return values


def added_up(summands: Summands, weights: Weights) -> list[Floats]:
    """Sums over the answers of each replicate, (b,) or (b, bins): those of the units, times the units' weights."""
    units = summands.units
    added = np.zeros((len(units), weights.shape[1]))
    step = max(1, SMALL // added.size)
    for begin in range(0, len(weights), step):
        added += units[:, begin : begin + step] @ weights[begin : begin + step]
    split = np.split(added.T, np.cumsum(summands.bins)[:-1], axis=1)
    return [sums[:, 0] if plain else sums for sums, plain in zip(split, summands.plain, strict=True)]


def by_places(
    kernels: Mapping[str, Places], sample: Sample, weights: Weights, right: Floats, wrong: Floats
) -> dict[str, Floats]:
    """Metrics of the places of wrong answers: those that share a potential share the walk down the ranking."""
    if not kernels:
        return {}
    tables = {kernel.potential: kernel.potential(int((right + wrong).max())) for kernel in kernels.values()}
    gained = dict(zip(tables, walk(sample, weights, list(tables.values())), strict=True))
    return {
        name: kernel.finish(right, wrong, gained[kernel.potential], tables[kernel.potential])
        for name, kernel in kernels.items()
    }


def walk(sample: Sample, weights: Weights, tables: list[Floats]) -> list[Floats]:
    """Go down the ranking with all replicates at once, and sum the steps of each table under the wrong answers.

    One stretch of the way is a run of answers that are all right or all wrong, in which the tables need only be
    looked up at the ends, or a tie of both, whose answers share its places evenly.
    """
    place = np.zeros(weights.shape[1], dtype=np.intp)
    gained = [np.zeros(weights.shape[1]) for _ in tables]
    for right, wrong in stretches(sample):
        before = place.copy() if right and wrong else place
        for unit in right:
            place += weights[unit]
        if not wrong:
            continue
        entered = [table.take(before) for table in tables]
        middle = place.copy() if right else place
        for unit in wrong:
            place += weights[unit]
        share = (place - middle) / np.maximum(place - before, 1) if right else None
        for sums, table, start in zip(gained, tables, entered, strict=True):
            gain = table.take(place)
            gain -= start
            if share is not None:
                gain *= share
            sums += gain
    return gained


def stretches(sample: Sample) -> Iterator[tuple[list[int], list[int]]]:
    """Yield the units of the right and of the wrong answers of each stretch of the ranking."""
    values, correct = sample.confidence, sample.correct
    tie = np.append(0, np.cumsum(values[1:] != values[:-1]))
    right = np.bincount(tie, correct) / np.bincount(tie)
    alike = (right[1:] == right[:-1]) & (right[1:] % 1 == 0)
    stretch = np.append(0, np.cumsum(~alike))[tie]
    start = np.flatnonzero(np.diff(stretch, prepend=-1, append=stretch[-1] + 1))
    middle = start[:-1] + np.bincount(stretch, correct).astype(np.intp)
    units = sample.unit.tolist()
    for begin, turn, end in zip(start[:-1].tolist(), middle.tolist(), start[1:].tolist(), strict=True):
        yield units[begin:turn], units[turn:end]


def by_cells(kernels: Mapping[str, Kernel], sample: Sample, weights: Weights) -> dict[str, Floats]:
    """Every other metric: the cells of some replicates at a time."""
    if not kernels:
        return {}
    values, index = distinct(sample.confidence)
    code = 2 * index + ~sample.correct
    step = max(1, CHUNK // len(code))
    found: dict[str, list[Floats]] = {name: [] for name in kernels}
    for begin in range(0, weights.shape[1], step):
        rows = np.asarray(weights[:, begin : begin + step].T, dtype=np.float64)[:, sample.unit]
        both = fold(rows, code, 2 * len(values))
        for name, kernel in kernels.items():
            found[name].append(kernel(Cells(values, both[:, 0::2], both[:, 1::2])))
    return {name: np.concatenate(parts) for name, parts in found.items()}


def calibrated(cells: Cells, seed: int) -> Iterator[Cells]:
    """Yield cells with outcomes drawn from the confidences: what perfect calibration would have shown."""
    rng = np.random.default_rng(seed)
    step, single = max(1, CHUNK // len(cells.confidence)), bool((cells.count == 1).all())
    count = times(len(cells.confidence))
    for done in range(0, count, step):
        shape = (min(step, count - done), len(cells.confidence))
        if single:  # the same law, and much faster
            right = (rng.random(shape) < cells.confidence).astype(np.float64)
        else:
            right = rng.binomial(cells.count.astype(np.int64), cells.confidence, shape).astype(np.float64)
        yield Cells(cells.confidence, right, cells.count - right)


def blocks(kind: Ints, seed: int) -> Iterator[Weights]:
    """Yield the weights of all replicates in blocks as large as `BLOCK` allows."""
    units = int(kind.max()) + 1
    size = min(TIMES, max(1, BLOCK // units))
    block, filled = np.empty((size, units), dtype=np.int32), 0  # turned only when full: that is faster than by columns
    for drawn in draws(kind, units, seed):
        while len(drawn):
            fits = drawn[: size - filled]
            block[filled : filled + len(fits)] = fits
            filled, drawn = filled + len(fits), drawn[len(fits) :]
            if filled == size:
                yield np.ascontiguousarray(block.T)
                filled = 0
    if filled:
        yield np.ascontiguousarray(block[:filled].T)


def times(drawn: int) -> int:
    """How many replicates there are where each draws so many numbers."""
    return max(min(TIMES, FEWEST), min(TIMES, WORK // max(1, drawn)))


def draws(kind: Ints, width: int, seed: int) -> Iterator[Floats]:
    """Draw len(kind) units with replacement, `times` over, and count them by kind: chunks of (b, kinds).

    `width` is the size of what the caller makes of one replicate, which bounds the chunk.
    """
    rng = np.random.default_rng(seed)
    sizes = np.bincount(kind)
    units, kinds = len(kind), len(sizes)
    few = kinds * FEW_KINDS < units
    step = max(1, CHUNK // max(kinds if few else units, width))
    count = times(kinds if few else units)
    for done in range(0, count, step):
        rows = min(step, count - done)
        if few:  # the same distribution, without drawing the units one by one
            yield rng.multinomial(units, sizes / units, rows).astype(np.float64)
            continue
        drawn = kind[rng.integers(0, units, (rows, units))] + kinds * np.arange(rows)[:, None]
        yield np.bincount(drawn.ravel(), minlength=rows * kinds).reshape(rows, kinds).astype(np.float64)


def row_weights(n: int, cluster: Ints | None, seed: int) -> Iterator[Floats]:
    """Yield how often each of `n` rows is drawn, (b, n), for statistics of other columns than these."""
    units = np.arange(n) if cluster is None else np.arange(cluster.max() + 1)
    for weights in draws(units, n, seed):
        yield weights if cluster is None else weights[:, cluster]


def percentiles(values: Floats) -> tuple[float, float] | None:
    """The middle 95 % of the replicates that have a value; `None` when under nine tenths have one."""
    known = values[~np.isnan(values)]
    if len(known) < 0.9 * len(values):
        return None
    low, high = np.percentile(known, [2.5, 97.5])
    return float(low), float(high)

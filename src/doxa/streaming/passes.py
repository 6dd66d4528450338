"""One reading of the files for the values, a second one for intervals where there are clusters."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from doxa.errors import DataError, DoxaError, UsageError
from doxa.metrics.maths.checks import Bools, Floats, Ints
from doxa.scoring import Group, parts
from doxa.streaming.measuring import Plan, Shares, measurements, planned, points, spread, tables
from doxa.streaming.rows import BATCH, Batch, Source, levels, span
from doxa.streaming.tally import Chunk, Grid, Tally, chunk

if TYPE_CHECKING:
    import polars as pl

BINS = 1 << 16
"""Bins of the confidence, and groups of clusters."""
BUDGET, FEWEST = 1 << 21, 1 << 10
"""Bins of all groups together, and the least of one: there are fewer bins where there are very many groups."""

T = TypeVar("T")
U = TypeVar("U")
Key = tuple[tuple[str, str], ...]


def score_source(
    source: Source, *, metrics: Iterable[str] | None = None, intervals: bool = True, seed: int = 0, batch: int = BATCH
) -> list[Group]:
    """Measure every combination of the `by` columns that occurs, in their order; without `by`, all rows.

    Raises `UsageError` for metrics that cannot be computed in batches, `DataError` for a bad cell.
    """
    plan, many = planned(metrics, source.scale), levels(source, BUDGET // FEWEST)
    if many > BUDGET // FEWEST:
        said = f"over {BUDGET // FEWEST:,} groups are too many to tell apart"
        raise UsageError(said, hint="name a --by column of fewer values")
    bins = min(BINS, 1 << (BUDGET // many).bit_length() - 1)
    independent = source.columns.cluster is None
    alone = replace(source, columns=replace(source.columns, cluster=None)) if intervals else source
    tallies = _tallies(alone, plan, Grid(*span(alone), bins), batch)
    if not any(tally.n + tally.missing for tally in tallies.values()):
        raise _nothing(source)
    found = {key: points(plan, tally, intervals) for key, tally in tallies.items()}
    shares: dict[Key, Shares] = {}
    if intervals and not independent:
        shares = _shares(source, tallies, {key: tables(tallies[key], each) for key, each in found.items()}, batch)
    groups = []
    for key, tally in sorted(tallies.items(), key=lambda pair: [value for _, value in pair[0]]):
        own = found[key]
        ends = spread(plan, tally, own, shares.get(key), seed) if intervals else {}
        bounds = {name: point.bound for name, point in own.items() if point.bound is not None}
        groups.append(Group(dict(key), measurements(plan, tally, own, ends, independent), bounds))
    return groups


def _nothing(source: Source) -> DoxaError:
    wanted = " and ".join(f"{name} = {' or '.join(values)}" for name, values in source.wanted)
    if wanted:
        return UsageError(f"no row has {wanted}", hint="check the spelling of the value")
    return DataError(f"{source.files[0]} has no rows", hint="are all files empty?")


def _tallies(source: Source, plan: Plan, grid: Grid, batch: int) -> dict[Key, Tally]:
    """The first reading: counts and sums of every group."""
    tallies: dict[Key, Tally] = {}
    kernels, blank = plan.sums, Tally(grid)

    def work(rows: Batch) -> list[tuple[Key, Chunk]]:
        return [
            (key, chunk(kernels, tallies.get(key, blank), p, y, missing))
            for key, p, y, _, missing in columns(source, rows)
        ]

    for chunks in in_order(source.batches(batch), work):
        for key, one in chunks:
            tallies.setdefault(key, Tally(grid)).add(one)
    return tallies


def _shares(
    source: Source, tallies: Mapping[Key, Tally], tables: Mapping[Key, Mapping[str, Floats]], batch: int
) -> dict[Key, Shares]:
    """The second reading: what answers count in each metric, by groups of clusters.

    A group holds the clusters whose hash ends alike. Sums of groups of independent clusters are independent, and the
    squares of sums add up to the same variance on average (Wolter 2007, random groups); nothing has to be kept for a
    cluster, however many there are.
    """
    bins = next(iter(tallies.values())).grid.bins
    found = {
        key: Shares({name: np.zeros(bins) for name in table}, np.zeros(bins, dtype=np.intp))
        for key, table in tables.items()
    }

    def work(rows: Batch) -> list[tuple[Key, Ints | slice, dict[str, Floats], Ints]]:
        done = []
        for key, p, y, cluster, _ in columns(source, rows):
            # Files may write the same names in different types, whose hashes differ; whole numbers of any width agree.
            name = cluster if cluster.dtype.is_numeric() else cluster.cast(str)
            group = name.hash().to_numpy().view(np.int64) & (bins - 1)
            code = tallies[key].grid.codes(p, y)
            used: Ints | slice = slice(None)
            n = bins
            if len(group) < bins:  # with many keys a batch has few rows of each, and results wait for their turn
                some, group = np.unique(group, return_inverse=True)
                used, n = some, len(some)
            done.append((key, used, shared(tables[key], code, group, n), np.bincount(group, minlength=n)))
        return done

    for chunks in in_order(source.batches(batch), work):
        for key, used, added, rows in chunks:
            found[key].rows[used] += rows
            for name, sums in added.items():
                found[key].sums[name][used] += sums
    return found


def shared(tables: Mapping[str, Floats], code: Ints, group: Ints, groups: int) -> dict[str, Floats]:
    """What answers count in each metric, summed by group."""
    counts, found = np.empty(len(code)), {}
    for name, table in tables.items():
        np.take(table, code, out=counts, mode="clip")
        found[name] = np.asarray(np.bincount(group, counts, groups), dtype=np.float64)
    return found


def columns(source: Source, rows: Batch) -> Iterator[tuple[Key, Floats, Bools, pl.Series, int]]:
    """Yield per group of a batch: confidences and outcomes of complete rows, their clusters, the number of others."""
    named = source.columns
    for key, part in parts(source.clean(rows), source.by):
        both = [named.confidence, named.correct]
        complete = part.drop_nulls(both) if part.select(both).null_count().sum_horizontal().item() else part
        confidence, correct = complete[named.confidence].to_numpy(), complete[named.correct].to_numpy()
        cluster = complete[named.cluster or named.correct]
        yield tuple(key.items()), confidence, correct, cluster, part.height - complete.height


def in_order(items: Iterable[T], work: Callable[[T], U]) -> Iterator[U]:
    """Yield the results of work on all items in their order, a few of them under way at a time."""
    threads = min(8, os.cpu_count() or 1)
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[U]] = deque()
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

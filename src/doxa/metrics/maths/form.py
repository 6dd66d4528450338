"""Metrics of other columns than confidence and outcome: what each takes, and its number with an interval."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import inf, isnan
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from doxa import registry
from doxa.errors import DataError, UsageError
from doxa.metrics.maths.bootstrap import TIMES, draws, percentiles, row_weights
from doxa.metrics.maths.cells import Cells, distinct, ratio
from doxa.metrics.maths.checks import Bools, Floats, Ints, clusters
from doxa.metrics.maths.columns import Column, Column_, Kind, cleaned, in_order
from doxa.metrics.maths.intervals import Interval, clopper_pearson
from doxa.types import Measurement

Statistic = Callable[[Floats], Floats]
"""How often each row counts, (b, n), to one number for each of the b replicates; NaN where there is none."""
Values = Sequence[Any] | ArrayLike


@dataclass(frozen=True, slots=True)
class Form:
    """The constant `FORM` of a metric's file: its columns, its formula and what reports must know about it."""

    statistic: Callable[..., Statistic]
    """Clean columns (and knobs), by name, to a function of the rows' weights."""
    columns: Mapping[str, Column]
    better: Literal["low", "high", "zero"]
    bounds: tuple[float, float] = (-inf, inf)
    undefined: str = ""
    """When it does not exist."""
    cluster: str = ""
    """The column whose values are resampled together, unless another is named."""
    merges: bool = True
    """Whether a row of weight 2 is the same as two rows: then rows that are alike are computed once."""
    times: int = TIMES
    """Replicates of the bootstrap; fewer where each has to be computed alone."""
    share: bool = False
    """A share of rows: it has an exact interval where resampling shows no spread."""
    implements: tuple[str, ...] = ()
    """Ids of published systems."""
    coverage: str = "full"
    knobs: Mapping[str, Any] = field(default_factory=dict)
    """Knobs and their defaults."""

    @property
    def example(self) -> str:
        """What a file of such columns is usually called: objects are written in JSON lines."""
        return "log.jsonl" if any(column.kind is Kind.OPTIONS for column in self.columns.values()) else "log.csv"

    @property
    def reads(self) -> dict[str, str]:
        """The columns of such a file, and what they hold."""
        return {name: column.holds for name, column in self.columns.items()}

    def value(self, **given: Any) -> float:
        """Check columns and knobs, then apply the formula. Raises `DataError` where the metric does not exist."""
        columns = {name: given.pop(name) for name in self.columns if name in given}
        arrays, there, n = clean(self, {name: values for name, values in columns.items() if values is not None})
        if not n or not there.all():
            at = f"row {int(np.argmin(there))} has an empty cell" if n else "there are no rows"
            raise DataError(at, hint="drop missing rows first, or use measure_table, which counts them")
        statistic, counts, _ = _prepared(self, arrays, None, given)
        value = float(statistic(counts[None])[0])
        if isnan(value):
            raise DataError(f"undefined: {self.undefined}", hint="measure_table gives None and this reason instead")
        return value


def form(name: str) -> Form | None:
    """The form of a metric by name; `None` for metrics of confidence and outcome.

    Raises `UsageError` where there is no such metric.
    """
    found: Form | None = getattr(sys.modules[registry.find("metrics", name).__module__], "FORM", None)
    return found


def forms() -> list[str]:
    """Names of the metrics that have a form."""
    return [name for name in registry.names("metrics") if form(name) is not None]


def mean_of(values: Floats) -> Statistic:
    """The mean over rows; rows whose value is NaN do not count."""
    there = ~np.isnan(values)
    filled = np.where(there, values, 0.0)
    return lambda weights: ratio(weights @ filled, weights @ there.astype(np.float64))


def cells_of(confidence: Floats, correct: Bools) -> Callable[[Floats], Cells]:
    """A function of the rows' weights: right and wrong answers at each distinct confidence."""
    values, index = distinct(confidence)
    order = np.argsort(index, kind="stable")
    starts = np.searchsorted(index[order], np.arange(len(values)))

    def weighed(weights: Floats) -> Cells:
        right, wrong = ((weights * kept)[:, order] for kept in (correct, ~correct))
        return Cells(values, np.add.reduceat(right, starts, axis=1), np.add.reduceat(wrong, starts, axis=1))

    return weighed


def measure_table(
    columns: Mapping[str, Any],
    *,
    metrics: Iterable[str],
    cluster: Values | None = None,
    missing: int = 0,
    errors: int = 0,
    intervals: bool = True,
    seed: int = 0,
    place: Callable[[str, int], str] = "{}[{}]".format,
) -> list[Measurement]:
    """Measure the columns of a table, with 95 % intervals: the percentiles of the cluster bootstrap over its rows.

    A metric takes the columns named like its parameters; knobs are spelled out, `"refusal_index(silent=drop)"`. Rows
    with an empty cell are left out and counted as missing, besides those in `missing`, unless the metric says what an
    empty cell means. `place(column, row)` says in errors where a cell stands.

    Raises `UsageError` for an unknown metric, knob or column, `DataError` for a cell of another kind.
    """
    made = []
    for spelled in metrics:
        shape, knobs = formed(spelled)
        arrays, there, n = clean(shape, columns, place)
        units = _units(shape, cluster, arrays, n, place)
        kept = {name: array[there] for name, array in arrays.items()}
        counts = {"n": int(there.sum()), "missing": missing + int((~there).sum()), "errors": errors}
        made.append(
            _measured(spelled, shape, kept, knobs, None if units is None else units[there], counts, seed, intervals)
        )
    return made


def formed(spelled: str) -> tuple[Form, dict[str, Any]]:
    """The form of a metric spelled `name` or `name(knob=value)`, and the knobs. Raises `UsageError` for others."""
    name, knobs = registry.read(spelled)
    shape = form(name)
    if shape is None:
        raise UsageError(f"{name} is measured from confidences and outcomes", hint="measure takes these")
    for knob in knobs:
        if knob not in shape.knobs:
            raise UsageError(f"{name} has no knob {knob!r}", hint=f"its knobs: {', '.join(shape.knobs) or 'none'}")
    return shape, {knob: registry.like(shape.knobs[knob], value, knob) for knob, value in knobs.items()}


def clean(
    shape: Form, columns: Mapping[str, Values], place: Callable[[str, int], str] = "{}[{}]".format
) -> tuple[dict[str, Column_], Bools, int]:
    """Clean arrays of the columns that the form takes, the rows that are complete, and the number of rows."""
    arrays, there, n = {}, np.ones(0, dtype=bool), None
    for name, column in shape.columns.items():
        if name not in columns:
            if column.optional:
                continue
            raise UsageError(f"there is no column {name!r}", hint=f"it takes: {', '.join(shape.columns)}")
        values: Any = columns[name]
        listed = values.tolist() if isinstance(values, np.ndarray) else list(values)
        arrays[name], given = cleaned(column, listed, lambda row, name=name: place(name, row))  # type: ignore[misc]
        if n is None:
            n, there = len(listed), np.ones(len(listed), dtype=bool)
        if len(listed) != n:
            raise DataError(f"{name} has {len(listed)} rows and the columns before it {n}", hint="give one table")
        there &= given | column.empty
    return arrays, there, n or 0


def _prepared(
    shape: Form, arrays: dict[str, Column_], units: Ints | None, knobs: Mapping[str, Any]
) -> tuple[Statistic, Floats, Callable[[int], Iterator[Floats]]]:
    """The formula of sorted rows, how often each occurs, and a function of the seed: how often replicates draw them."""
    n = len(next(iter(arrays.values())))
    order, kind = in_order([*([] if units is None else [units]), *arrays.values()], n)
    if units is None and shape.merges:
        rows, counts = order[np.flatnonzero(np.diff(kind, prepend=-1))], np.bincount(kind).astype(np.float64)
        again = partial(draws, kind, len(counts))
    else:
        rows, counts = order, np.ones(n)
        again = partial(row_weights, n, None if units is None else units[order])
    return shape.statistic(**{name: array[rows] for name, array in arrays.items()}, **knobs), counts, again


def _units(
    shape: Form, cluster: Values | None, arrays: dict[str, Column_], n: int, place: Callable[[str, int], str]
) -> Any:
    """The names of the clusters, row by row; `None` where every row is its own. Raises `DataError` for empty ones."""
    names: Any = arrays.get(shape.cluster) if cluster is None else cluster
    if names is None:
        return None
    listed = names.tolist() if isinstance(names, np.ndarray) else list(names)
    if len(listed) != n:
        raise DataError(f"cluster has {len(listed)} names for {n} rows", hint="give one cluster name per row")
    if cluster is not None and any(each is None or each == "" for each in listed):
        at = next(row for row, each in enumerate(listed) if each is None or each == "")
        raise DataError(f"{place('cluster', at)} is empty", hint="every row needs the name of its cluster")
    return np.array([str(each) for each in listed])


def _measured(
    spelled: str,
    shape: Form,
    arrays: dict[str, Column_],
    knobs: dict[str, Any],
    names: Any,
    counts: dict[str, int],
    seed: int,
    intervals: bool,
) -> Measurement:
    """One metric of complete rows."""
    n = counts["n"]
    if not n:
        return Measurement(spelled, None, None, None, better=shape.better, reason="no row is complete", **counts)
    units = clusters(names, n)
    statistic, times, again = _prepared(shape, arrays, units, knobs)
    value = float(statistic(times[None])[0])
    if isnan(value):
        why = f"undefined: {shape.undefined}"
        return Measurement(spelled, None, None, None, better=shape.better, reason=why, **counts)
    drawn = n if units is None else int(units.max()) + 1
    ends = spread(statistic, drawn, again(seed), shape.times) if intervals else Interval(None, None, "")
    if intervals and shape.share and ends.low is None and drawn > 1:
        how = "Clopper-Pearson" if units is None else "Clopper-Pearson, one row a cluster"
        ends = Interval(*clopper_pearson(round(value * drawn), drawn), how)
    return Measurement(spelled, value, ends.low, ends.high, better=shape.better, reason=ends.how, **counts)


def spread(statistic: Statistic, count: int, weights: Iterator[Floats], times: int) -> Interval:
    """The percentile interval of the bootstrap over `count` units; none where resampling shows no spread."""
    if count < 2:
        return Interval(None, None, "no interval from one cluster")
    drawn: list[Floats] = []
    for chunk in weights:
        left = times - sum(map(len, drawn))
        if left <= 0:
            break
        drawn.append(statistic(chunk[:left]))
    ends = percentiles(np.concatenate(drawn))
    if ends is None:
        return Interval(None, None, "no interval: undefined in over a tenth of the bootstrap replicates")
    if ends[0] == ends[1]:
        return Interval(None, None, "no interval: all bootstrap replicates are alike")
    return Interval(*ends, f"bootstrap over {count} units, {sum(map(len, drawn))} replicates")

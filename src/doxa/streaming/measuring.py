"""From tallies to measurements: values, bounds of what bins hide, and intervals by formula."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from doxa.errors import UsageError
from doxa.metrics.maths.cells import Cells
from doxa.metrics.maths.checks import Floats, Ints
from doxa.metrics.maths.intervals import Interval
from doxa.metrics.maths.kernels import Places, Sums
from doxa.metrics.maths.measuring import default, measurement, within
from doxa.metrics.maths.rule import Rule, rule, rules
from doxa.streaming import places, sums
from doxa.streaming.tally import Tally, apart
from doxa.types import Measurement, Scale

ROUNDING = 1e-9
"""Intervals narrower than this show no spread but that of rounding."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be measured."""

    rules: dict[str, Rule]
    scale: Scale

    @property
    def sums(self) -> dict[str, Sums]:
        """Metrics of sums over answers: exact."""
        return {name: r.kernel for name, r in self._fit().items() if isinstance(r.kernel, Sums)}

    @property
    def places(self) -> dict[str, Places]:
        """Areas of a ranking: from bins."""
        return {name: r.kernel for name, r in self._fit().items() if isinstance(r.kernel, Places)}

    def _fit(self) -> dict[str, Rule]:
        return {name: r for name, r in self.rules.items() if self.scale is Scale.UNIT or r.scale is Scale.REAL}


@dataclass(frozen=True, slots=True)
class Point:
    """The value of one metric, how far the exact one may be, and what each kind of answer counts in it."""

    value: float
    bound: float | None = None
    """`None` where the value is exact."""
    slopes: tuple[Floats, Floats] | None = None
    """Of right and of wrong answers in each cell; `None` where there are none."""


@dataclass(frozen=True, slots=True)
class Shares:
    """What answers count in each metric, summed over groups of clusters."""

    sums: dict[str, Floats]
    rows: Ints
    """Answers in each group."""


def planned(metrics: Iterable[str] | None, scale: Scale) -> Plan:
    """The metrics to measure. Raises `UsageError` for those that cannot be computed in batches."""
    names = default(scale) if metrics is None else list(dict.fromkeys(metrics))
    chosen = {name: rule(name) for name in names}
    cannot = [name for name in names if not _streams(chosen[name])]
    if cannot:
        can = ", ".join(name for name in rules() if _streams(rule(name)))
        hint = f"--no-stream reads them all at once; in batches there are {can}"
        raise UsageError(f"{', '.join(cannot)} cannot be computed from batches of rows", hint=hint)
    return Plan(chosen, scale)


def _streams(r: Rule) -> bool:
    return isinstance(r.kernel, Sums | Places)


def points(plan: Plan, tally: Tally, intervals: bool) -> dict[str, Point]:
    """The metrics that exist of the rows of a tally; their slopes only if there are to be intervals."""
    if not tally.n:
        return {}
    cells, total = tally.cells(), tally.total()
    found: dict[str, Point] = {}
    for name, own in apart(plan.sums, total).items():
        kernel, flat = plan.sums[name], np.concatenate(own)
        value = float(sums.finished(kernel, kernel.parts(np.zeros(1)), np.asarray(float(tally.n)), flat))
        if not np.isnan(value):
            found[name] = Point(value, None, sums.slopes(kernel, cells, tally.n, flat) if intervals else None)
    mixed = tally.mixed[tally.filled()]
    for name, kernel_ in plan.places.items():
        area = places.area(kernel_, cells, mixed)
        if not np.isnan(area.value):
            found[name] = Point(area.value, area.bound, places.slopes(kernel_, cells) if intervals else None)
    return found


def tables(tally: Tally, points: Mapping[str, Point]) -> dict[str, Floats]:
    """What an answer counts in each metric that has slopes, (2 bins,): wrong and right ones of a bin, side by side."""
    bins, found = tally.filled(), {}
    for name, point in points.items():
        if point.slopes is not None:
            table = np.zeros((tally.grid.bins, 2))
            table[bins, 1], table[bins, 0] = point.slopes
            found[name] = table.ravel()
    return found


def measurements(
    plan: Plan, tally: Tally, points: Mapping[str, Point], ends: Mapping[str, Interval], independent: bool
) -> list[Measurement]:
    """Values with intervals and counts; of independent answers also the p of metrics that test calibration."""
    counts = {"n": tally.n, "missing": tally.missing, "errors": 0}
    if not tally.n:
        why = "no graded answer has a confidence"
        return [Measurement(n, None, None, None, better=r.better, reason=why, **counts) for n, r in plan.rules.items()]
    cells, made = tally.cells(), []
    for name, r in plan.rules.items():
        value = points[name].value if name in points else None
        p = r.p_value(cells) if r.p_value and independent and value is not None else None
        made.append(measurement(name, r, value, ends.get(name), p, counts))
    return made


def spread(
    plan: Plan, tally: Tally, points: Mapping[str, Point], shares: Shares | None, seed: int
) -> dict[str, Interval]:
    """Intervals by formula; `shares` where rows belong to clusters."""
    cells = tally.cells()
    found = {}
    for name, point in points.items():
        r = plan.rules[name]
        ends = _independent(r, point, cells, seed) if shares is None else _clustered(name, r, point, cells, shares)
        found[name] = within(r, ends)
    return found


def _independent(r: Rule, point: Point, cells: Cells, seed: int) -> Interval:
    """By the metric's own formula where it has one, else from the slopes.

    A distance from calibration begins at 0 where outcomes drawn from the confidences themselves reach it.
    """
    if r.interval is not None:
        low, high, how = r.interval(cells)
        if low is None or high is None:
            return Interval(low, high, how)
        moved = point.value - float(r.kernel(cells)) if isinstance(r.kernel, Sums) else 0.0
        return Interval(low + moved, high + moved, how)
    if point.slopes is None:
        return Interval(None, None, "no interval: under two right or two wrong answers")
    n = float(cells.total)
    variance = float(cells.right @ point.slopes[0] ** 2 + cells.wrong @ point.slopes[1] ** 2)
    low, high, how = _around(point.value, variance, n, "answers")
    if r.distance and isinstance(r.kernel, Sums) and low is not None:
        chance = sums.by_chance(r.kernel, cells, seed)
        if (chance >= point.value).mean() > 0.025:
            low = min(point.value, 0.0)
    return Interval(low, high, how)


def _clustered(name: str, r: Rule, point: Point, cells: Cells, shares: Shares) -> Interval:
    """From what groups of clusters count; where they show no spread, as if each were one answer."""
    groups = float(np.count_nonzero(shares.rows))
    if name not in shares.sums:
        return Interval(None, None, "no interval: under two right or two wrong answers")
    ends = _around(point.value, float((shares.sums[name] ** 2).sum()), groups, "groups of clusters")
    alike = ends.low is not None and ends.high is not None and ends.high - ends.low < ROUNDING
    if alike and r.interval is not None:
        share = groups / float(cells.total)
        low, high, how = r.interval(Cells(cells.confidence, share * cells.right, share * cells.wrong))
        return Interval(low, high, f"{how}, one answer a group of clusters")
    return ends


def _around(value: float, squares: float, units: float, what: str) -> Interval:
    """Student's t around a value, from the squares of what independent units count in it."""
    from scipy.special import stdtrit

    if units < 2:
        return Interval(None, None, f"no interval from one of the {what}")
    half = float(stdtrit(units - 1, 0.975)) * float(np.sqrt(squares * units / (units - 1)))
    return Interval(value - half, value + half, f"linearised, Student's t over {units:,.0f} {what}")

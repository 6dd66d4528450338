"""The only exit to reports: numbers with their intervals and counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.maths.bootstrap import calibrated, percentiles, resample
from doxa.metrics.maths.cells import Cells, group
from doxa.metrics.maths.checks import Bools, Floats, Ints, clusters, complete
from doxa.metrics.maths.intervals import Interval
from doxa.metrics.maths.rule import Rule, rule
from doxa.types import Measurement, Scale

DEFAULT = ("accuracy", "mean_confidence", "overconfidence", "brier_loss", "ece", "auroc", "aurc")
"""What is measured unless other metrics are named."""


def measure(
    *,
    confidence: Sequence[float | None] | ArrayLike,
    correct: Sequence[bool | None] | ArrayLike,
    cluster: Sequence[Any] | ArrayLike | None = None,
    metrics: Iterable[str] | None = None,
    scale: Scale = Scale.UNIT,
    missing: int = 0,
    errors: int = 0,
    intervals: bool = True,
    seed: int = 0,
) -> list[Measurement]:
    """Measure confidences against outcomes, with 95 % intervals.

    Rows without a confidence (`None`) are left out and counted as missing, besides those in `missing`; rows without an
    outcome are left out. Where answers are independent (no `cluster`, or one row in each) the interval is analytic
    when there is such a form; else it is the percentile interval of the cluster bootstrap. Of independent answers,
    metrics that have a test of calibration say its p in the reason. A metric that does not exist for these answers, or
    that needs a confidence in [0, 1] when `scale` is `REAL`, has no value and a reason.

    Raises `UsageError` for an unknown metric, `DataError` for bad values.
    """
    names = default(scale) if metrics is None else list(metrics)
    rules = {name: rule(name) for name in names}
    p, y, known, given = complete(confidence, correct, scale)
    counts = {"n": int(known.sum()), "missing": missing + int((~given).sum()), "errors": errors}
    if not counts["n"]:
        why = "no graded answer has a confidence"
        return [Measurement(n, None, None, None, better=r.better, reason=why, **counts) for n, r in rules.items()]
    units = clusters(cluster, len(p))
    if units is not None:
        units = clusters(units[known], counts["n"])
    cells = group(p[known], y[known])
    values = points(rules, cells, scale)
    ends = spread(rules, values, (p[known], y[known], units), seed) if intervals else {}
    alone = {name: r.p_value for name, r in rules.items() if units is None and values[name] is not None}
    tested = {name: p_value(cells) for name, p_value in alone.items() if p_value}
    return [measurement(name, rules[name], values[name], ends.get(name), tested.get(name), counts) for name in names]


def default(scale: Scale) -> list[str]:
    """The default metrics that can be computed on a scale."""
    return [name for name in DEFAULT if scale is Scale.UNIT or rule(name).scale is Scale.REAL]


def points(rules: dict[str, Rule], cells: Cells, scale: Scale) -> dict[str, float | None]:
    """Each metric's value, `None` where it does not exist."""
    values: dict[str, float | None] = {}
    for name, r in rules.items():
        value = np.nan if scale is Scale.REAL and r.scale is Scale.UNIT else float(r.kernel(cells))
        values[name] = None if np.isnan(value) else value
    return values


def spread(
    rules: dict[str, Rule], values: dict[str, float | None], data: tuple[Floats, Bools, Ints | None], seed: int
) -> dict[str, Interval]:
    """Each metric's interval: by formula where it has one and answers are independent, else by the bootstrap."""
    p, y, units = data
    named = {name: r for name, r in rules.items() if values[name] is not None}
    ends: dict[str, Interval] = {}
    if units is None:
        cells = group(p, y)
        ends = {name: within(r, r.interval(cells)) for name, r in named.items() if r.interval}
    rest = {name: r for name, r in named.items() if name not in ends}
    if not rest:
        return ends
    count = len(p) if units is None else int(units.max()) + 1
    if count < 2:
        return ends | dict.fromkeys(rest, Interval(None, None, "no interval from one cluster"))
    drawn = resample({name: r.kernel for name, r in rest.items()}, p, y, units, seed)
    distances = {name: r for name, r in rest.items() if r.distance and units is None}
    null = collect(distances, calibrated(group(p, y), seed)) if distances else {}
    how = f"bootstrap over {count} units, {len(next(iter(drawn.values())))} replicates"
    ends |= {name: _ends(r, values[name] or 0.0, drawn[name], null.get(name), how) for name, r in rest.items()}
    return ends | _widened(
        {name: r for name, r in rest.items() if r.interval and ends[name].low == ends[name].high}, data
    )


def _widened(rules: dict[str, Rule], data: tuple[Floats, Bools, Ints | None]) -> dict[str, Interval]:
    """Intervals by formula where the bootstrap found no spread at all, as if each cluster were one answer.

    Answers that are all wrong stay all wrong however they are resampled, and yet are no proof that none can be right.
    """
    p, y, units = data
    cells = group(p, y)
    share = 1.0 if units is None else (int(units.max()) + 1) / len(p)
    cells = Cells(cells.confidence, share * cells.right, share * cells.wrong)
    found = {name: within(r, r.interval(cells)) for name, r in rules.items() if r.interval}
    return {name: Interval(ends.low, ends.high, f"{ends.how}, one answer a cluster") for name, ends in found.items()}


def within(r: Rule, ends: Interval) -> Interval:
    """The interval cut to the values that the metric can have."""
    if ends.low is None or ends.high is None:
        return ends
    return Interval(max(ends.low, r.bounds[0]), min(ends.high, r.bounds[1]), ends.how)


def collect(rules: dict[str, Rule], chunks: Iterable[Cells]) -> dict[str, Floats]:
    """Values of several metrics on the same replicates."""
    found: dict[str, list[Floats]] = {name: [] for name in rules}
    for chunk in chunks:
        for name, r in rules.items():
            found[name].append(r.kernel(chunk))
    return {name: np.concatenate(parts) for name, parts in found.items()}


def _ends(r: Rule, value: float, drawn: Floats, null: Floats | None, how: str) -> Interval:
    """The percentile interval; for a distance from calibration the one reflected at its value.

    Resampling adds noise to a distance a second time, so its percentiles lie too high, by about as much as the value
    itself does: reflecting them takes that back. Where outcomes drawn from the confidences themselves reach the value
    (`null`), calibration is not refuted and the interval begins at 0.
    """
    ends = percentiles(drawn)
    if ends is None:
        return Interval(None, None, "no interval: undefined in over a tenth of the bootstrap replicates")
    if not r.distance:
        return Interval(*ends, how)
    low, high = min(value, max(0.0, 2 * value - ends[1])), max(value, min(r.bounds[1], 2 * value - ends[0]))
    if null is not None and (null >= value).mean() > 0.025:
        low = min(value, 0.0)
    return Interval(low, high, f"reflected {how}")


def measurement(
    name: str, r: Rule, value: float | None, ends: Interval | None, p: float | None, counts: dict[str, int]
) -> Measurement:
    """Put value, interval, the p of a test and counts together."""
    if value is None:
        why = r.undefined or "needs a confidence in [0, 1]: calibrate it first"
        return Measurement(name, None, None, None, better=r.better, reason=f"undefined: {why}", **counts)
    low, high, how = ends or Interval(None, None, "")
    if p is not None:
        how = "; ".join(filter(None, [how, f"p = {p:.2g} for calibration"]))
    return Measurement(name, value, low, high, better=r.better, reason=how, **counts)

"""The only exit to reports: numbers with their intervals and counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.maths.bootstrap import TIMES, percentiles, replicates
from doxa.metrics.maths.cells import Cells, group
from doxa.metrics.maths.checks import Bools, Floats, Ints, clusters, complete
from doxa.metrics.maths.intervals import Interval
from doxa.metrics.maths.rule import Kernel, Rule, rule
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
    when there is such a form; else it is the percentile interval of the cluster bootstrap. A metric that does not exist
    for these answers, or that needs a confidence in [0, 1] when `scale` is `REAL`, has no value and a reason.

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
    values = points(rules, group(p[known], y[known]), scale)
    ends = spread(rules, values, (p[known], y[known], units), seed) if intervals else {}
    return [_measurement(name, rules[name], values[name], ends.get(name), counts) for name in names]


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
        ends = {name: r.interval(cells) for name, r in named.items() if r.interval}
    rest = {name: r.kernel for name, r in named.items() if name not in ends}
    if rest:
        ends |= bootstrapped(rest, replicates(p, y, units, seed), len(p) if units is None else int(units.max()) + 1)
    return ends


def bootstrapped(kernels: dict[str, Kernel], chunks: Iterable[Any], units: int) -> dict[str, Interval]:
    """Percentile intervals of kernels over one set of replicates, made of `units` independent units."""
    if units < 2:
        return dict.fromkeys(kernels, Interval(None, None, "no interval from one cluster"))
    found: dict[str, list[Floats]] = {name: [] for name in kernels}
    for chunk in chunks:
        for name, kernel in kernels.items():
            found[name].append(kernel(chunk))
    return {name: _percentile_interval(np.concatenate(parts), units) for name, parts in found.items()}


def _percentile_interval(values: Floats, units: int) -> Interval:
    """The percentile interval, or why there is none."""
    ends = percentiles(values)
    if ends is None:
        return Interval(None, None, "no interval: undefined in over a tenth of the bootstrap replicates")
    return Interval(*ends, f"bootstrap over {units} units, {TIMES} replicates")


def _measurement(name: str, r: Rule, value: float | None, ends: Interval | None, counts: dict[str, int]) -> Measurement:
    """Put value, interval and counts together."""
    if value is None:
        why = r.undefined or "needs a confidence in [0, 1]: calibrate it first"
        return Measurement(name, None, None, None, better=r.better, reason=f"undefined: {why}", **counts)
    low, high, how = ends or Interval(None, None, "")
    return Measurement(name, value, low, high, better=r.better, reason=how, **counts)

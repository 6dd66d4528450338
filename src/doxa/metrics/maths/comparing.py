"""Which of two confidences about the same answers is better?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from doxa.errors import DataError
from doxa.metrics.maths.bootstrap import paired, percentiles
from doxa.metrics.maths.cells import distinct, group
from doxa.metrics.maths.checks import Bools, Floats, clusters, complete
from doxa.metrics.maths.intervals import Z
from doxa.metrics.maths.ranking import placements
from doxa.metrics.maths.rule import Rule, rule


@dataclass(frozen=True, slots=True)
class Difference:
    """Value of `a` minus value of `b` on the answers that both have a confidence for."""

    metric: str
    a: float | None
    b: float | None
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    """Two-sided probability of a difference this far from 0 if there were none."""
    n: int
    missing: int
    better: str
    reason: str = ""
    """How interval and p were made, or why there are none."""


def compare(
    a: Sequence[float | None] | ArrayLike,
    b: Sequence[float | None] | ArrayLike,
    *,
    correct: Sequence[bool | None] | ArrayLike,
    cluster: Sequence[Any] | ArrayLike | None = None,
    metric: str = "auroc",
    seed: int = 0,
) -> Difference:
    """Paired difference of a metric between two confidences about the same answers, with 95 % interval and p.

    AUROC of independent answers: DeLong, DeLong and Clarke-Pearson 1988. Everything else: percentiles of the paired
    cluster bootstrap, p from twice the smaller share of replicates on one side of 0. Rows where either confidence is
    `None` are left out and counted. Raises `UsageError` for an unknown metric, `DataError` for bad values.
    """
    r = rule(metric)
    first, y, known, given = complete(a, correct, r.scale)
    second, _, known_too, given_too = complete(b, correct, r.scale)
    if len(first) != len(second):
        raise DataError(f"a has {len(first)} values and b has {len(second)}", hint="compare works on the same answers")
    both = known & known_too
    units = clusters(cluster, len(both))
    units = None if units is None else clusters(units[both], int(both.sum()))
    pair, y = (first[both], second[both]), y[both]
    counts = int(both.sum()), int((~(given & given_too)).sum())
    one, other = (float(r.kernel(group(p, y))) if len(y) else np.nan for p in pair)
    if np.isnan([one, other]).any():
        why = f"undefined: {r.undefined or 'no graded answer has both confidences'}"
        return Difference(metric, None, None, None, None, None, None, *counts, r.better, why)
    if metric == "auroc" and units is None:
        low, high, p, how = _delong(pair, y)
    else:
        low, high, p, how = _bootstrap(r, pair, y, units, seed)
    return Difference(metric, one, other, one - other, low, high, p, *counts, r.better, how)


Answer = tuple[float | None, float | None, float | None, str]


def _delong(pair: tuple[Floats, Floats], correct: Bools) -> Answer:
    """Interval and p of a difference of two AUROCs, from the covariance of the placements."""
    from scipy.special import ndtr

    right, wrong = int(correct.sum()), int((~correct).sum())
    if min(right, wrong) < 2:
        return None, None, None, "no interval from one right or one wrong answer"
    gains = _row_placements(pair[0], correct) - _row_placements(pair[1], correct)
    difference = float(gains[correct].mean())
    variance = gains[correct].var(ddof=1) / right + gains[~correct].var(ddof=1) / wrong
    if variance == 0:
        same = None if difference else 1.0
        return difference, difference, same, "DeLong; no variance between the two"
    half = Z * float(np.sqrt(variance))
    p = 2 * float(ndtr(-abs(difference) / np.sqrt(variance)))
    return difference - half, difference + half, p, "DeLong, paired"


def _row_placements(confidence: Floats, correct: Bools) -> Floats:
    """Each answer's share of the answers of the other kind that it is ranked rightly against."""
    of_right, of_wrong = placements(group(confidence, correct))
    _, index = distinct(confidence)
    return np.where(correct, of_right[index], of_wrong[index])


def _bootstrap(r: Rule, pair: tuple[Floats, Floats], correct: Bools, units: Any, seed: int) -> Answer:
    """Interval and p from replicates of the difference."""
    if (len(correct) if units is None else int(units.max()) + 1) < 2:
        return None, None, None, "no interval from one cluster"
    chunks = paired(pair, correct, units, seed)
    values = np.concatenate([r.kernel(left) - r.kernel(right) for left, right in chunks])
    ends = percentiles(values)
    if ends is None:
        return None, None, None, "no interval: undefined in over a tenth of the bootstrap replicates"
    known = values[~np.isnan(values)]
    side = min((known <= 0).sum(), (known >= 0).sum())
    return *ends, min(1.0, 2 * float(side + 1) / (len(known) + 1)), "paired bootstrap"

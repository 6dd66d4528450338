"""Which of two confidences about the same answers, or of two models on the same questions, is better?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from doxa.errors import DataError
from doxa.metrics.maths.bootstrap import paired
from doxa.metrics.maths.cells import distinct, group
from doxa.metrics.maths.checks import Bools, Floats, Ints, clusters, complete
from doxa.metrics.maths.intervals import Z
from doxa.metrics.maths.power import Z_POWER
from doxa.metrics.maths.ranking import placements
from doxa.metrics.maths.rule import Rule, rule
from doxa.metrics.maths.verdicts import sign_flip, tango_clustered


@dataclass(frozen=True, slots=True)
class Difference:
    """Value of `a` minus value of `b` on the questions that both have a confidence for."""

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

    @property
    def detectable(self) -> float | None:
        """The smallest true difference that so many questions would show, at a level of 5 %, in 80 % of all cases.

        By the normal approximation, 2.80 standard errors: 1.43 times half the interval.
        """
        if self.low is None or self.high is None:
            return None
        return (self.high - self.low) / 2 * (1 + Z_POWER / Z)


def compare(
    a: Sequence[float | None] | ArrayLike,
    b: Sequence[float | None] | ArrayLike,
    *,
    correct: Sequence[bool | None] | ArrayLike,
    correct_b: Sequence[bool | None] | ArrayLike | None = None,
    cluster: Sequence[Any] | ArrayLike | None = None,
    metric: str = "auroc",
    seed: int = 0,
) -> Difference:
    """Paired difference of a metric between two confidences on the same questions, with 95 % interval and p.

    `correct` is about the answers of both, or of `a` alone where `correct_b` gives the outcomes of other answers, as
    of another model. Rows where a confidence or an outcome is `None` are left out; missing confidences are counted.

    AUROC: DeLong, DeLong and Clarke-Pearson 1988, in clusters Obuchowski 1997, with Student's t. The same sums over
    questions serve two models, whose placements differ together with their outcomes. Accuracy: Tango's score interval
    and McNemar's exact test, in clusters with the design effect and by flipping signs. Means over answers, as of Brier
    scores: Student's t over clusters. Everything else: Student's t with the standard error of the paired cluster
    bootstrap. It is too narrow, and its middle too near 0, where one of two distances from calibration such as `ece` is
    about 0 and the other is not: compare `brier_loss` instead.

    Raises `UsageError` for an unknown metric, `DataError` for bad values.
    """
    r = rule(metric)
    sides, known, missing = _sides((a, correct), (b, correct if correct_b is None else correct_b), r)
    n, units = int(known.sum()), clusters(cluster, len(known))
    units = None if units is None else clusters(units[known], n)
    values = [float(r.kernel(group(*side))) if n else np.nan for side in sides]
    if np.isnan(values).any():
        why = f"undefined: {r.undefined}" if n else "no graded answer has both confidences"
        return Difference(metric, None, None, None, None, None, None, n, missing, r.better, why)
    one, other = values
    found = _answer(metric, r, one - other, sides, units, seed)
    return Difference(metric, one, other, one - other, found.low, found.high, found.p, n, missing, r.better, found.how)


Side = tuple[Floats, Bools]
"""Confidences and outcomes of one side, row by row."""


class Answer(NamedTuple):
    """Interval and p, and how they were made or why there are none."""

    low: float | None
    high: float | None
    p: float | None
    how: str


def _sides(first: tuple[Any, Any], second: tuple[Any, Any], r: Rule) -> tuple[list[Side], Bools, int]:
    """Both sides on the rows that they share, which rows these are, and how many lack a confidence."""
    checked = [complete(confidence, correct, r.scale) for confidence, correct in (first, second)]
    lengths = [len(confidence) for confidence, *_ in checked]
    if lengths[0] != lengths[1]:
        raise DataError(
            f"a has {lengths[0]} values and b has {lengths[1]}", hint="compare works on the same questions, row by row"
        )
    known = checked[0][2] & checked[1][2]
    given = checked[0][3] & checked[1][3]
    return [(confidence[known], correct[known]) for confidence, correct, *_ in checked], known, int((~given).sum())


def _answer(metric: str, r: Rule, difference: float, sides: Sequence[Side], units: Ints | None, seed: int) -> Answer:
    """Interval and p by the way that suits the metric."""
    n = len(sides[0][0])
    count = n if units is None else int(units.max()) + 1
    if count < 2:
        return Answer(None, None, None, "no interval from one cluster")
    if metric == "auroc":
        return _areas(difference, sides, np.arange(n) if units is None else units)
    if metric == "accuracy":
        change = sides[0][1].astype(np.intp) - sides[1][1]
        low, high = tango_clustered(change, units)
        how = "Tango, exact McNemar" if units is None else "Tango with design effect, exact sign flips of clusters"
        return Answer(low, high, sign_flip(change, units), how)
    if r.parts is not None:
        return _means(r.parts, difference, sides, units)
    return _bootstrap(r, difference, sides, units, count, seed)


def _means(
    parts: Callable[[Floats], tuple[Floats, Floats]], difference: float, sides: Sequence[Side], units: Ints | None
) -> Answer:
    """Interval and p of a difference of two means over answers, from what each answer adds to it, summed by cluster."""
    one, other = (np.where(correct, *parts(confidence)) for confidence, correct in sides)
    added = one - other - difference
    sums = added if units is None else np.bincount(units, added)
    count = len(sums)
    error = float(np.sqrt(sums @ sums * count / (count - 1))) / len(added)
    if error < 1e-12:
        alike = "no question shows a difference" if difference == 0 else "every question shows the same difference"
        return Answer(None, None, None if difference else 1.0, f"no interval: {alike}")
    return _student(difference, error, count - 1, "Student's t" if units is None else f"Student's t, {count} clusters")


def _areas(difference: float, sides: Sequence[Side], units: Ints) -> Answer:
    """Interval and p of a difference of two AUROCs, from sums over clusters of what each row adds to it.

    Sums over right answers and over wrong ones have variances of their own and, inside clusters, a covariance.
    """
    (right, of_right), (wrong, of_wrong) = _contributions(sides)
    clusters_of = [len(np.unique(units[rows])) for rows in (of_right, of_wrong)]
    if min(clusters_of) < 2:
        return Answer(None, None, None, "no interval from one right or one wrong answer")
    sums = [np.bincount(units, added) for added in (right, wrong)]
    parts = [float(s @ s) * c / (c - 1) for s, c in zip(sums, clusters_of, strict=True)]
    everyone = len(sums[0])
    variance = sum(parts) + 2 * float(sums[0] @ sums[1]) * everyone / (everyone - 1)
    if variance < 1e-24:
        alike = "both rank these answers alike" if abs(difference) < 1e-12 else "every answer shows the same difference"
        return Answer(None, None, None if difference else 1.0, f"no interval: {alike}")
    freedom = sum(parts) ** 2 / sum(part**2 / (c - 1) for part, c in zip(parts, clusters_of, strict=True))
    how = "DeLong" if everyone == len(units) else f"DeLong, {everyone} clusters"
    return _student(difference, float(np.sqrt(variance)), min(freedom, everyone - 1), how)


def _contributions(sides: Sequence[Side]) -> list[tuple[Floats, Bools]]:
    """What each row adds to the difference as a right and as a wrong answer, and which rows are such for either side.

    A row's placement is its share of the answers of the other kind that it is ranked rightly against.
    """
    added = []
    for confidence, correct in sides:
        _, index = distinct(confidence)
        kinds = zip((correct, ~correct), placements(group(confidence, correct)), strict=True)
        placed = [(kind, share[index]) for kind, share in kinds]
        added.append([np.where(kind, share - share[kind].mean(), 0.0) / kind.sum() for kind, share in placed])
    (_, y), (_, z) = sides
    return [(added[0][0] - added[1][0], y | z), (added[0][1] - added[1][1], ~y | ~z)]


def _bootstrap(r: Rule, difference: float, sides: Sequence[Side], units: Ints | None, count: int, seed: int) -> Answer:
    """Student's t with the standard error that replicates of the difference show.

    Their percentiles are too close together for few clusters, and of distances from calibration off the middle.
    """
    drawn = np.subtract(*paired(r.kernel, sides, units, seed))
    known = drawn[~np.isnan(drawn)]
    if len(known) < 0.9 * len(drawn):
        return Answer(None, None, None, "no interval: undefined in over a tenth of the bootstrap replicates")
    if known.min() == known.max():
        alike = "no question shows a difference" if difference == 0 else "all bootstrap replicates are alike"
        return Answer(None, None, None if difference else 1.0, f"no interval: {alike}")
    error = float(known.std() * np.sqrt(count / (count - 1)))
    return _student(difference, error, count - 1, f"paired bootstrap over {count} units, {len(drawn)} replicates")


def _student(difference: float, error: float, freedom: float, how: str) -> Answer:
    """Interval and p from a standard error with so many degrees of freedom."""
    from scipy.special import stdtr, stdtrit

    half = float(stdtrit(freedom, 0.975)) * error
    return Answer(difference - half, difference + half, 2 * float(stdtr(freedom, -abs(difference) / error)), how)

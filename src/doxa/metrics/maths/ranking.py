"""Ranking by confidence, with ties: everything follows from cumulative sums over the cells.

Among tied answers every order is equally likely, so the expected number of errors grows linearly inside a cell. The
average over all orders of a sum over the curve therefore has a closed form, with harmonic numbers for risks.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from doxa.metrics.maths.cells import Cells, ratio
from doxa.metrics.maths.checks import Floats


class Curve(NamedTuple):
    """Answers and errors before and up to the end of each cell, the surest first; all (..., k)."""

    before: Floats
    upto: Floats
    errors_before: Floats
    errors_upto: Floats
    rate: Floats
    """Share of errors inside the cell, 0 where it is empty."""


def curve(cells: Cells) -> Curve:
    """Cumulative sums over the cells."""
    count = cells.count
    upto, errors = np.cumsum(count, -1), np.cumsum(cells.wrong, -1)
    return Curve(upto - count, upto, errors - cells.wrong, errors, ratio(cells.wrong, count, 0.0))


def placements(cells: Cells) -> tuple[Floats, Floats]:
    """For right answers in a cell the share of wrong ones below, for wrong ones that of right ones above; ties half."""
    wrong, right = cells.wrong.sum(-1, keepdims=True), cells.right.sum(-1, keepdims=True)
    below = wrong - np.cumsum(cells.wrong, -1) + cells.wrong / 2
    above = np.cumsum(cells.right, -1) - cells.right / 2
    return ratio(below, wrong), ratio(above, right)


def area_under_roc(right: Floats, wrong: Floats, places: Floats, _: Floats) -> Floats:
    """Share of (right, wrong) pairs in which the right answer is the surer one, from the sum of the wrong ones' places.

    The j-th wrong answer at place i has i - j right ones above it (Wilcoxon 1945).
    """
    return ratio(places - wrong * (wrong + 1) / 2, right * wrong)


def average_precision(cells: Cells) -> Floats:
    """Sum over thresholds of the gain in recall times precision; tied answers pass a threshold together."""
    precision = ratio(np.cumsum(cells.right, -1), np.cumsum(cells.count, -1), 0.0)
    return ratio((cells.right * precision).sum(-1), cells.right.sum(-1))


def mean_risk(right: Floats, wrong: Floats, earlier: Floats, table: Floats) -> Floats:
    """Mean over i = 1 … n of the share of errors among the i surest answers.

    An error at place i counts 1 / i + … + 1 / n = H(n) - H(i - 1) in all; `earlier` sums the latter over the errors,
    and `table` over the first places. Were all answers wrong the mean would be 1, which gives H(n) = 1 + table(n) / n.
    """
    n = right + wrong
    rate = ratio(wrong, n)
    return rate + ratio(rate * table[n.astype(np.intp)] - earlier, n)


def mean_accuracy(right: Floats, wrong: Floats, earlier: Floats, table: Floats) -> Floats:
    """Mean over i = 1 … n of the accuracy of the i surest answers."""
    return 1 - mean_risk(right, wrong, earlier, table)


def least_mean_risk(right: Floats, wrong: Floats, table: Floats) -> Floats:
    """`mean_risk` of the best order, all right answers before all wrong ones."""
    last = table[(right + wrong).astype(np.intp)] - table[right.astype(np.intp)]
    return mean_risk(right, wrong, last, table)


def accuracy_of_top(cells: Cells, coverage: float) -> Floats:
    """Expected accuracy of the ceil(coverage * n) surest answers."""
    at = curve(cells)
    wanted = np.maximum(np.ceil(coverage * cells.total - 1e-9), 1)[..., None]
    taken = np.clip(wanted - at.before, 0, cells.count)
    return 1 - ratio((taken * at.rate).sum(-1), taken.sum(-1))


def widest_coverage(cells: Cells, risk: float) -> Floats:
    """Largest share i / n, i = c + j, whose expected risk (E + j e) / (c + j) is at most `risk`; 0 if none is."""
    at = curve(cells)
    slack = risk * at.before - at.errors_before
    excess = at.rate - risk
    whole = at.errors_upto <= risk * at.upto + 1e-9
    some = np.floor(ratio(slack, excess, 0.0) + 1e-9)
    part = np.where(excess > 0, np.clip(some, 0, cells.count), 0.0)
    reached = np.where(whole, at.upto, np.where(part > 0, at.before + part, 0.0)) * (cells.count > 0)
    return ratio(reached.max(-1), cells.total)

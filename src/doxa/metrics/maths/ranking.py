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


def area_under_roc(cells: Cells) -> Floats:
    """Share of (right, wrong) pairs in which the right answer is the surer one; ties count half."""
    right, wrong = cells.right.sum(-1), cells.wrong.sum(-1)
    below = wrong[..., None] - np.cumsum(cells.wrong, -1) + cells.wrong / 2
    return ratio((cells.right * below).sum(-1), right * wrong)


def average_precision(cells: Cells) -> Floats:
    """Sum over thresholds of the gain in recall times precision; tied answers pass a threshold together."""
    precision = ratio(np.cumsum(cells.right, -1), np.cumsum(cells.count, -1), 0.0)
    return ratio((cells.right * precision).sum(-1), cells.right.sum(-1))


def mean_risk(cells: Cells) -> Floats:
    """Mean over i = 1 … n of the share of errors among the i surest answers, averaged over the orders of ties.

    The i-th answer of a cell with error rate e, entered after c answers with E errors, sees an expected risk of
    (E + i e) / (c + i) = e + (E - e c) / (c + i).
    """
    at = curve(cells)
    harmonic = _harmonic(int(at.upto.max()))
    growth = harmonic[at.upto.astype(np.intp)] - harmonic[at.before.astype(np.intp)]
    return ratio((cells.wrong + (at.errors_before - at.rate * at.before) * growth).sum(-1), cells.total)


def least_mean_risk(cells: Cells) -> Floats:
    """`mean_risk` of the best order, all right answers before all wrong ones: sum over i of i / (right + i), over n."""
    right, n = cells.right.sum(-1), cells.total
    harmonic = _harmonic(int(np.max(n)))
    growth = harmonic[n.astype(np.intp)] - harmonic[right.astype(np.intp)]
    return ratio(n - right - right * growth, n)


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


def _harmonic(n: int) -> Floats:
    """Harmonic numbers H(0) … H(n)."""
    return np.concatenate(([0.0], np.cumsum(1 / np.arange(1, n + 1))))

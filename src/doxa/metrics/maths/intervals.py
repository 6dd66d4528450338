"""95 % intervals that have a formula."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from doxa.metrics.maths.cells import Cells, average
from doxa.metrics.maths.checks import Floats
from doxa.metrics.maths.ranking import placements

Z = 1.959963984540054
"""The 97.5 % point of the standard normal distribution."""


class Interval(NamedTuple):
    """Lower and upper end, `None` where there is none, and how it was made (or why not)."""

    low: float | None
    high: float | None
    how: str


def wilson(successes: float, n: float) -> tuple[float, float]:
    """Interval of a share by inverting the score test (Wilson 1927)."""
    share = successes / n
    centre = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * np.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    low = 0.0 if successes == 0 else max(0.0, float(centre - half))
    high = 1.0 if successes == n else min(1.0, float(centre + half))
    return low, high


def clopper_pearson(successes: float, n: float, level: float = 0.95) -> tuple[float, float]:
    """Exact interval of a share (Clopper and Pearson 1934); each end alone holds at (1 + level) / 2."""
    from scipy.special import betaincinv

    tail = (1 - level) / 2
    low = 0.0 if successes == 0 else float(betaincinv(successes, n - successes + 1, tail))
    high = 1.0 if successes == n else float(betaincinv(successes + 1, n - successes, 1 - tail))
    return low, high


def student(cells: Cells, if_right: Floats, if_wrong: Floats) -> Interval:
    """Student's t interval of a mean over answers, as if one right and one wrong answer more had been seen.

    Those two, as sure as all answers are on the whole, stand for what few answers do not show: where nine of ten are
    right, the plain interval of the Brier score of 10 answers held the truth in 67 % of samples, this one in 99 %. The
    interval reaches at least to the mean itself.
    """
    from scipy.special import stdtrit

    n = float(cells.total)
    if n < 2:
        return Interval(None, None, "no interval from one answer")
    more = cells.count / n
    seen = Cells(cells.confidence, cells.right + more, cells.wrong + more)
    mean, value = float(average(seen, if_right, if_wrong)), float(average(cells, if_right, if_wrong))
    squares = seen.right @ (if_right - mean) ** 2 + seen.wrong @ (if_wrong - mean) ** 2
    half = float(stdtrit(n - 1, 0.975)) * float(np.sqrt(squares / (n + 1) / n))
    return Interval(min(value, mean - half), max(value, mean + half), "Student's t, one right and one wrong added")


def delong(cells: Cells) -> Interval:
    """Interval of the AUROC: DeLong, DeLong and Clarke-Pearson 1988 on the logit scale, made to hold for few answers.

    The estimated variance of placements that are nearly alike is too small or 0. So to the sum of squares of each kind
    one observation of the largest variance there is, AUROC (1 - AUROC), is added. In simulations with 10, 20 and 50
    answers, ties, rare errors and unequal spreads it then covered the truth in 94 % to 100 % of samples, and
    the plain interval in as few as 63 %. Where right and wrong are separated completely, min(right, wrong) disjoint
    pairs are independent trials that all came out alike, and Clopper-Pearson bounds their probability.
    """
    from scipy.special import expit, logit

    right, wrong = float(cells.right.sum()), float(cells.wrong.sum())
    if not right or not wrong:
        return Interval(None, None, "")
    of_right, of_wrong = placements(cells)
    area = float(cells.right @ of_right / right)
    if area in (0.0, 1.0):
        pairs = min(right, wrong)
        ends = clopper_pearson(area * pairs, pairs)
        return Interval(*ends, "Clopper-Pearson over disjoint pairs, as the separation is complete")
    most = area * (1 - area)
    variance = (cells.right @ (of_right - area) ** 2 + most) / right**2
    variance += (cells.wrong @ (of_wrong - area) ** 2 + most) / wrong**2
    half = Z * float(np.sqrt(variance)) / most
    return Interval(float(expit(logit(area) - half)), float(expit(logit(area) + half)), "DeLong, logit scale")

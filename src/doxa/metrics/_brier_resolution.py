"""The part of the Brier score that telling answers apart earns."""

from __future__ import annotations

from numpy.typing import ArrayLike

from doxa.metrics.maths.binning import equal_width
from doxa.metrics.maths.cells import ratio
from doxa.metrics.maths.checks import Floats
from doxa.metrics.maths.kernels import Part, Sums, count, excess, rights, squares
from doxa.metrics.maths.rule import Rule


def brier_resolution(*, confidence: ArrayLike, correct: ArrayLike, bins: int = 10) -> float:
    """Reliability + uncertainty - Brier score; higher is better, at most 1/4.

    With one distinct confidence per bin this is Murphy's sum of n_b / n (accuracy of the bin - accuracy)². Otherwise it
    also contains what the confidences tell apart inside a bin, so that `brier_loss` equals reliability - resolution +
    uncertainty exactly. Noise inside a bin can make it negative. Bins are those of `ece`.
    Source: Murphy 1973; within-bin terms: Stephenson, Coelho and Jolliffe 2008.

    >>> brier_resolution(confidence=[1.0, 1.0, 0.0, 0.0], correct=[1, 1, 0, 0])
    0.25
    """
    return RULE.value(confidence, correct, bins=bins)


def parts(confidence: Floats, bins: int = 10) -> tuple[Part, Part, Part, Part]:
    """Gaps and counts of the bins, right answers, the Brier score."""
    index = equal_width(confidence, bins)
    return excess(confidence, index, bins), count(confidence, index, bins), rights(confidence), squares(confidence)


def resolution(total: Floats, gaps: Floats, counts: Floats, right: Floats, brier: Floats) -> Floats:
    """The three-term identity solved for the resolution."""
    reliability = ratio(gaps**2, counts, 0.0).sum(-1)
    return ratio(reliability + right * (1 - ratio(right, total)) - brier, total)


RULE = Rule(Sums(parts, resolution), better="high", bounds=(-1.0, 0.25))

"""How much better than always saying the accuracy."""

from __future__ import annotations

from math import inf

from numpy.typing import ArrayLike

from doxa.metrics.maths.cells import ratio
from doxa.metrics.maths.checks import Floats
from doxa.metrics.maths.kernels import Part, Sums, rights, squares
from doxa.metrics.maths.rule import BOTH, Rule


def brier_skill_score(*, confidence: ArrayLike, correct: ArrayLike) -> float:
    """1 - `brier_loss` / `brier_uncertainty`, at most 1; higher is better.

    0 is as good as giving every answer the accuracy as its confidence, which only who knows the outcomes can do;
    negative is worse. Undefined unless some answers are right and some wrong. Source: Brier 1950; Murphy 1973.

    >>> brier_skill_score(confidence=[1.0, 0.5, 0.0, 0.5], correct=[1, 1, 0, 0])
    0.5
    """
    return RULE.value(confidence, correct)


def parts(confidence: Floats) -> tuple[Part, Part]:
    """Squared errors and right answers."""
    return squares(confidence), rights(confidence)


def skill(total: Floats, errors: Floats, right: Floats) -> Floats:
    """The share of the squared error of the accuracy that is saved."""
    return 1 - ratio(errors * total, right * (total - right))


RULE = Rule(Sums(parts, skill), better="high", bounds=(-inf, 1.0), undefined=BOTH)

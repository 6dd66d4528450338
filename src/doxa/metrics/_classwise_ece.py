"""Calibration error of every label's probability."""

from __future__ import annotations

from doxa.metrics.maths.class_errors import classwise, table
from doxa.metrics.maths.columns import Column, Column_, Kind
from doxa.metrics.maths.form import Form, Statistic, Values


def classwise_ece(*, options: Values, gold: Values, bins: int = 10) -> float:
    """Mean over labels of the `ece` of the label's probability, in [0, 1]; lower is better.

    `options` gives the probability of each label, `gold` the right one. A label that a question does not offer has
    probability 0 there. Source: Kull et al. 2019, arXiv 1910.12656.

    >>> classwise_ece(options=[{"A": 0.75, "B": 0.25}, {"A": 0.75, "B": 0.25}], gold=["A", "A"])
    0.25
    """
    return FORM.value(options=options, gold=gold, bins=bins)


def _statistic(options: Column_, gold: Column_, bins: int = 10) -> Statistic:
    return classwise(*table(options, gold), bins)


FORM = Form(
    _statistic,
    {"options": Column(Kind.OPTIONS), "gold": Column(Kind.LABELS)},
    better="low",
    bounds=(0.0, 1.0),
    knobs={"bins": 10},
)

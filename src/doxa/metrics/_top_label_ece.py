"""Calibration error of the likeliest label's probability, label by label."""

from __future__ import annotations

from doxa.metrics.maths.class_errors import table, top_label
from doxa.metrics.maths.columns import Column, Column_, Kind
from doxa.metrics.maths.form import Form, Statistic, Values


def top_label_ece(*, options: Values, gold: Values, bins: int = 10, even: bool = False) -> float:
    """`ece` of the likeliest label's probability among answers of the same label, in [0, 1]; lower is better.

    Averaged over answers, so that a label counts as often as it is the likeliest; `even=True` averages over the labels
    that are ever likeliest, as MAPIE does. Overconfidence in one letter cannot hide behind underconfidence in another.
    Source: Gupta and Ramdas 2022, Top-label calibration and multiclass-to-binary reductions, arXiv 2107.08353.

    >>> top_label_ece(options=[{"A": 0.75, "B": 0.25}, {"A": 0.25, "B": 0.75}], gold=["A", "A"])
    0.5
    """
    return FORM.value(options=options, gold=gold, bins=bins, even=even)


def _statistic(options: Column_, gold: Column_, bins: int = 10, even: bool = False) -> Statistic:
    return top_label(*table(options, gold), bins, even)


FORM = Form(
    _statistic,
    {"options": Column(Kind.OPTIONS), "gold": Column(Kind.LABELS)},
    better="low",
    bounds=(0.0, 1.0),
    knobs={"bins": 10, "even": False},
)

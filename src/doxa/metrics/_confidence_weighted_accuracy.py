"""Right answers counted by how sure they are."""

from __future__ import annotations

from doxa.metrics.maths.columns import Column, Column_, Kind
from doxa.metrics.maths.form import Form, Statistic, Values
from doxa.metrics.maths.options import mean_over


def confidence_weighted_accuracy(
    *, options: Values, gold: Values, idk: str = "", logs: bool = True, normalise: bool = True
) -> float:
    """Mean of the likeliest option's probability where it is right, and of 0 where it is not.

    Range [0, 1], higher is better. Columns and knobs are those of `distributional_correctness_score`, as is the source.

    >>> belief = {"A": 0.5, "B": 0.25, "IDK": 0.25}
    >>> confidence_weighted_accuracy(options=[belief, belief], gold=["A", "B"], logs=False)
    0.25
    """
    return FORM.value(options=options, gold=gold, idk=idk, logs=logs, normalise=normalise)


def _statistic(options: Column_, gold: Column_, idk: str = "", logs: bool = True, normalise: bool = True) -> Statistic:
    return mean_over(lambda m: m.top * m.top_right, options, gold, idk=idk, logs=logs, normalise=normalise)


FORM = Form(
    _statistic,
    {"options": Column(Kind.OPTIONS), "gold": Column(Kind.LABELS)},
    better="high",
    bounds=(0.0, 1.0),
    knobs={"idk": "", "logs": True, "normalise": True},
)

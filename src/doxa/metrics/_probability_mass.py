"""How much of the belief is on right answers?"""

from __future__ import annotations

from doxa.metrics.maths.columns import Column, Column_, Kind
from doxa.metrics.maths.form import Form, Statistic, Values
from doxa.metrics.maths.options import mean_over


def probability_mass(
    *, options: Values, gold: Values, idk: str = "", logs: bool = True, normalise: bool = True
) -> float:
    """Mean probability of the right option, or of all that are right.

    Range [0, 1], higher is better. Columns and knobs are those of `distributional_correctness_score`, as is the source.

    >>> probability_mass(options=[{"A": 0.5, "B": 0.25, "IDK": 0.25}], gold=[["A", "B"]], logs=False)
    0.75
    """
    return FORM.value(options=options, gold=gold, idk=idk, logs=logs, normalise=normalise)


def _statistic(options: Column_, gold: Column_, idk: str = "", logs: bool = True, normalise: bool = True) -> Statistic:
    return mean_over(lambda m: m.right, options, gold, idk=idk, logs=logs, normalise=normalise)


FORM = Form(
    _statistic,
    {"options": Column(Kind.OPTIONS), "gold": Column(Kind.LABELS)},
    better="high",
    bounds=(0.0, 1.0),
    knobs={"idk": "", "logs": True, "normalise": True},
)

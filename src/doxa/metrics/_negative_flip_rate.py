"""How often does an update make an answer worse?"""

from __future__ import annotations

import numpy as np

from doxa.metrics.maths.checks import Floats
from doxa.metrics.maths.columns import Column, Kind
from doxa.metrics.maths.form import Form, Statistic, Values, mean_of


def negative_flip_rate(*, old: Values, new: Values) -> float:
    """Share of questions on which the new model does worse than the old one.

    Range [0, 1], lower is better. `old` and `new` are verdicts, or scores such as ROUGE. Never below old minus new
    accuracy, as new minus old accuracy is the positive minus the negative flip rate. Source: MUSCLE: A Model Update
    Strategy for Compatible LLM Evolution.

    >>> negative_flip_rate(old=[True, True, False, False], new=[True, False, True, True])
    0.25
    """
    return FORM.value(old=old, new=new)


def _statistic(old: Floats, new: Floats) -> Statistic:
    return mean_of(np.where(new < old, 1.0, 0.0))


FORM = Form(
    _statistic,
    {"old": Column(Kind.SCORE), "new": Column(Kind.SCORE)},
    better="low",
    bounds=(0.0, 1.0),
    share=True,
    implements=("muscle-model-update",),
    coverage="partial: the metrics of two versions; without training the adapter",
)

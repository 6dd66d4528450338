"""Where an update makes an answer better, by how much?"""

from __future__ import annotations

import numpy as np

from doxa.metrics.maths.checks import Floats
from doxa.metrics.maths.columns import Column, Kind
from doxa.metrics.maths.form import Form, Statistic, Values, mean_of


def mean_gain(*, old: Values, new: Values) -> float:
    """Mean rise of the score among the questions on which the new model does better.

    Above 0, higher is better. Undefined where none is better. Columns are those of `negative_flip_rate`. Source:
    MUSCLE: A Model Update Strategy for Compatible LLM Evolution.

    >>> round(mean_gain(old=[0.5, 0.2, 0.4], new=[0.4, 0.4, 0.8]), 6)
    0.3
    """
    return FORM.value(old=old, new=new)


def _statistic(old: Floats, new: Floats) -> Statistic:
    return mean_of(np.where(new > old, new - old, np.nan))


FORM = Form(
    _statistic,
    {"old": Column(Kind.SCORE), "new": Column(Kind.SCORE)},
    better="high",
    bounds=(0.0, np.inf),
    undefined="no answer is better than before",
    implements=("muscle-model-update",),
    coverage="partial: the metrics of two versions; without training the adapter",
)

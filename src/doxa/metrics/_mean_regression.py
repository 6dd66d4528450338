"""Where an update makes an answer worse, by how much?"""

from __future__ import annotations

import numpy as np

from doxa.metrics.maths.checks import Floats
from doxa.metrics.maths.columns import Column, Kind
from doxa.metrics.maths.form import Form, Statistic, Values, mean_of


def mean_regression(*, old: Values, new: Values) -> float:
    """Mean fall of the score among the questions on which the new model does worse.

    Above 0, lower is better. Undefined where none is worse. Columns are those of `negative_flip_rate`. Source: MUSCLE:
    A Model Update Strategy for Compatible LLM Evolution.

    >>> round(mean_regression(old=[0.5, 0.2, 0.4], new=[0.4, 0.4, 0.8]), 6)
    0.1
    """
    return FORM.value(old=old, new=new)


def _statistic(old: Floats, new: Floats) -> Statistic:
    return mean_of(np.where(new < old, old - new, np.nan))


FORM = Form(
    _statistic,
    {"old": Column(Kind.SCORE), "new": Column(Kind.SCORE)},
    better="low",
    bounds=(0.0, np.inf),
    undefined="no answer is worse than before",
    implements=("muscle-model-update",),
    coverage="partial: the metrics of two versions; without training the adapter",
)

"""How often is an update's answer wrong and another than before?"""

from __future__ import annotations

import numpy as np

from doxa.metrics.maths.checks import Bools
from doxa.metrics.maths.columns import Column, Column_, Kind
from doxa.metrics.maths.form import Form, Statistic, Values, mean_of


def inconsistency_rate(*, old: Values, new: Values, correct: Values) -> float:
    """Share of questions that the new model gets wrong with another answer than the old one's.

    Range [0, 1], lower is better. To the negative flips it adds changes from one wrong answer to another. `old` and
    `new` are the answers as texts, `correct` whether the new one is right. Source: MUSCLE: A Model Update Strategy for
    Compatible LLM Evolution.

    >>> inconsistency_rate(old=["A", "B", "C", "A"], new=["A", "C", "B", "B"], correct=[True, False, True, False])
    0.5
    """
    return FORM.value(old=old, new=new, correct=correct)


def _statistic(old: Column_, new: Column_, correct: Bools) -> Statistic:
    return mean_of(np.where(~correct & (old != new), 1.0, 0.0))


FORM = Form(
    _statistic,
    {"old": Column(Kind.LABEL), "new": Column(Kind.LABEL), "correct": Column(Kind.TRUTH)},
    better="low",
    bounds=(0.0, 1.0),
    share=True,
    implements=("muscle-model-update",),
    coverage="partial: the metrics of two versions; without training the adapter",
)

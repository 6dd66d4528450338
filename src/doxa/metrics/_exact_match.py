"""How often is the amount exactly right?"""

from __future__ import annotations

import numpy as np

from doxa.metrics.maths.amounts import errors
from doxa.metrics.maths.columns import Column, Column_, Kind
from doxa.metrics.maths.form import Form, Statistic, Values, mean_of


def exact_match(*, predicted: Values, actual: Values) -> float:
    """Share of numbers, dates and durations that are exactly right; nothing predicted is wrong.

    Range [0, 1], higher is better. Source: Time to Revisit Exact Match; aauss/temporal-answer-qa.

    >>> exact_match(predicted=[2001, None, "2024-02-29", "1 day"], actual=[2001, 7, "2024-02-29", "1 day, 0:00:01"])
    0.5
    """
    return FORM.value(predicted=predicted, actual=actual)


def _statistic(predicted: Column_, actual: Column_) -> Statistic:
    return mean_of(np.where(errors(predicted, actual) == 0, 1.0, 0.0))


FORM = Form(
    _statistic,
    {"predicted": Column(Kind.AMOUNT, empty=True), "actual": Column(Kind.AMOUNT)},
    better="high",
    bounds=(0.0, 1.0),
    share=True,
    implements=("tempanswerqa",),
    coverage="partial: the scores of answers that are there; without the questions and how replies are read",
)

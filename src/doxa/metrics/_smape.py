"""How many per cent are numbers and durations off?"""

from __future__ import annotations

import numpy as np

from doxa.metrics.maths.amounts import CALENDAR, errors, percentages, sizes, units
from doxa.metrics.maths.columns import Column, Column_, Kind
from doxa.metrics.maths.form import Form, Statistic, Values, mean_of


def smape(*, predicted: Values, actual: Values, unit: Values | None = None) -> float:
    """Mean of 100 · |predicted − actual| / (|predicted| + |actual|).

    Range [0, 100], lower is better. Both 0 is 0; nothing predicted, or an amount of another kind, is 100. Amounts are
    numbers, or durations such as `3 days, 4:00:00`. Points in time have no zero to measure a percentage from: rows
    whose amount is a date, or whose `unit` is date, date_years or time, are left out. Undefined where all are.
    Source: Time to Revisit Exact Match; aauss/temporal-answer-qa.

    >>> smape(predicted=[2, 0, None, "3 days"], actual=[2, 0, 5, "1 day"])
    37.5
    """
    return FORM.value(predicted=predicted, actual=actual, unit=unit)


def _statistic(predicted: Column_, actual: Column_, unit: Column_ | None = None) -> Statistic:
    off = percentages(errors(predicted, actual), sizes(predicted), sizes(actual))
    points = np.isin(units(actual, None), CALENDAR) | np.isin(units(actual, unit), CALENDAR)
    return mean_of(np.where(points, np.nan, off))


FORM = Form(
    _statistic,
    {
        "predicted": Column(Kind.AMOUNT, empty=True),
        "actual": Column(Kind.AMOUNT),
        "unit": Column(Kind.LABEL, optional=True),
    },
    better="low",
    bounds=(0.0, 100.0),
    undefined="all amounts are points in time",
    implements=("tempanswerqa",),
    coverage="partial: the scores of answers that are there; without the questions and how replies are read",
)

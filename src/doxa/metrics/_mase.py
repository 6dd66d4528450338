"""How far off are numbers, dates and durations, measured by how far such amounts usually lie apart?"""

from __future__ import annotations

from typing import Literal

import numpy as np

from doxa.errors import UsageError
from doxa.metrics.maths.amounts import deviations, errors, scaled, sizes, units
from doxa.metrics.maths.cells import ratio
from doxa.metrics.maths.checks import Floats
from doxa.metrics.maths.columns import Column, Column_, Kind
from doxa.metrics.maths.form import Form, Statistic, Values, mean_of

Aggregate = Literal["ratio", "mean"]


def mase(*, predicted: Values, actual: Values, unit: Values | None = None, aggregate: Aggregate = "ratio") -> float:
    """Mean error over the mean deviation of the true amounts from the centre of their cluster.

    At least 0, lower is better: below 1 the predictions are nearer than the centre of what is usual for such amounts.
    Clusters are found among all true amounts of the same `unit` (without one: of dates, of durations, of numbers) by
    HDBSCAN, once: the interval takes them as they are. Rows without a prediction, or with one of another kind, do not
    count: `smape` and `exact_match` punish them. The authors' code stops at errors row by row; `aggregate="ratio"`
    divides the means, `"mean"` averages the ratios that are finite, which a few amounts near a centre may rule.
    Undefined where nothing deviates or nothing is predicted. Source: Time to Revisit Exact Match;
    aauss/temporal-answer-qa.

    >>> mase(predicted=[2001, 2005, None], actual=[2000, 2003, 2009])
    0.6
    """
    return FORM.value(predicted=predicted, actual=actual, unit=unit, aggregate=aggregate)


def _statistic(
    predicted: Column_, actual: Column_, unit: Column_ | None = None, aggregate: Aggregate = "ratio"
) -> Statistic:
    if aggregate not in ("ratio", "mean"):
        raise UsageError(f"aggregate is {aggregate!r}", hint="ratio of the means, or mean of the ratios")
    error, deviation = errors(predicted, actual), deviations(sizes(actual), units(actual, unit))
    if aggregate == "mean":
        off = scaled(error, deviation)
        return mean_of(np.where(np.isfinite(off), off, np.nan))
    there = ~np.isnan(error)
    error, deviation = np.where(there, error, 0.0), np.where(there, deviation, 0.0)

    def of_means(weights: Floats) -> Floats:
        return ratio(weights @ error, weights @ deviation)

    return of_means


FORM = Form(
    _statistic,
    {
        "predicted": Column(Kind.AMOUNT, empty=True),
        "actual": Column(Kind.AMOUNT),
        "unit": Column(Kind.LABEL, optional=True),
    },
    better="low",
    merges=False,
    bounds=(0.0, np.inf),
    undefined="nothing is predicted, or no true amount deviates from its centre",
    knobs={"aggregate": "ratio"},
    implements=("tempanswerqa",),
    coverage="partial: the scores of answers that are there; without the questions and how replies are read",
)

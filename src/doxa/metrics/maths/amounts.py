"""Errors of numbers, dates and durations, and how far amounts usually lie apart."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np

from doxa.errors import UsageError
from doxa.metrics.maths.checks import Floats, Ints
from doxa.metrics.maths.columns import Column_

CALENDAR = ("date", "date_years", "time")
"""Units of points in time: they have no zero, so that a percentage of them means nothing."""
DAY = dt.timedelta(days=1)
SHARE = 0.3
"""Of the amounts of a unit: the least size of a cluster."""


def units(actual: Column_, unit: Column_ | None) -> list[str]:
    """The unit of each amount: as given, else dates, durations and numbers."""
    if unit is not None:
        return [str(each) for each in unit]
    names: dict[type, str] = {dt.date: "date", dt.timedelta: "duration"}
    return [names.get(type(each), "number") for each in actual]


def errors(predicted: Column_, actual: Column_) -> Floats:
    """Absolute errors, those of dates and durations in days; NaN without a prediction, or with one of another kind."""
    apart = [_apart(guess, truth) for guess, truth in zip(predicted, actual, strict=True)]
    return np.array(apart, dtype=np.float64)


def sizes(amounts: Column_) -> Floats:
    """The amounts as numbers: durations in days, dates as days since the year 1; NaN where there is none."""
    return np.array([np.nan if each is None else _size(each) for each in amounts], dtype=np.float64)


def percentages(error: Floats, predicted: Floats, actual: Floats) -> Floats:
    """100 · error / (|predicted| + |actual|), 0 where both are 0, and 100 where nothing is predicted."""
    scale = np.abs(predicted) + np.abs(actual)
    known = np.where(scale > 0, 100 * error / np.where(scale > 0, scale, 1.0), 0.0)
    return np.where(np.isnan(error), 100.0, known)


def scaled(error: Floats, deviation: Floats) -> Floats:
    """Error over deviation: 0 where both are 0, infinite where only the deviation is; NaN without a prediction."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(error == 0, 0.0, error / deviation)


def deviations(actual: Floats, unit: list[str]) -> Floats:
    """How far each amount lies from the centre of the cluster it is in, among the amounts of its unit."""
    found = np.zeros(len(actual))
    for name in set(unit):
        rows = np.array([each == name for each in unit])
        found[rows] = np.abs(actual[rows] - centres(actual[rows]))
    return found


def centres(amounts: Floats) -> Floats:
    """For each amount the centre of its cluster, found by HDBSCAN with clusters of at least 30 % of the amounts.

    Amounts in no cluster go to the nearest centre; so few that a cluster could be one amount have their mean. The
    clusters depend on the order of rows, so amounts are sorted first. Campello, Moulavi and Sander 2013.
    """
    order = np.argsort(amounts, kind="stable")
    amounts, found = amounts[order], np.empty(len(amounts))
    least = int(SHARE * len(amounts))
    middle, label = _clusters(amounts, least) if least > 1 else (amounts[:0], np.full(len(amounts), -1))
    if not len(middle):
        middle = amounts.mean(keepdims=True)
    nearest = np.abs(amounts[:, None] - middle).argmin(1)
    found[order] = middle[np.where(label < 0, nearest, label)]
    return found


def _clusters(amounts: Floats, least: int) -> tuple[Floats, Ints]:
    """The clusters' centres, and the number of each amount's cluster; -1 is none."""
    try:
        from sklearn.cluster import HDBSCAN
    except ImportError:
        raise UsageError("mase finds clusters by scikit-learn", hint='pip install "doxa[dates]"') from None
    made = HDBSCAN(min_cluster_size=least, allow_single_cluster=True, store_centers="centroid", copy=True)
    made.fit(amounts[:, None])
    return made.centroids_[:, 0], made.labels_


def _apart(guess: Any, truth: Any) -> float:
    if guess is None or type(guess) is not type(truth):
        return float("nan")
    difference = abs(guess - truth)
    return float(difference / DAY if isinstance(difference, dt.timedelta) else difference)


def _size(amount: Any) -> float:
    if isinstance(amount, dt.date):
        return float(amount.toordinal())
    return float(amount / DAY if isinstance(amount, dt.timedelta) else amount)

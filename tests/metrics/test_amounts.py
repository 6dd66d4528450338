"""Errors of numbers, dates and durations: published values, edges, clusters."""

from __future__ import annotations

import builtins
import datetime as dt
from typing import Any

import numpy as np
import pytest
from sklearn.cluster import HDBSCAN

from doxa.errors import UsageError
from doxa.metrics import exact_match, mase, measure_table, smape
from doxa.metrics.maths.amounts import centres, deviations, errors, percentages, scaled

NAN = float("nan")
GUESSES = np.array([-967, -967, 1307, 1307, 0, 0, NAN])
TRUTHS = np.array([-967, 967, 1307, 1500, 0, 5, 5], dtype=float)


def test_published_percentages() -> None:
    found = percentages(np.abs(GUESSES - TRUTHS), GUESSES, TRUTHS)
    assert found == pytest.approx([0, 100, 0, 6.87566797, 0, 100, 100], abs=1e-8)
    guesses = [None if np.isnan(each) else each for each in GUESSES]
    assert smape(predicted=guesses, actual=TRUTHS) == pytest.approx(found.mean())
    assert exact_match(predicted=guesses, actual=TRUTHS) == pytest.approx(3 / 7)


def test_published_scaled_errors() -> None:
    deviation = np.array([20, 20, 1307, 250, 1, 1, 1], dtype=float)
    found = scaled(np.abs(GUESSES - TRUTHS), deviation)
    assert found == pytest.approx([0, 96.7, 0, 0.772, 0, 5, NAN], nan_ok=True)
    assert scaled(np.array([0.0, 1.0]), np.zeros(2)).tolist() == [0.0, np.inf]


def test_dates_and_durations_are_off_by_days() -> None:
    def column(*values: Any) -> Any:
        made = np.empty(len(values), dtype=object)
        made[:] = values
        return made

    day, span = dt.date(2024, 3, 1), dt.timedelta(hours=12)
    off = errors(column(dt.date(2024, 2, 28), span, 3.0, None), column(day, span * 3, day, day))
    assert off == pytest.approx([2, 1, NAN, NAN], nan_ok=True)


def test_points_in_time_have_no_percentage() -> None:
    predicted, actual = ["2024-01-01", 1984, 5, None], ["2024-01-05", 1985, 15, 3]
    assert smape(predicted=predicted[:3], actual=actual[:3], unit=["date", "date_years", "days"]) == 50
    assert smape(predicted=["2024-01-01", 5], actual=["2024-01-05", 15]) == 50
    columns: dict[str, Any] = {"predicted": predicted[:2], "actual": actual[:2], "unit": ["date", "date_years"]}
    [made] = measure_table(columns, metrics=["smape"])
    assert made.value is None and "points in time" in made.reason


def test_two_groups_of_amounts_have_two_centres_in_any_order() -> None:
    rng = np.random.default_rng(0)
    amounts = np.concatenate([1800 + 20 * rng.random(40), 2000 + 20 * rng.random(60)])
    found, order = centres(amounts), rng.permutation(100)
    assert np.allclose(found[amounts < 1900], amounts[amounts < 1900].mean(), atol=3)
    assert np.allclose(found[amounts > 1900], amounts[amounts > 1900].mean(), atol=3)
    assert (centres(amounts[order]) == found[order]).all()


def test_an_amount_in_no_cluster_goes_to_the_nearest() -> None:
    rng = np.random.default_rng(1)
    amounts = np.sort(np.concatenate([rng.normal(0, 1, 40), rng.normal(100, 1, 40), 400 * rng.random(20) - 200]))
    labels = HDBSCAN(min_cluster_size=30, allow_single_cluster=True, copy=True).fit(amounts[:, None]).labels_
    found, middle = centres(amounts), np.unique(centres(amounts))
    assert (labels == -1).sum() > 5 and labels.max() == 1 and len(middle) == 2
    lost = labels == -1
    assert (np.abs(amounts - found)[lost] == np.abs(amounts[:, None] - middle).min(1)[lost]).all()


def test_few_amounts_have_one_mean_and_units_stay_apart() -> None:
    assert centres(np.array([1.0, 2.0, 6.0])).tolist() == [3.0, 3.0, 3.0]
    found = deviations(np.array([1.0, 3.0, 100.0, 300.0]), ["days", "days", "years", "years"])
    assert found.tolist() == [1.0, 1.0, 100.0, 100.0]


def test_both_ways_to_average() -> None:
    columns: dict[str, Any] = {"predicted": [1, 5, 9, None], "actual": [2, 4, 6, 4], "unit": ["d"] * 4}
    assert mase(**columns) == pytest.approx((1 + 1 + 3) / (2 + 0 + 2))
    assert mase(**columns, aggregate="mean") == pytest.approx((0.5 + 1.5) / 2)
    with pytest.raises(UsageError, match="aggregate is 'median'"):
        mase(**columns, aggregate="median")


def test_a_guess_of_the_centre_scores_one() -> None:
    rng = np.random.default_rng(2)
    actual = np.concatenate([rng.normal(0, 1, 50), rng.normal(100, 1, 50)])
    assert mase(predicted=centres(actual), actual=actual) == pytest.approx(1.0)


def test_without_the_library_it_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    original = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.startswith("sklearn"):
            raise ImportError(name)
        return original(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UsageError, match="scikit-learn") as caught:
        mase(predicted=range(10), actual=range(1, 11))
    assert "doxa[dates]" in caught.value.hint


def test_nothing_to_measure_by_is_no_value() -> None:
    columns: dict[str, Any]
    for columns in ({"predicted": [1, 2], "actual": [3, 3]}, {"predicted": [None, None], "actual": [1, 2]}):
        [made] = measure_table(columns, metrics=["mase"])
        assert made.value is None and "nothing is predicted" in made.reason

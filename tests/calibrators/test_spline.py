"""The spline beside a basis written out, all orders of tied rows, and closed forms."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from doxa.calibrators.maths.hull import cumulated
from doxa.calibrators.spline import POINTS, Spline, slopes
from doxa.errors import UsageError


def natural(x: np.ndarray, knots: np.ndarray) -> np.ndarray:
    """Natural cubic splines by truncated powers (Hastie, Tibshirani and Friedman, section 5.2.1)."""

    def d(k: int) -> np.ndarray:
        cubes = np.maximum(x - knots[k], 0) ** 3 - np.maximum(x - knots[-1], 0) ** 3
        return cubes / (knots[-1] - knots[k])

    return np.column_stack([np.ones_like(x), x, *(d(k) - d(len(knots) - 2) for k in range(len(knots) - 2))])


def fitted_slopes(y: np.ndarray, knots: int) -> np.ndarray:
    """Of the curve through the cumulated outcomes in the order given, over each rank."""
    u, at = np.arange(len(y) + 1) / len(y), np.linspace(0, 1, knots)
    weights = np.linalg.lstsq(natural(u, at), cumulated(y) / len(y), rcond=None)[0]
    return np.diff(natural(u, at) @ weights) * len(y)


@pytest.mark.parametrize("knots", [2, 3, 6, 9])
def test_the_curve_is_the_natural_spline_of_least_squares(knots: int) -> None:
    rng = np.random.default_rng(knots)
    s = rng.permutation(80).astype(float)
    y = (rng.random(80) < s / 80).astype(float)
    expected = fitted_slopes(y[np.argsort(s)], knots)
    assert slopes(y[np.argsort(s)], np.ones(80), knots) == pytest.approx(expected, abs=1e-9)
    q = Spline(knots=knots).fit(confidence=s, correct=y).predict(confidence=np.arange(80))
    assert q == pytest.approx(np.clip(expected, 0, 1), abs=1e-9)


def test_ties_are_the_mean_of_all_their_orders() -> None:
    y = np.array([0.0, 1, 0, 0, 1, 1, 1, 1, 0, 1])
    tied = [3, 4, 5, 6]
    means = []
    for order in permutations(tied):
        rows = y.copy()
        rows[tied] = y[list(order)]
        by_rank = fitted_slopes(rows, 4)
        means.append([*by_rank[:3], by_rank[tied].mean(), *by_rank[7:]])
    s = np.array([0, 1, 2, 3, 3, 3, 3, 7, 8, 9])
    right, count = np.bincount(s, y)[[*range(4), 7, 8, 9]], np.bincount(s)[[*range(4), 7, 8, 9]].astype(float)
    assert slopes(right, count, 4) == pytest.approx(np.mean(means, axis=0), abs=1e-9)


def test_a_curve_of_the_rank_is_found() -> None:
    rng = np.random.default_rng(0)
    s = np.exp(rng.normal(size=20_000))
    truth = 0.2 + 0.6 * (np.argsort(np.argsort(s)) / 20_000) ** 2
    fitted = Spline().fit(confidence=s, correct=rng.random(20_000) < truth)
    assert np.abs(fitted.predict(confidence=s) - truth).mean() < 0.015
    assert len(fitted.to_json()["state"]["scores"]) <= POINTS


def test_it_may_fall() -> None:
    s = np.arange(400)
    q = Spline().fit(confidence=s, correct=s % 400 < 200).predict(confidence=[20.0, 380.0])
    assert q[0] > 0.9 and q[1] < 0.1


def test_many_ties_are_kept_among_many_scores() -> None:
    rng = np.random.default_rng(0)
    s = np.concatenate([rng.random(5000), np.full(2000, 0.437)])
    y = np.concatenate([np.arange(5000) % 2, np.ones(2000)])
    state = Spline().fit(confidence=s, correct=y).to_json()["state"]
    assert 0.437 in state["scores"]


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_few_answers_are_met_exactly(n: int) -> None:
    y = np.arange(n) % 2
    q = Spline().fit(confidence=np.arange(n), correct=y).predict(confidence=np.arange(n))
    assert q == pytest.approx(y, abs=1e-9)


def test_a_spline_has_ends() -> None:
    with pytest.raises(UsageError, match="knots=1"):
        Spline(knots=1)

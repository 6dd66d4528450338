"""Beta calibration beside scikit-learn's logistic regression on its features, scipy's bounded search, and borders."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from doxa.calibrators.beta import Beta


def state(p: Any, y: Any) -> tuple[float, float, float]:
    found = Beta().fit(confidence=p, correct=y).to_json()["state"]
    return found["a"], found["b"], found["c"]


def features(p: np.ndarray) -> np.ndarray:
    clipped = np.clip(p, 1e-6, 1 - 1e-6)
    return np.c_[np.log(clipped), -np.log(1 - clipped)]


def loss(curve: Any, p: np.ndarray, y: np.ndarray) -> float:
    z = features(p) @ np.asarray(curve[:2]) + curve[2]
    return float((np.logaddexp(0, z) - y * z).sum())


@pytest.mark.parametrize("seed", range(5))
def test_it_is_logistic_regression_on_two_logarithms(seed: int) -> None:
    rng = np.random.default_rng(seed)
    p = rng.beta(0.7, 0.7, 400)
    y = rng.random(400) < p
    theirs = LogisticRegression(C=np.inf, tol=1e-10, max_iter=5000).fit(features(p), y)
    assert (theirs.coef_ > 0).all()
    assert state(p, y) == pytest.approx((*theirs.coef_[0], theirs.intercept_[0]), abs=1e-5)


@pytest.mark.parametrize("seed", range(8))
def test_no_curve_that_never_falls_is_likelier(seed: int) -> None:
    rng = np.random.default_rng(seed)
    p = rng.beta(0.7, 0.7, 300)
    y = rng.random(300) < [0.2 + 0.9 * (p - 0.5) ** 2, 0.9 - 0.5 * p, p**3, 0.5 + 0 * p][seed % 4]
    bounds = [(0, None), (0, None), (None, None)]
    best = minimize(loss, [1.0, 1.0, 0.0], (p, y), bounds=bounds, options={"ftol": 1e-15, "gtol": 1e-9}).fun
    found = state(p, y)
    assert min(found[:2]) >= 0
    assert loss(found, p, y) == pytest.approx(best, abs=1e-5)


def test_one_negative_exponent_is_0_and_the_other_is_fitted_again() -> None:
    rng = np.random.default_rng(0)
    p = rng.beta(0.7, 0.7, 300)
    y = rng.random(300) < 0.2 + 0.9 * (p - 0.5) ** 2
    free = LogisticRegression(C=np.inf, tol=1e-10, max_iter=5000).fit(features(p), y).coef_[0]
    alone = LogisticRegression(C=np.inf, tol=1e-10, max_iter=5000).fit(features(p)[:, 1:], y)
    assert free[0] < 0 < free[1] and alone.coef_[0, 0] > 0
    assert state(p, y) == pytest.approx((0, alone.coef_[0, 0], alone.intercept_[0]), abs=1e-5)


def test_misleading_confidence_becomes_flat() -> None:
    assert state([0.1] * 5 + [0.9] * 5, [1, 1, 1, 1, 0, 0, 0, 0, 1, 0]) == pytest.approx((0, 0, 0), abs=1e-9)


def test_a_planted_curve_is_found() -> None:
    rng = np.random.default_rng(0)
    p = rng.beta(0.8, 0.8, 50_000)
    right = rng.random(50_000) < 1 / (1 + np.exp(-(features(p) @ [0.5, 2.0] + 0.3)))
    assert state(p, right) == pytest.approx((0.5, 2.0, 0.3), abs=0.08)


def test_separated_answers_and_certainties_stay_finite() -> None:
    low, half, high = Beta().fit(confidence=[0, 0.1, 0.9, 1], correct=[0, 0, 1, 1]).predict(confidence=[0.1, 0.5, 0.9])
    assert 0 < low < 0.001 and half == pytest.approx(0.5) and 0.999 < high < 1
    assert np.isfinite(state([0.0] * 4 + [1.0] * 4, [0, 0, 0, 1, 0, 1, 1, 1])).all()
    sure = Beta().fit(confidence=[0.0] * 4 + [1.0] * 4, correct=[0, 0, 0, 1, 0, 1, 1, 1])
    assert sure.predict(confidence=[0, 1]) == pytest.approx([0.25, 0.75], abs=1e-6)


@pytest.mark.parametrize(("outcome", "smoothed"), [(1, 0.8), (0, 0.2)])
def test_one_class_alone_is_softened_and_flat(outcome: int, smoothed: float) -> None:
    fitted = Beta().fit(confidence=[0.2, 0.5, 0.9], correct=[outcome] * 3)
    assert fitted.predict(confidence=[0.0, 0.5, 1.0]) == pytest.approx([smoothed] * 3)


@given(st.floats(0, 1))
def test_calibrated_confidence_is_left_as_it_is(p: float) -> None:
    grid = np.repeat(np.arange(1, 20) / 20, 20)
    outcomes = np.concatenate([np.arange(20) < i for i in range(1, 20)])
    fitted = Beta().fit(confidence=grid, correct=outcomes)
    assert fitted.predict(confidence=[p]) == pytest.approx([p], abs=2e-6)

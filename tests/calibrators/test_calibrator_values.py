"""Values from scikit-learn, closed forms, and cases at the border."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from sklearn.calibration import _SigmoidCalibration
from sklearn.isotonic import IsotonicRegression

from doxa.calibrators.histogram import Histogram
from doxa.calibrators.isotonic import Isotonic
from doxa.calibrators.platt import Platt
from doxa.calibrators.temperature import Temperature
from doxa.errors import UsageError

GRID = np.linspace(0, 1, 97)


def sample(seed: int, n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    p = rng.integers(0, 41, n) / 40
    return p, rng.random(n) < 0.1 + 0.7 * p


@pytest.mark.parametrize("seed", range(5))
def test_platt_is_scikit_learns(seed: int) -> None:
    p, y = sample(seed)
    theirs = _SigmoidCalibration().fit(p, y)
    ours = Platt().fit(confidence=p, correct=y)
    assert ours.predict(confidence=GRID) == pytest.approx(theirs.predict(GRID), abs=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_platt_zeroes_the_slope_of_its_loss(seed: int) -> None:
    p, y = sample(seed)
    q = Platt().fit(confidence=p, correct=y).predict(confidence=p)
    right, wrong = y.sum(), (~y).sum()
    target = np.where(y, (right + 1) / (right + 2), 1 / (wrong + 2))
    assert np.sum(q - target) == pytest.approx(0, abs=1e-6)
    assert np.sum((q - target) * p) == pytest.approx(0, abs=1e-6)


def test_platt_takes_any_scale_without_loss() -> None:
    p, y = sample(1)
    unit = Platt().fit(confidence=p, correct=y).predict(confidence=p)
    shifted = Platt().fit(confidence=1e6 + 1e3 * p, correct=y).predict(confidence=1e6 + 1e3 * p)
    assert shifted == pytest.approx(unit, abs=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_isotonic_is_scikit_learns(seed: int) -> None:
    p, y = sample(seed)
    theirs = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(p, y)
    ours = Isotonic().fit(confidence=p, correct=y)
    assert ours.predict(confidence=GRID * 1.4 - 0.2) == pytest.approx(theirs.predict(GRID * 1.4 - 0.2), abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_the_temperature_has_the_greatest_likelihood(seed: int) -> None:
    p, y = sample(seed)
    logit = np.log(np.clip(p, 1e-6, 1 - 1e-6) / np.clip(1 - p, 1e-6, 1 - 1e-6))

    def loss(beta: float) -> float:
        return float(np.logaddexp(0, np.where(y, -1, 1) * logit * beta).sum())

    best = minimize_scalar(loss, bounds=(0.001, 50), method="bounded", options={"xatol": 1e-10}).x
    state = Temperature().fit(confidence=p, correct=y).to_json()["state"]
    assert state["temperature"] == pytest.approx(1 / best, rel=1e-5)


def test_a_planted_temperature_is_found() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random(20_000)
    said = 1 / (1 + ((1 - truth) / truth) ** 2.5)
    state = Temperature().fit(confidence=said, correct=rng.random(20_000) < truth).to_json()["state"]
    assert state["temperature"] == pytest.approx(2.5, rel=0.05)


def test_a_histogram_answers_with_the_accuracy_of_the_bin() -> None:
    p, y = [0.05, 0.1, 0.3, 0.3, 0.7, 1.0], [0, 1, 1, 1, 0, 1]
    fitted = Histogram().fit(confidence=p, correct=y)
    assert fitted.predict(confidence=[0.0, 0.1, 0.25, 0.3, 0.65, 0.95]) == pytest.approx([0.5, 0.5, 1, 1, 0, 1])


def test_an_empty_bin_answers_with_the_overall_accuracy() -> None:
    fitted = Histogram().fit(confidence=[0.05, 0.95, 0.95], correct=[0, 1, 1])
    assert fitted.predict(confidence=[0.5]) == pytest.approx([2 / 3])
    smooth = Histogram(smoothing=1).fit(confidence=[0.05, 0.95, 0.95], correct=[0, 1, 1])
    assert smooth.predict(confidence=[0.05, 0.5, 0.95]) == pytest.approx([1 / 3, 2 / 3, (2 + 2 / 3) / 3])


def test_bins_of_equal_count_divide_the_answers() -> None:
    p = np.arange(1, 101) / 200
    fitted = Histogram(bins=4, equal="count").fit(confidence=p, correct=np.arange(100) >= 50)
    assert fitted.predict(confidence=[0.0, 0.125, 0.13, 0.25, 0.255, 1.0]) == pytest.approx([0, 0, 0, 0, 1, 1])


@pytest.mark.parametrize("knobs", [{"bins": 0}, {"equal": "size"}, {"smoothing": -1}])
def test_knobs_out_of_range_are_refused(knobs: Any) -> None:
    with pytest.raises(UsageError):
        Histogram(**knobs)


@pytest.mark.parametrize("kind", [Platt, Isotonic, Histogram])
def test_a_constant_confidence_becomes_the_accuracy(kind: Any) -> None:
    q = kind().fit(confidence=[0.8] * 10, correct=[1, 0] * 5).predict(confidence=[0.8])
    assert q == pytest.approx([0.5])


@pytest.mark.parametrize("outcome", [0, 1])
def test_one_class_alone_stays_finite(outcome: int) -> None:
    p, y = [0.2, 0.5, 0.9], [outcome] * 3
    smoothed = 4 / 5 if outcome else 1 / 5
    assert Platt().fit(confidence=p, correct=y).predict(confidence=[0.1, 0.9]) == pytest.approx([smoothed] * 2)
    assert Isotonic().fit(confidence=p, correct=y).predict(confidence=[0.1, 0.9]) == pytest.approx([outcome] * 2)


def test_perfect_separation_stays_finite() -> None:
    p, y = [0.1] * 5 + [0.9] * 5, [0] * 5 + [1] * 5
    low, high = Platt().fit(confidence=p, correct=y).predict(confidence=[0.1, 0.9])
    assert (low, high) == pytest.approx((1 / 7, 6 / 7), abs=1e-6)
    low, high = Temperature().fit(confidence=p, correct=y).predict(confidence=[0.1, 0.9])
    assert 0 <= low < 1e-6 and 1 - 1e-6 < high <= 1


def test_misleading_confidence_is_turned_round_by_platt_and_flattened_by_the_rest() -> None:
    p, y = [0.1] * 5 + [0.9] * 5, [1] * 5 + [0] * 5
    assert Platt().fit(confidence=p, correct=y).predict(confidence=[0.1])[0] > 0.8
    assert Isotonic().fit(confidence=p, correct=y).predict(confidence=[0.1, 0.9]) == pytest.approx([0.5, 0.5])
    assert Temperature().fit(confidence=p, correct=y).predict(confidence=[0.9])[0] == pytest.approx(0.5, abs=0.01)

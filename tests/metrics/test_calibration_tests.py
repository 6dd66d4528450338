"""Tests of calibration, errors without bins and debiased errors: MAPIE's published values, definitions, simulations."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from scipy import stats

from doxa import metrics
from doxa.errors import UsageError
from doxa.metrics.maths import calibration_tests as tests
from doxa.metrics.maths.cells import Cells, group
from doxa.metrics.maths.rule import rule

SEEDS = pytest.mark.parametrize("seed", range(5))


def mapies() -> tuple[np.ndarray, np.ndarray]:
    """The sample of MAPIE's own tests (tests/test_metrics.py) that is not calibrated."""
    rng = np.random.RandomState(1)
    y = rng.choice([0, 1], size=100)
    return rng.uniform(size=100), y == 1


def mapies_calibrated() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.RandomState(1)
    p = rng.uniform(size=100)
    return p, rng.uniform(size=100) <= p


def sample(seed: int, n: int = 120, steps: int = 12) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    p = rng.integers(0, steps + 1, n) / steps
    return p, rng.random(n) < 0.2 + 0.5 * p


def test_mapies_published_values_are_ours() -> None:
    p, y = mapies()
    scale = float(tests.length_scale(group(np.random.RandomState(1).uniform(size=100), y)))
    assert scale == pytest.approx(0.040389, abs=1e-6)
    scale = float(tests.length_scale(group(p, y)))
    assert metrics.ks_calibration_error(confidence=p, correct=y) / scale == pytest.approx(5.607741, abs=1e-6)
    without = metrics.kuiper_calibration_error(confidence=p, correct=y, from_zero=False)
    assert without / scale == pytest.approx(5.354395, abs=1e-6)
    assert metrics.spiegelhalter_z(confidence=p, correct=y) == pytest.approx(13.906833, abs=1e-6)
    for test in (tests.ks_p, tests.kuiper_p, rule("spiegelhalter_z").p_value):
        assert test is not None and test(group(p, y)) == pytest.approx(0, abs=1e-6)


def test_mapies_published_p_values_are_ours() -> None:
    p, y = mapies_calibrated()
    cells = group(p, y)
    scale = float(tests.length_scale(cells))
    assert tests.ks_p(cells) == pytest.approx(0.2148, abs=1e-6)
    assert tests.brownian_range(float(tests.kuiper_distance(cells, from_zero=False)) / scale) == pytest.approx(
        0.313006, abs=1e-6
    )
    # MAPIE's p of Spiegelhalter's z looks at one side only: it calls underconfidence, however strong, calibrated.
    z = metrics.spiegelhalter_z(confidence=p, correct=y)
    assert tests.tail(z) == pytest.approx(0.174832, abs=1e-6)
    assert rule("spiegelhalter_z").p_value(cells) == pytest.approx(2 * 0.174832, abs=1e-6)  # type: ignore[misc]


def test_the_range_of_a_curve_from_0_is_at_least_its_largest_absolute_value() -> None:
    """MAPIE leaves out the start of the curve, so that its Kuiper statistic is the smaller one on its own sample."""
    p, y = mapies()
    ks, kuiper = (getattr(metrics, f"{name}_calibration_error")(confidence=p, correct=y) for name in ("ks", "kuiper"))
    assert metrics.kuiper_calibration_error(confidence=p, correct=y, from_zero=False) < ks <= kuiper


def test_laws_of_brownian_motion_equal_their_published_values_and_other_series() -> None:
    assert 1 - tests.brownian_maximum(1) == pytest.approx(0.370777, abs=1e-6)
    assert 1 - tests.brownian_maximum(2) == pytest.approx(0.908999, abs=1e-6)
    assert 1 - tests.brownian_range(1) == pytest.approx(0.063365, abs=1e-6)
    k = np.arange(200) + 0.5
    for x in (0.2, 0.5, 1.0, 1.7, 3.0, 6.0):
        maximum = 2 / np.pi * np.sum((-1.0) ** (k - 0.5) / k * np.exp(-((k * np.pi / x) ** 2) / 2))
        spread = np.sum((8 / x**2 + 2 / (k * np.pi) ** 2) * np.exp(-2 * (k * np.pi / x) ** 2))
        assert tests.brownian_maximum(x) == pytest.approx(1 - maximum, abs=1e-12)
        assert tests.brownian_range(x) == pytest.approx(1 - spread, abs=1e-12)
    assert tests.brownian_maximum(0) == tests.brownian_range(0) == 1
    assert 0 < tests.brownian_maximum(8.0) < 1e-14


@SEEDS
def test_mapie_agrees_where_nothing_is_tied(seed: int) -> None:
    calibration = pytest.importorskip("mapie.metrics.calibration")
    rng = np.random.default_rng(seed)
    p = rng.random(300)
    y = rng.random(300) < p**1.2
    given, scale = {"confidence": p, "correct": y}, float(tests.length_scale(group(p, y)))
    theirs = [getattr(calibration, f"{name}_statistic") for name in ("kolmogorov_smirnov", "kuiper", "spiegelhalter")]
    ks, kuiper, z = (statistic(y.astype(float), p) for statistic in theirs)
    assert metrics.ks_calibration_error(**given) / scale == pytest.approx(ks, rel=1e-6)
    assert metrics.kuiper_calibration_error(**given, from_zero=False) / scale == pytest.approx(kuiper, rel=1e-6)
    assert metrics.spiegelhalter_z(**given) == pytest.approx(z, abs=1e-9)
    ps = [
        getattr(calibration, f"{name}_p_value")(y.astype(float), p) for name in ("kolmogorov_smirnov", "spiegelhalter")
    ]
    assert tests.ks_p(group(p, y)) == pytest.approx(ps[0], abs=1e-6)
    two = rule("spiegelhalter_z").p_value
    assert two is not None and two(group(p, y)) == pytest.approx(2 * min(ps[1], 1 - ps[1]), abs=1e-9)


def test_mapie_agrees_on_areas() -> None:
    uncertainty = pytest.importorskip("mapie.metrics.uncertainty")
    given = {"confidence": [0.1, 0.2, 0.8, 0.9], "correct": [0, 0, 1, 1]}
    assert metrics.auarc(**given) == pytest.approx(0.79167, abs=5e-6)
    rng = np.random.default_rng(3)
    p = rng.random(500)
    y = rng.random(500) < p
    assert metrics.auarc(confidence=p, correct=y) == pytest.approx(uncertainty.auarc(y, p), abs=1e-12)
    assert metrics.auroc(confidence=p, correct=y) == pytest.approx(uncertainty.auroc(y, p), abs=1e-12)


@SEEDS
def test_the_cumulative_errors_are_the_extremes_over_thresholds(seed: int) -> None:
    p, y = sample(seed)
    at = [0.0] + [float((y[p <= v] - p[p <= v]).sum()) / len(p) for v in np.unique(p)]
    assert metrics.ks_calibration_error(confidence=p, correct=y) == pytest.approx(max(map(abs, at)), abs=1e-12)
    apart = max(abs(a - b) for a, b in itertools.combinations(at, 2))
    assert metrics.kuiper_calibration_error(confidence=p, correct=y) == pytest.approx(apart, abs=1e-12)


@pytest.mark.parametrize("name", ["ks_calibration_error", "kuiper_calibration_error", "spiegelhalter_z"])
def test_p_is_uniform_if_calibrated_and_small_if_not(name: str) -> None:
    test = rule(name).p_value
    assert test is not None
    rng = np.random.default_rng(5)
    p = rng.random((400, 2000))
    calibrated = [test(group(row, rng.random(2000) < row)) for row in p]
    assert stats.kstest(calibrated, "uniform").pvalue > 0.001
    assert max(test(group(row, rng.random(2000) < row / 2)) or 0 for row in p[:20]) < 1e-6


def test_a_test_says_its_p_where_answers_are_independent() -> None:
    p, y = mapies_calibrated()
    names = ["ks_calibration_error", "kuiper_calibration_error", "spiegelhalter_z", "ece"]
    alone = metrics.measure(confidence=p, correct=y, metrics=names)
    assert [m.reason.endswith(" for calibration") for m in alone] == [True, True, True, False]
    assert alone[0].reason.endswith("; p = 0.21 for calibration")
    together = metrics.measure(confidence=p, correct=y, metrics=names, cluster=np.arange(100) // 2)
    assert not any("for calibration" in m.reason for m in together)
    sure = metrics.measure(confidence=[0.0, 1.0, 1.0], correct=[0, 1, 0], metrics=names)
    assert "for calibration" not in sure[0].reason and sure[2].value is None


def in_pairs(p: Any, y: Any, width: float) -> np.ndarray:
    excess = p - y
    weights = np.exp(-np.abs(p[:, None] - p) / width)
    return np.asarray(excess[:, None] * excess * weights)


@SEEDS
@pytest.mark.parametrize("width", [0.001, 0.05, 0.4, 10.0])
def test_kernel_errors_equal_their_sums_over_pairs(seed: int, width: float) -> None:
    p, y = sample(seed, steps=40)
    given, n = {"confidence": p, "correct": y, "width": width}, len(p)
    summed = in_pairs(p, y, width)
    assert metrics.mmce(**given) == pytest.approx(np.sqrt(summed.sum()) / n, abs=1e-12)
    assert metrics.kernel_calibration_error(**given, biased=True) == pytest.approx(summed.mean(), abs=1e-12)
    apart = (summed.sum() - np.trace(summed)) / (n * (n - 1))
    assert metrics.kernel_calibration_error(**given) == pytest.approx(apart, abs=1e-12)


def test_so_narrow_a_kernel_is_refused() -> None:
    for width in (0.0, -1.0, float("nan")):
        with pytest.raises(UsageError, match="width is"):
            metrics.mmce(confidence=[0.5], correct=[1], width=width)


@pytest.mark.parametrize("name", ["kernel_calibration_error", "debiased_squared_ece"])
def test_unbiased_errors_average_0_over_calibrated_worlds(name: str) -> None:
    rng = np.random.default_rng(8)
    p = np.sort(rng.random(30))[::-1]
    right = (rng.random((20_000, 30)) < p).astype(float)
    found = rule(name).kernel(Cells(p, right, 1 - right))
    # A bin of one answer counts 0 in the debiased error, which leaves the rest unbiased for a bin of equal confidences.
    if name == "debiased_squared_ece":
        found = rule(name).kernel(Cells(np.array([0.85, 0.35]), *two_levels(rng)))
    assert abs(found.mean()) < 4 * found.std() / np.sqrt(len(found))


def two_levels(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    right = rng.binomial(10, [0.85, 0.35], (20_000, 2)).astype(float)
    return right, 10 - right


@SEEDS
def test_the_debiased_error_equals_its_definition(seed: int) -> None:
    p, y = sample(seed, 25)
    bins = np.maximum(np.ceil(np.rint(p * 12) * 5 / 6 - 1e-9).astype(int) - 1, 0)
    total = 0.0
    for b in range(10):
        inside = bins == b
        if inside.sum() > 1:
            accuracy = y[inside].mean()
            chance = accuracy * (1 - accuracy) / (inside.sum() - 1)
            total += inside.mean() * ((p[inside].mean() - accuracy) ** 2 - chance)
    assert metrics.debiased_squared_ece(confidence=p, correct=y) == pytest.approx(total, abs=1e-12)


def released(p: np.ndarray, y: np.ndarray, size: int, last: bool) -> float:
    """The error in bins of `size` answers of rising confidence, as its authors' code cuts them."""
    order = np.argsort(p)
    cuts = [size * i for i in range(1, max(len(p) // size, 1))]
    parts = list(zip(np.split(p[order], cuts), np.split(y[order], cuts), strict=True))
    kept = parts if last else parts[:-1]
    return float(np.sqrt(sum(len(a) * (a.mean() - b.mean()) ** 2 for a, b in kept) / len(p)))


@pytest.mark.parametrize("n", [1, 40, 99, 100, 199, 250, 1000])
def test_the_root_mean_square_error_equals_its_definition(n: int) -> None:
    rng = np.random.default_rng(n)
    p = rng.random(n)
    y = rng.random(n) < p**2
    assert metrics.rms_calibration_error(confidence=p, correct=y) == pytest.approx(released(p, y, 100, True), abs=1e-12)
    without = metrics.rms_calibration_error(confidence=p, correct=y, as_released=True)
    assert without == pytest.approx(released(p, y, 100, False), abs=1e-12)
    with pytest.raises(UsageError, match="bins of 0"):
        metrics.rms_calibration_error(confidence=p, correct=y, size=0)


@SEEDS
def test_the_skill_is_the_gain_over_the_accuracy(seed: int) -> None:
    sk = pytest.importorskip("sklearn.metrics")
    p, y = sample(seed)
    expected = 1 - sk.brier_score_loss(y, p) / sk.brier_score_loss(y, np.full(len(y), y.mean()))
    assert metrics.brier_skill_score(confidence=p, correct=y) == pytest.approx(expected, abs=1e-12)
    assert metrics.brier_skill_score(confidence=np.full(len(y), y.mean()), correct=y) == pytest.approx(0, abs=1e-12)

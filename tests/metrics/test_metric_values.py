"""Values from elsewhere: closed forms, scikit-learn, MAPIE, and brute force over all orders of ties."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm
from sklearn import metrics as sk

from doxa import metrics
from doxa.errors import UsageError


def sample(seed: int, n: int = 300, steps: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """Random data with many ties and confidences on bin edges."""
    rng = np.random.default_rng(seed)
    p = rng.integers(0, steps + 1, n) / steps
    return p, rng.random(n) < 0.2 + 0.5 * p


SEEDS = pytest.mark.parametrize("seed", range(5))


@SEEDS
def test_scikit_learn_agrees(seed: int) -> None:
    p, y = sample(seed)
    given = {"confidence": p, "correct": y}
    assert metrics.auroc(**given) == pytest.approx(sk.roc_auc_score(y, p), abs=1e-12)
    assert metrics.auprc(**given) == pytest.approx(sk.average_precision_score(y, p), abs=1e-12)
    assert metrics.auprc_error(**given) == pytest.approx(sk.average_precision_score(~y, -p), abs=1e-12)
    assert metrics.brier_loss(**given) == pytest.approx(sk.brier_score_loss(y, p), abs=1e-12)
    assert metrics.accuracy(**given) == pytest.approx(sk.accuracy_score(y, np.ones_like(y)), abs=1e-12)
    assert metrics.log_loss(**given) == pytest.approx(sk.log_loss(y, p), abs=1e-9)


@SEEDS
@pytest.mark.parametrize("bins", [1, 2, 5, 10, 15])
def test_mapie_agrees_with_one_bin_more(seed: int, bins: int) -> None:
    # Its num_bins counts the edges, and exact zeros get a bin of their own: so none are drawn.
    calibration = pytest.importorskip("mapie.metrics.calibration")
    rng = np.random.default_rng(seed)
    p = rng.random(400)
    y = rng.random(400) < p**2
    theirs = calibration.expected_calibration_error(y.astype(int), p, num_bins=bins + 1, split_strategy="uniform")
    assert metrics.ece(confidence=p, correct=y, bins=bins) == pytest.approx(theirs, abs=1e-9)


def by_hand(p: np.ndarray, y: np.ndarray, bins: int, right_closed: bool) -> list[tuple[int, float, float]]:
    """Count, mean confidence and accuracy of the bins, from their definition in whole numbers of 1 / 20."""
    ticks = np.rint(p * 20).astype(int)
    found = []
    for b in range(bins):
        low, high = 20 * b / bins, 20 * (b + 1) / bins
        if right_closed:
            inside = (ticks > low) & (ticks <= high) | ((ticks == 0) & (b == 0))
        else:
            inside = (ticks >= low) & (ticks < high) | ((ticks == 20) & (b == bins - 1))
        if inside.any():
            found.append((int(inside.sum()), float(p[inside].mean()), float(y[inside].mean())))
    return found


@SEEDS
@pytest.mark.parametrize("edges", ["right", "left"])
@pytest.mark.parametrize("bins", [1, 4, 5, 10])
def test_binned_errors_equal_their_definition(seed: int, edges: Any, bins: int) -> None:
    p, y = sample(seed)
    parts = by_hand(p, y, bins, edges == "right")
    ece = sum(n * abs(c - a) for n, c, a in parts) / len(p)
    assert metrics.ece(confidence=p, correct=y, bins=bins, edges=edges) == pytest.approx(ece, abs=1e-12)
    assert metrics.mce(confidence=p, correct=y, bins=bins, edges=edges) == pytest.approx(
        max(abs(c - a) for _, c, a in parts), abs=1e-12
    )
    if edges == "right":
        reliability = sum(n * (c - a) ** 2 for n, c, a in parts) / len(p)
        assert metrics.brier_reliability(confidence=p, correct=y, bins=bins) == pytest.approx(reliability, abs=1e-12)


@pytest.mark.parametrize("bins", range(2, 101))
def test_every_edge_closes_the_bin_below_it_or_opens_the_one_above(bins: int) -> None:
    from doxa.metrics.maths.binning import equal_width

    numbers = np.arange(1, bins)
    assert (equal_width(numbers / bins, bins) == numbers - 1).all()
    assert (equal_width(numbers / bins, bins, "left") == numbers).all()


@pytest.mark.parametrize("tenths", range(11))
def test_exact_fractions_fall_in_the_bin_they_close(tenths: int) -> None:
    from doxa.metrics.maths.binning import equal_width

    assert equal_width(np.array([tenths / 10]), 10)[0] == max(tenths - 1, 0)
    assert equal_width(np.array([tenths / 10]), 10, "left")[0] == min(tenths, 9)


def test_what_exceeds_an_edge_by_a_bit_is_above_it() -> None:
    from doxa.metrics.maths.binning import equal_width

    assert equal_width(np.array([0.3, 0.1 + 0.2]), 10).tolist() == [2, 3]


def test_the_edge_rule_decides_a_known_case() -> None:
    p, y = [0.4] * 50 + [0.3] * 50, [1] * 50 + [0] * 50
    assert metrics.ece(confidence=p, correct=y, bins=5) == pytest.approx(0.15)
    assert metrics.ece(confidence=p, correct=y, bins=5, edges="left") == pytest.approx(0.45)


@SEEDS
def test_the_brier_score_is_reliability_minus_resolution_plus_uncertainty(seed: int) -> None:
    p, y = sample(seed, steps=37)
    parts = [
        getattr(metrics, f"brier_{name}")(confidence=p, correct=y)
        for name in ("reliability", "resolution", "uncertainty")
    ]
    assert metrics.brier_loss(confidence=p, correct=y) == pytest.approx(parts[0] - parts[1] + parts[2], abs=1e-12)


def test_resolution_is_murphys_where_each_bin_holds_one_confidence() -> None:
    p, y = sample(7, steps=10)
    p = np.where(p == 0, 0.1, p)
    murphy = sum((p == v).mean() * (y[p == v].mean() - y.mean()) ** 2 for v in np.unique(p))
    assert metrics.brier_resolution(confidence=p, correct=y) == pytest.approx(murphy, abs=1e-12)


def test_bins_of_equal_count_without_ties_are_those_of_a_split() -> None:
    rng = np.random.default_rng(3)
    p = np.sort(rng.random(200))
    y = rng.random(200) < p
    parts = zip(np.array_split(p, 10), np.array_split(y, 10), strict=True)
    expected = sum(len(a) * abs(a.mean() - b.mean()) for a, b in parts) / 200
    assert metrics.adaptive_ece(confidence=p, correct=y) == pytest.approx(expected, abs=1e-12)


def test_bins_of_equal_count_keep_ties_together() -> None:
    # 2 of 8 at 0.2 and 6 at 0.9: two bins would cut the six; the middle of the tie decides.
    p, y = [0.2] * 2 + [0.9] * 6, [0, 0, 1, 1, 1, 0, 0, 1]
    assert metrics.adaptive_ece(confidence=p, correct=y, bins=2) == pytest.approx((2 * 0.2 + 6 * (0.9 - 4 / 6)) / 8)


def orders(p: list[float], y: list[int]) -> list[list[int]]:
    """Outcomes in every order that ranks by confidence, each order of ties once per permutation."""
    levels = [[b for a, b in zip(p, y, strict=True) if a == v] for v in sorted(set(p), reverse=True)]
    return [
        list(itertools.chain(*parts))
        for parts in itertools.product(*(itertools.permutations(level) for level in levels))
    ]


TIED = [
    ([0.9, 0.9, 0.9, 0.5, 0.5, 0.1], [1, 0, 1, 1, 0, 0]),
    ([0.5] * 5, [1, 0, 1, 1, 0]),
    ([0.8, 0.8, 0.6, 0.6, 0.6, 0.6], [0, 0, 1, 1, 1, 0]),
    ([0.1, 0.2, 0.3, 0.4], [1, 1, 0, 0]),
    ([0.7, 0.7, 0.2, 0.2, 0.2, 0.9, 0.9], [1, 1, 0, 1, 0, 1, 0]),
]


def test_selective_auc_is_the_mean_of_the_accuracies_of_the_surest() -> None:
    area = metrics.selective_auc(confidence=[0.9, 0.8, 0.7, 0.6], correct=[1, 1, 0, 1])
    assert area == pytest.approx((1 + 1 + 2 / 3 + 3 / 4) / 4) == pytest.approx(0.854167, abs=5e-7)


@pytest.mark.parametrize(("p", "y"), TIED)
def test_areas_are_averages_over_all_orders_of_ties(p: list[float], y: list[int]) -> None:
    def area(outcomes: list[int]) -> float:
        return float(np.mean(1 - np.cumsum(outcomes) / np.arange(1, len(outcomes) + 1)))

    mean, best = np.mean([area(o) for o in orders(p, y)]), area(sorted(y, reverse=True))
    chance = np.mean([area(list(o)) for o in itertools.permutations(y)])
    given = {"confidence": p, "correct": y}
    assert metrics.aurc(**given) == pytest.approx(mean, abs=1e-12)
    assert metrics.selective_auc(**given) == pytest.approx(1 - mean, abs=1e-12)
    assert metrics.excess_aurc(**given) == pytest.approx(mean - best, abs=1e-12)
    assert metrics.prr(**given) == pytest.approx((chance - mean) / (chance - best), abs=1e-12)


@pytest.mark.parametrize(("p", "y"), TIED)
@pytest.mark.parametrize("level", [0.01, 0.2, 0.25, 0.4, 0.5, 0.8, 1.0])
def test_points_of_the_curve_are_averages_over_all_orders_of_ties(p: list[float], y: list[int], level: float) -> None:
    n = len(p)
    risks = np.mean([1 - np.cumsum(o) / np.arange(1, n + 1) for o in orders(p, y)], axis=0)
    top = max(1, int(np.ceil(level * n - 1e-9)))
    assert metrics.accuracy_at_coverage(confidence=p, correct=y, coverage=level) == pytest.approx(
        1 - risks[top - 1], abs=1e-12
    )
    widest = max([i + 1 for i in range(n) if risks[i] <= level + 1e-9], default=0) / n
    assert metrics.coverage_at_risk(confidence=p, correct=y, risk=level) == pytest.approx(widest, abs=1e-12)


def test_knobs_out_of_range_are_refused() -> None:
    given = {"confidence": [0.5, 0.6], "correct": [1, 0]}
    with pytest.raises(UsageError, match="coverage is 0"):
        metrics.accuracy_at_coverage(**given, coverage=0)
    with pytest.raises(UsageError, match="risk is 2"):
        metrics.coverage_at_risk(**given, risk=2)
    with pytest.raises(UsageError, match="edges='up'"):
        metrics.ece(**given, edges="up")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("p", "y", "auroc", "prr", "ece"),
    [
        ([1.0, 1.0, 0.0, 0.0], [1, 1, 0, 0], 1.0, 1.0, 0.0),
        ([0.0, 0.0, 1.0, 1.0], [1, 1, 0, 0], 0.0, None, 1.0),
        ([0.5] * 4, [1, 1, 0, 0], 0.5, 0.0, 0.0),
    ],
)
def test_perfect_reversed_and_constant_confidence(p: Any, y: Any, auroc: float, prr: float | None, ece: float) -> None:
    assert metrics.auroc(confidence=p, correct=y) == auroc
    assert metrics.ece(confidence=p, correct=y) == pytest.approx(ece, abs=1e-12)
    if prr is not None:
        assert metrics.prr(confidence=p, correct=y) == pytest.approx(prr, abs=1e-12)
    else:
        assert metrics.prr(confidence=p, correct=y) < 0


def smoothed(p: np.ndarray, y: np.ndarray, bandwidth: float, points: int = 2000) -> float:
    """Integral of the absolute residual under a Gaussian with its mirror images, from the definition."""
    t = (np.arange(points) + 0.5) / points
    images = np.concatenate([2 * k + sign * p for k in range(-2, 3) for sign in (1, -1)])
    residual = np.tile(p - y, 10)
    return float(np.abs(norm.pdf(t[:, None], images, bandwidth) @ residual / len(p)).mean())


@SEEDS
def test_the_smooth_error_is_the_fixed_point_of_its_definition(seed: int) -> None:
    p, y = sample(seed, n=150, steps=50)
    value = metrics.smooth_ece(confidence=p, correct=y)
    assert smoothed(p, y, value) == pytest.approx(value, rel=1e-4)


RELPLOT = {0: 0.140193, 1: 0.119458, 2: 0.113705, 3: 0.098785, 4: 0.138914}
"""Seed: `smECE` of relplot 1.0.3, the authors' package, with the reflected kernel; it seeks the bandwidth in steps of
0.001. It counts half of what lies at exactly 0 or 1, whose mirror image it leaves out: so none is drawn."""


@pytest.mark.parametrize(("seed", "theirs"), RELPLOT.items())
def test_the_authors_smooth_error_agrees(seed: int, theirs: float) -> None:
    rng = np.random.default_rng(seed)
    p = rng.integers(1, 20, 300) / 20
    y = rng.random(300) < 0.2 + 0.5 * p
    assert metrics.smooth_ece(confidence=p, correct=y) == pytest.approx(theirs, abs=0.001)

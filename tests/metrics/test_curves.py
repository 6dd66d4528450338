"""Reliability bins, risk-coverage curve, bound."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from doxa import metrics
from doxa.metrics.maths.reliability import reliability_bins
from doxa.metrics.maths.risk_coverage import risk_bound, risk_curve

RNG = np.random.default_rng(0)
P = RNG.integers(0, 11, 120) / 10
Y = RNG.random(120) < P


@pytest.mark.parametrize("edges", ["right", "left"])
def test_the_diagram_sums_to_the_error_it_pictures(edges: str) -> None:
    bins = reliability_bins(confidence=P, correct=Y, edges=edges)  # type: ignore[arg-type]
    full = [b for b in bins if b.confidence is not None and b.accuracy is not None]
    total = sum(b.n * abs(b.confidence - b.accuracy) for b in full) / 120  # type: ignore[operator]
    assert sum(b.n for b in bins) == 120
    assert total == pytest.approx(metrics.ece(confidence=P, correct=Y, edges=edges), abs=1e-12)
    assert all(b.low <= b.accuracy <= b.high for b in full)  # type: ignore[operator]


def test_an_empty_bin_has_no_values() -> None:
    first = reliability_bins(confidence=[0.95], correct=[1])[0]
    assert (first.n, first.confidence, first.accuracy, first.low, first.high) == (0, None, None, None, None)


def test_the_curve_answers_at_each_threshold() -> None:
    points = risk_curve(confidence=P, correct=Y)
    assert [point.threshold for point in points] == sorted({*P.tolist()}, reverse=True)
    for point in points:
        kept = point.threshold <= P
        assert point.n == kept.sum()
        assert point.coverage == pytest.approx(kept.mean())
        assert point.risk == pytest.approx(1 - Y[kept].mean())
        assert point.low <= point.risk <= point.high
    assert len(risk_curve(confidence=P, correct=Y, limit=3)) == 3


def test_the_bound_holds_in_at_least_95_of_100_worlds() -> None:
    held = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        held += risk_bound(confidence=rng.random(50), correct=rng.random(50) > 0.2, coverage=0.6).high >= 0.2
    assert held >= 188


def test_the_bound_is_where_so_few_errors_are_5_percent_likely() -> None:
    bound = risk_bound(confidence=[0.9] * 10 + [0.1] * 10, correct=[1] * 8 + [0] * 12, coverage=0.5)
    assert (bound.n, bound.risk) == (10, 0.2)
    assert binom.cdf(2, 10, bound.high) == pytest.approx(0.05, abs=1e-9)


def test_a_tie_at_the_limit_counts_its_expected_errors() -> None:
    bound = risk_bound(confidence=[0.5] * 10, correct=[1] * 5 + [0] * 5, coverage=0.5)
    assert bound.risk == pytest.approx(0.5)
    assert binom.cdf(3, 5, bound.high) == pytest.approx(0.05, abs=1e-9)

"""How many wordings are needed: against all subsets, the central limit theorem and the released percentile."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from doxa.errors import UsageError
from doxa.metrics import measure_table, resamplings_needed


@pytest.mark.parametrize("moment", ["mean", "variance"])
@pytest.mark.parametrize("epsilon", [0.02, 0.04, 0.08])
def test_it_is_the_least_size_whose_subsets_err_little(moment: str, epsilon: float) -> None:
    scores = np.round(np.random.default_rng(0).random(9), 2)
    taken = np.mean if moment == "mean" else np.var

    def share(k: int) -> float:
        errors = [abs(taken(part) - taken(scores)) for part in combinations(scores, k)]
        return float(np.mean(np.array(errors) <= epsilon + 1e-12))

    shares = [share(k) for k in range(1, 10)]
    # Random subsets may differ from all only where the share is near the limit.
    exact = next(k for k, each in enumerate(shares, 1) if each >= 0.9)
    found = resamplings_needed(score=scores, epsilon=epsilon, moment=moment)
    assert found == exact or min(abs(shares[k - 1] - 0.9) for k in (exact, int(found))) < 0.02


def test_with_replacement_it_follows_the_central_limit_theorem() -> None:
    scores = np.random.default_rng(1).normal(0.6, 0.05, 400)
    found = resamplings_needed(score=scores, epsilon=0.01, delta=0.1, replace=True)
    assert found == pytest.approx((norm.ppf(0.95) * scores.std() / 0.01) ** 2, rel=0.1)
    finite = resamplings_needed(score=scores, epsilon=0.01, delta=0.1)
    # Cochran's correction for a finite pool.
    assert finite == pytest.approx(found / (1 + (found - 1) / 400), rel=0.12)


def test_the_released_percentile_spends_half_of_delta() -> None:
    scores = np.random.default_rng(2).normal(0.6, 0.05, 300)
    released = resamplings_needed(score=scores, delta=0.1, as_released=True, replace=True)
    assert released == pytest.approx(resamplings_needed(score=scores, delta=0.05, replace=True), rel=0.05)
    assert released > resamplings_needed(score=scores, delta=0.1, replace=True)


def test_where_none_suffices_there_is_no_value() -> None:
    scores = np.random.default_rng(3).random(20)
    [made] = measure_table({"score": scores}, metrics=["resamplings_needed(replace=True)"])
    assert made.value is None and "no number of wordings" in made.reason
    assert resamplings_needed(score=scores) <= 20
    assert resamplings_needed(score=[0.5] * 5) == 1


def test_the_interval_is_of_two_hundred_replicates() -> None:
    scores = np.random.default_rng(4).normal(0.6, 0.05, 60)
    [made] = measure_table({"score": scores}, metrics=["resamplings_needed(epsilon=0.02)"])
    assert made.low is not None and made.high is not None and "200 replicates" in made.reason
    assert made.low <= (made.value or 0) <= made.high


@pytest.mark.parametrize("knobs", [{"epsilon": 0.0}, {"delta": 1.0}, {"moment": "skew"}])
def test_knobs_that_make_no_sense_are_refused(knobs: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="epsilon is"):
        resamplings_needed(score=[1, 2], **knobs)

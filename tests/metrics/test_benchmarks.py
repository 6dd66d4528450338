"""Do benchmarks rank models alike: against scipy, by hand, and on planted abilities."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau, pearsonr

from doxa.errors import UsageError
from doxa.metrics import benchmark_agreement, measure_table
from doxa.metrics.maths.benchmarks import correlation, win_rates

NUMBERS = st.lists(st.integers(0, 6), min_size=5, max_size=12)


def planted(models: int = 30, noise: tuple[float, ...] = (0.1, 0.1, 0.1, 3.0), seed: int = 0) -> dict[str, list[Any]]:
    """Scores of abilities with noise; a scenario of much noise agrees with no other."""
    rng = np.random.default_rng(seed)
    ability = rng.standard_normal(models)
    rows = [
        (f"m{m}", f"s{s}", ability[m] + size * rng.standard_normal())
        for s, size in enumerate(noise)
        for m in range(models)
    ]
    return dict(zip(("model", "scenario", "score"), map(list, zip(*rows, strict=True)), strict=True))


@given(data=st.data())
def test_correlations_equal_scipy(data: st.DataObject) -> None:
    one = data.draw(NUMBERS)
    other = data.draw(st.lists(st.integers(0, 6), min_size=len(one), max_size=len(one)))
    if len(set(one)) > 1 and len(set(other)) > 1:
        arrays = np.array(one, dtype=float), np.array(other, dtype=float)
        assert correlation(*arrays, "kendall") == pytest.approx(kendalltau(one, other).statistic, abs=1e-12)
        assert correlation(*arrays, "pearson") == pytest.approx(pearsonr(one, other).statistic, abs=1e-9)
    assert np.isnan(correlation(np.ones(5), np.arange(5.0), "kendall"))


def test_win_rates_by_hand() -> None:
    table = np.array([[3.0, 1.0], [2.0, 1.0], [1.0, np.nan]])
    assert win_rates(table).tolist() == [0.75, 0.5, 0.0]


def test_all_models_at_once_is_one_correlation() -> None:
    rows = planted(12, (0.3, 0.3))
    scores = np.array(rows["score"]).reshape(2, 12)
    rate = win_rates(scores[:1].T)
    found = benchmark_agreement(**rows, of="s1", size=12)
    assert found == pytest.approx(kendalltau(scores[1], rate).statistic)
    assert benchmark_agreement(**rows, of="s1", size=12, report="sd") == 0
    flipped = benchmark_agreement(**{**rows, "score": [-s for s in rows["score"]]}, lower=[True] * 24, of="s1", size=12)
    assert flipped == pytest.approx(found)


def test_a_noisy_benchmark_stands_out() -> None:
    rows = planted()
    made = [benchmark_agreement(**rows, of=f"s{i}") for i in range(4)]
    assert min(made[:3]) > 0.7 > 0.4 > made[3]
    assert benchmark_agreement(**rows) == pytest.approx(np.mean(made))
    assert (
        benchmark_agreement(**rows, of="s3", report="z") < -1.5 < 0 < benchmark_agreement(**rows, of="s0", report="z")
    )
    assert benchmark_agreement(**rows, of="s3", report="sd") > 0


def test_models_of_like_strength_agree_less() -> None:
    rows = planted(60, (0.4, 0.4, 0.4))
    everywhere = benchmark_agreement(**rows, method="kendall")
    near = [benchmark_agreement(**rows, select=select) for select in ("top", "middle", "bottom", "window")]
    assert everywhere - np.mean(near) > 0.15
    assert benchmark_agreement(**rows, method="pearson") > 0.8


def test_intervals_resample_models() -> None:
    [made] = measure_table(planted(20), metrics=["benchmark_agreement(of=s3)"])
    assert "20 units, 200 replicates" in made.reason and made.low is not None and made.high is not None
    assert made.high - made.low > 0.1


def test_too_few_models_or_constant_scores_have_no_agreement() -> None:
    [few] = measure_table(planted(4), metrics=["benchmark_agreement"])
    flat = {**planted(10), "score": [1.0] * 40}
    [constant] = measure_table(flat, metrics=["benchmark_agreement"])
    assert few.value is None and constant.value is None and "fewer than five" in few.reason


@pytest.mark.parametrize(
    "knobs", [{"select": "best"}, {"method": "spearman"}, {"size": 3}, {"of": "s9"}, {"report": "z"}, {"report": "max"}]
)
def test_knobs_that_do_not_exist_are_refused(knobs: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="cannot"):
        benchmark_agreement(**planted(), **knobs)

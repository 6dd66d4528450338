"""Bounds and p-values against published values, MAPIE's and each other; families of tests against MAPIE's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doxa.policies.maths.bounds import binomial_p, fewest, hoeffding_bentkus_p, most_wrong, upper_limit
from doxa.policies.maths.families import FAMILIES


@pytest.mark.parametrize(
    "wrong, n, delta, limit",
    [(0, 100, 0.05, 0.029513), (5, 100, 0.05, 0.102253), (0, 1000, 1e-5, 0.011447), (50, 1000, 1e-5, 0.085717)],
)
def test_clopper_pearson_limits_are_the_published_ones(wrong: int, n: int, delta: float, limit: float) -> None:
    assert upper_limit(wrong, n, delta) == pytest.approx(limit, abs=5e-7)


@pytest.mark.parametrize(
    "n, risk, delta, allowed",
    [(100, 0.1, 0.05, 4), (1000, 0.1, 0.05, 84), (1000, 0.1, 1e-5, 61), (500, 0.3, 1e-5, 107)],
)
def test_the_most_wrong_ones_are_the_published_ones(n: int, risk: float, delta: float, allowed: int) -> None:
    assert most_wrong(n, risk, delta) == allowed


def test_the_limit_of_all_wrong_is_one() -> None:
    assert upper_limit([3, 0], [3, 0], 0.05).tolist() == [1.0, 1.0]


@given(st.integers(1, 400), st.floats(0.01, 0.99), st.floats(1e-4, 0.5), st.data())
def test_limit_p_value_and_count_agree(n: int, risk: float, delta: float, data: st.DataObject) -> None:
    wrong, most = data.draw(st.integers(0, n)), most_wrong(n, risk, delta)
    limit, p = float(upper_limit(wrong, n, delta)), float(binomial_p(wrong, n, risk))
    assert (wrong <= most) == (p <= delta)
    if abs(limit - risk) > 1e-9:
        assert (limit <= risk) == (p <= delta)
    assert (n >= fewest(risk, delta)) == (most >= 0)


def test_binomial_p_values_are_scipys() -> None:
    from scipy.stats import binomtest

    for wrong, n, risk in [(0, 10, 0.1), (3, 50, 0.1), (50, 100, 0.4), (7, 7, 0.9)]:
        expected = binomtest(wrong, n, risk, alternative="less").pvalue
        assert binomial_p(wrong, n, risk) == pytest.approx(expected, rel=1e-12)


def test_hoeffding_bentkus_p_values_are_mapies() -> None:
    from mapie.risk_control.methods import compute_hoeffding_bentkus_p_value

    rng = np.random.default_rng(0)
    for n in (1, 7, 50, 400, 3000):
        for risk in (0.01, 0.1, 0.35, 0.8):
            mean = np.concatenate([[0.0, risk], rng.random(40) * min(1.0, 2 * risk), rng.random(20) * 0.999])
            theirs = compute_hoeffding_bentkus_p_value(mean, n, risk).ravel()
            np.testing.assert_allclose(hoeffding_bentkus_p(mean, n, risk), np.minimum(theirs, 1), rtol=1e-9)


@pytest.mark.parametrize("risk", [0.05, 0.3])
def test_hoeffding_bentkus_p_values_are_valid_for_means_of_losses(risk: float) -> None:
    rng = np.random.default_rng(1)
    for n in (20, 200):
        loss = rng.beta(risk, 1 - risk, (4000, n))
        for delta in (0.05, 0.2):
            assert (hoeffding_bentkus_p(loss.mean(1), n, risk) <= delta).mean() <= delta


@pytest.mark.parametrize(
    "ours, theirs", [("holm", "bonferroni_holm"), ("bonferroni", "bonferroni"), ("fixed_sequence", "fixed_sequence")]
)
def test_families_reject_what_mapie_rejects(ours: str, theirs: str) -> None:
    from mapie.risk_control.fwer_control import control_fwer

    rng = np.random.default_rng(2)
    for _ in range(300):
        p = np.round(rng.random(rng.integers(1, 12)) ** 4, 2)
        assert np.flatnonzero(FAMILIES[ours](p, 0.1)).tolist() == list(control_fwer(p, 0.1, fwer_method=theirs))  # type: ignore[arg-type]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.floats(0.001, 0.5))
def test_holm_rejects_all_that_bonferroni_rejects(p: list[float], delta: float) -> None:
    values = np.array(p)
    assert not (FAMILIES["bonferroni"](values, delta) & ~FAMILIES["holm"](values, delta)).any()

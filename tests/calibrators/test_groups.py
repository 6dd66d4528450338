"""Calibration by group: strata shrunk to the pooled fit, and every group at once."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doxa.calibrators.histogram import Histogram
from doxa.calibrators.maths.folds import cross_fit, fold_of
from doxa.calibrators.maths.groups import memberships, strata
from doxa.calibrators.multicalibration import Multicalibration
from doxa.calibrators.platt import Platt
from doxa.calibrators.stratified import PRIORS, Stratified
from doxa.errors import DataError, UsageError
from doxa.state import revive
from doxa.types import Scale

GRID = np.linspace(0, 1, 41)


def brier(q: np.ndarray, y: np.ndarray) -> float:
    return float(np.mean((q - y) ** 2))


# -- groups ------------------------------------------------------------------------------------------------------------


def test_labels_several_labels_and_memberships() -> None:
    assert strata(["a", None, 3], 3) == ["a", None, "3"]
    assert strata(np.array([["a", "x"], ["a", None]], dtype=object), 2) == ['["a", "x"]', None]
    assert strata(np.array([[True, False]]), 1) == ['["True", "False"]']
    one = memberships(["b", "a", None, "b"], 4)
    assert {name: who.tolist() for name, who in one.items()} == {
        "a": [False, True, False, False],
        "b": [True, False, False, True],
    }
    two = memberships(np.array([["a", "x"], ["a", "y"], [None, "x"]], dtype=object), 3)
    assert {name: who.tolist() for name, who in two.items()} == {
        "0=a": [True, True, False],
        "1=x": [True, False, True],
        "1=y": [False, True, False],
    }
    assert list(memberships(np.array([[True, True], [False, True]]), 2)) == ["0", "1"]


def test_numbers_are_no_memberships_and_rows_must_fit() -> None:
    with pytest.raises(DataError, match="matrix of numbers"):
        memberships(np.array([[1, 0]]), 1)
    with pytest.raises(DataError, match=r"shape \(2,\) for 3 answers"):
        memberships(["a", "b"], 3)


# -- strata ------------------------------------------------------------------------------------------------------------


def test_a_stratum_is_weighted_by_its_size_against_the_prior() -> None:
    """With one bin a histogram is the accuracy, and the shrunk one is a formula."""
    by = ["a"] * 6 + ["b"] * 2
    y = [1, 1, 1, 1, 1, 0, 0, 0]
    fitted = Stratified(method="histogram(bins=1)", prior=4.0).fit(confidence=[0.5] * 8, correct=y, by=by)
    pooled = 5 / 8
    found = fitted.predict(confidence=[0.5] * 4, by=["a", "b", "c", None])
    a, b = 0.6 * 5 / 6 + 0.4 * pooled, 2 / 6 * 0 + 4 / 6 * pooled
    assert found == pytest.approx([a, b, pooled, pooled])


@pytest.mark.parametrize(("prior", "same"), [(0.0, "own"), (1e9, "pooled")])
def test_the_ends_are_separate_and_pooled(prior: float, same: str) -> None:
    p, y, by = strata_of([200, 60], seed=0)
    fitted = Stratified(prior=prior).fit(confidence=p, correct=y, by=by)
    for name in ("0", "1"):
        rows = by == name if same == "own" else np.ones(len(y), dtype=bool)
        expected = Platt().fit(confidence=p[rows], correct=y[rows]).predict(confidence=GRID)
        assert fitted.predict(confidence=GRID, by=[name] * len(GRID)) == pytest.approx(expected, abs=1e-6)


def test_without_groups_it_is_the_pooled_fit() -> None:
    p, y, _ = strata_of([300], seed=1)
    expected = Platt().fit(confidence=p, correct=y).predict(confidence=GRID)
    assert (Stratified().fit(confidence=p, correct=y).predict(confidence=GRID) == expected).all()


def strata_of(sizes: list[int], seed: int, spread: float = 0.8) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Answers of strata whose confidence is too high or too low by as much as is drawn for each."""
    rng = np.random.default_rng(seed)
    by = np.repeat([str(i) for i in range(len(sizes))], sizes)
    shift = np.repeat(rng.normal(0, spread, len(sizes)), sizes)
    z = rng.normal(0, 1.2, len(by))
    return 1 / (1 + np.exp(-z)), rng.random(len(by)) < 1 / (1 + np.exp(-z - shift)), by


def test_shrinkage_beats_one_fit_for_all_and_one_for_each() -> None:
    """Twenty small strata and two big ones, whose miscalibration differs; judged by the probabilities that are true."""
    losses = np.zeros(3)
    for seed in range(12):
        sizes = [12] * 20 + [300] * 2
        rng = np.random.default_rng(seed)
        by = np.repeat([str(i) for i in range(22)], sizes)
        shift = np.repeat(rng.normal(0, 0.8, 22), sizes)
        z = rng.normal(0, 1.2, len(by))
        truth = 1 / (1 + np.exp(-z - shift))
        p, y, small = 1 / (1 + np.exp(-z)), rng.random(len(by)) < truth, np.repeat(sizes, sizes) == 12
        for i, prior in enumerate((None, 1e9, 0.0)):
            q = Stratified(prior=prior).fit(confidence=p, correct=y, by=by).predict(confidence=p, by=by)
            losses[i] += brier(q[small], truth[small])
    assert losses[0] < 0.95 * losses[1:].min()


def test_the_prior_is_chosen_by_what_the_strata_are() -> None:
    alike = strata_of([40] * 10, seed=2, spread=0.0)
    apart = strata_of([400] * 3, seed=2, spread=2.0)
    weights = [
        Stratified().fit(confidence=p, correct=y, by=by).to_json()["state"]["weights"] for p, y, by in (alike, apart)
    ]
    assert max(weights[0]) < 0.3
    assert min(weights[1]) > 0.7
    assert list(PRIORS) == sorted(PRIORS)


def test_combinations_of_labels_are_strata() -> None:
    p, y, by = strata_of([100, 100], seed=4)
    other = np.where(np.arange(200) % 2 == 0, "x", "y")
    fitted = Stratified().fit(confidence=p, correct=y, by=np.column_stack([by, other]))
    assert len(fitted.to_json()["state"]["strata"]) == 4
    assert revive(json.loads(json.dumps(fitted.to_json()))) == fitted


def test_any_calibrator_can_be_stratified() -> None:
    p, y, by = strata_of([100, 100], seed=4)
    assert Stratified(method="histogram").scale is Scale.UNIT
    assert Stratified().scale is Scale.REAL
    two = np.column_stack([p, p**2])
    q = Stratified(method="logistic_ensemble").fit(confidence=two, correct=y, by=by).predict(confidence=two, by=by)
    assert ((q > 0) & (q < 1)).all()
    with pytest.raises(UsageError, match="no 'plat'"):
        Stratified(method="plat")
    with pytest.raises(UsageError, match="prior"):
        Stratified(prior=-1)


def test_cross_fitting_carries_groups_along() -> None:
    p, y, by = strata_of([150, 100], seed=6)
    cluster = np.array([f"q{i // 2}" for i in range(len(p))])
    found = cross_fit(Stratified(), confidence=p, correct=y, by=by, cluster=cluster)
    here = fold_of(cluster) == 2
    fitted = Stratified().fit(confidence=p[~here], correct=y[~here], by=by[~here])
    assert (found[here] == fitted.predict(confidence=p[here], by=by[here])).all()


# -- every group at once -----------------------------------------------------------------------------------------------


def residuals(q: np.ndarray, y: np.ndarray, groups: dict[str, np.ndarray], bins: int) -> list[tuple[int, int, float]]:
    """Answers of the bin and of its group, and the distance of mean and share, by brute force."""
    found = []
    for who in [np.ones(len(q), dtype=bool), *groups.values()]:
        for b in range(bins):
            here = who & (q <= (b + 1) / bins) & ((q > b / bins) if b else True)
            if here.any():
                found.append((int(here.sum()), int(who.sum()), abs(float(np.mean(y[here]) - np.mean(q[here])))))
    return found


ROWS = st.lists(
    st.tuples(st.integers(0, 20), st.booleans(), st.booleans(), st.booleans(), st.booleans()), min_size=1, max_size=120
)


@settings(max_examples=60)
@given(
    rows=ROWS,
    method=st.sampled_from(["", "isotonic", "platt"]),
    alpha=st.sampled_from([0.02, 0.1, 0.3]),
    bins=st.integers(1, 10),
    least=st.sampled_from([1, 5]),
)
def test_after_fitting_no_bin_of_any_group_is_off(rows: Any, method: str, alpha: float, bins: int, least: int) -> None:
    table = np.array(rows, dtype=float)
    p, y, by = table[:, 0] / 20, table[:, 1] > 0, table[:, 2:] > 0
    fitted = Multicalibration(method, alpha=alpha, bins=bins, least=least).fit(confidence=p, correct=y, by=by)
    q = fitted.predict(confidence=p, by=by)
    for count, size, gap in residuals(q, y, memberships(by, len(y)), bins):
        if count >= max(least, alpha / bins * size):
            assert gap <= alpha + 1e-9
    shifts = sum(shift != 0 for _, *each in fitted.to_json()["state"]["patches"] for shift in each)
    assert shifts <= len(y) / (least * alpha**2)
    if not method:
        assert brier(q, y) <= brier(p, y) + 1e-12


@given(rows=ROWS, method=st.sampled_from(["", "isotonic"]), seed=st.integers(0, 9))
def test_the_order_of_rows_does_not_matter(rows: Any, method: str, seed: int) -> None:
    table = np.array(rows, dtype=float)
    order = np.random.default_rng(seed).permutation(len(table))
    one, other = (
        Multicalibration(method, least=2).fit(confidence=t[:, 0] / 20, correct=t[:, 1] > 0, by=t[:, 2:] > 0).to_json()
        for t in (table, table[order])
    )
    assert one == other


def test_one_group_and_one_bin_are_shifted_to_their_accuracy() -> None:
    p, y = np.full(100, 0.9), np.arange(100) < 60
    fitted = Multicalibration(method="").fit(confidence=p, correct=y)
    assert fitted.predict(confidence=[0.9, 0.85, 0.3]) == pytest.approx([0.6, 0.55, 0.3])


def test_a_hidden_bias_of_overlapping_groups_is_found() -> None:
    """Right on average and in every bin, and yet too sure in one group and not sure enough in another."""
    rng = np.random.default_rng(0)
    n = 20_000
    by = rng.random((n, 3)) < 0.4
    p = rng.integers(2, 9, n) / 10
    y = rng.random(n) < p + 0.15 * by[:, 0] - 0.15 * by[:, 1]
    half = np.arange(n) < n // 2
    fitted = Multicalibration(method="", alpha=0.02).fit(confidence=p[half], correct=y[half], by=by[half])
    q = fitted.predict(confidence=p[~half], by=by[~half])
    held = {str(j): by[~half, j] for j in range(3)}

    def worst(values: np.ndarray) -> float:
        return max(gap for count, _, gap in residuals(values, y[~half], held, 10) if count > 400)

    assert worst(p[~half]) > 0.09
    assert worst(q) < 0.06
    pooled = Histogram().fit(confidence=p[half], correct=y[half]).predict(confidence=p[~half])
    assert brier(q, y[~half]) < brier(pooled, y[~half]) - 0.005


def test_it_may_begin_with_another_calibrator() -> None:
    rng = np.random.default_rng(1)
    score = rng.normal(size=2000)
    by = rng.choice(["a", "b"], 2000)
    y = rng.random(2000) < 1 / (1 + np.exp(-score - np.where(by == "a", 1, -1)))
    fitted = Multicalibration(method="platt").fit(confidence=score, correct=y, by=by)
    assert fitted.scale is Scale.REAL
    q = fitted.predict(confidence=score, by=by)
    assert brier(q, y) < brier(Platt().fit(confidence=score, correct=y).predict(confidence=score), y) - 0.02
    assert revive(json.loads(json.dumps(fitted.to_json()))) == fitted


def test_answers_of_no_known_group_are_calibrated_like_all() -> None:
    p, y = np.full(200, 0.9), np.arange(200) % 2 == 0
    by = np.where(np.arange(200) < 100, "a", "b")
    fitted = Multicalibration().fit(confidence=p, correct=y, by=by)
    assert fitted.predict(confidence=[0.9, 0.9], by=["c", None]) == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize("knobs", [{"alpha": 0.0}, {"alpha": 1.0}, {"bins": 0}, {"least": 0}])
def test_knobs_out_of_range_are_refused(knobs: Any) -> None:
    with pytest.raises(UsageError):
        Multicalibration(**knobs)

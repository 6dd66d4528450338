"""Several estimators into one probability: values from scikit-learn, scipy's optimiser and closed forms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from doxa.calibrators.isotonic_ensemble import IsotonicEnsemble
from doxa.calibrators.logistic_ensemble import LogisticEnsemble
from doxa.calibrators.maths.folds import content, cross_fit, fold_of
from doxa.calibrators.maths.logistic import convex_weights
from doxa.calibrators.pace import Pace
from doxa.errors import DataError, UsageError
from doxa.types import Scale


def sample(n: int = 500, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A stated confidence in [0, 1] and a margin of any size, each with news of its own."""
    rng = np.random.default_rng(seed)
    one, two = rng.normal(size=n), rng.normal(size=n)
    table = np.column_stack([np.round(1 / (1 + np.exp(-one)), 2), 3 * two + 7])
    return table, rng.random(n) < 1 / (1 + np.exp(-one - two))


def brier(q: np.ndarray, y: np.ndarray) -> float:
    return float(np.mean((q - y) ** 2))


# -- logistic ----------------------------------------------------------------------------------------------------------


def by_scikit_learn(features: np.ndarray, y: np.ndarray, ridge: float) -> np.ndarray:
    """Each row twice, as right and as wrong, weighted by Platt's softened outcome."""
    right, wrong = y.sum(), (~y).sum()
    soft = np.where(y, (right + 1) / (right + 2), 1 / (wrong + 2))
    model = LogisticRegression(C=1 / ridge, tol=1e-10, max_iter=10_000)
    model.fit(np.vstack([features] * 2), np.repeat([1, 0], len(y)), sample_weight=np.append(soft, 1 - soft))
    return model.predict_proba(features)[:, 1]


@pytest.mark.parametrize("ridge", [0.1, 1.0, 30.0])
def test_the_logistic_ensemble_is_scikit_learns(ridge: float) -> None:
    table, y = sample()
    p, margin = np.clip(table[:, 0], 1e-6, 1 - 1e-6), table[:, 1]
    features = np.column_stack([np.log(p), -np.log(1 - p), (margin - margin.mean()) / margin.std()])
    ours = LogisticEnsemble(scales=("unit", "real"), ridge=ridge).fit(confidence=table, correct=y)
    assert ours.predict(confidence=table) == pytest.approx(by_scikit_learn(features, y, ridge), abs=1e-6)


def test_a_gap_is_the_mean_and_one_more_score() -> None:
    table, y = sample()
    gaps = np.arange(len(y)) % 4 == 0
    holed = table.astype(object)
    holed[gaps, 1] = None
    p, margin = np.clip(table[:, 0], 1e-6, 1 - 1e-6), table[:, 1]
    there = margin[~gaps]
    z = np.where(gaps, 0, (margin - there.mean()) / there.std())
    features = np.column_stack([np.log(p), -np.log(1 - p), z, gaps])
    ours = LogisticEnsemble(scales=("unit", "real")).fit(confidence=holed, correct=y)
    assert ours.predict(confidence=holed) == pytest.approx(by_scikit_learn(features, y, 1.0), abs=1e-6)


def test_a_gap_that_fitting_never_saw_is_the_mean() -> None:
    table, y = sample()
    fitted = LogisticEnsemble(scales=("unit", "real")).fit(confidence=table, correct=y)
    missing = fitted.predict(confidence=[[0.5, None]])
    assert missing == pytest.approx(fitted.predict(confidence=[[0.5, table[:, 1].mean()]]))


def test_scales_are_declared_and_never_guessed() -> None:
    table, y = sample()
    with pytest.raises(DataError, match=r"confidence\[:, 1\].*outside"):
        LogisticEnsemble().fit(confidence=table, correct=y)
    with pytest.raises(UsageError, match="1 scales for 2 columns"):
        LogisticEnsemble(scales=("real",)).fit(confidence=table, correct=y)
    with pytest.raises(UsageError, match="no scale 'logit'"):
        IsotonicEnsemble(scales=("logit",))
    assert LogisticEnsemble(scales=("unit", "real")).scale is Scale.REAL
    assert LogisticEnsemble(scales=("unit", "unit")).scale is Scale.UNIT
    # The same numbers are read otherwise where they are declared otherwise.
    small = np.column_stack([table[:, 0], table[:, 0] ** 2])
    one = LogisticEnsemble(scales=("unit", "real")).fit(confidence=small, correct=y).predict(confidence=small)
    two = LogisticEnsemble(scales=("real", "unit")).fit(confidence=small, correct=y).predict(confidence=small)
    assert np.abs(one - two).max() > 1e-3


@pytest.mark.parametrize("kind", [LogisticEnsemble, IsotonicEnsemble])
@pytest.mark.parametrize("outcome", [True, False])
def test_one_class_alone_stays_finite(kind: Any, outcome: bool) -> None:
    table, _ = sample(20)
    q = kind(scales=("unit", "real")).fit(confidence=table, correct=[outcome] * 20).predict(confidence=table)
    assert np.isfinite(q).all()
    assert (q > 0.5).all() == outcome


# -- isotonic ----------------------------------------------------------------------------------------------------------


def test_the_isotonic_ensemble_is_made_of_scikit_learns_curves() -> None:
    table, y = sample()
    ours = IsotonicEnsemble(scales=("unit", "real")).fit(confidence=table, correct=y)
    weights = ours.to_json()["state"]["weights"]
    curves = [IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(x, y).predict(x) for x in table.T]
    assert ours.predict(confidence=table) == pytest.approx(np.column_stack(curves) @ weights, abs=1e-9)


def test_its_weights_come_from_curves_that_did_not_see_the_answer() -> None:
    table, y = sample(300)
    fold = fold_of(content(table, y), folds=5)
    outside = np.empty(table.shape)
    for i in range(5):
        for j in range(2):
            curve = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip")
            curve.fit(table[fold != i, j], y[fold != i])
            outside[fold == i, j] = curve.predict(table[fold == i, j])
    best = minimize(lambda w: brier(outside @ [w[0], 1 - w[0]], y), [0.5], bounds=[(0, 1)], tol=1e-14).x[0]
    state = IsotonicEnsemble(scales=("unit", "real")).fit(confidence=table, correct=y).to_json()["state"]
    assert state["weights"] == pytest.approx([best, 1 - best], abs=1e-4)


def test_a_column_that_only_knows_its_own_answers_gets_little_weight() -> None:
    """Distinct noise: its isotonic curve follows the outcomes it was drawn from, and no others."""
    rng = np.random.default_rng(3)
    p = rng.random(400)
    y = rng.random(400) < p
    noise = rng.normal(size=400)
    state = IsotonicEnsemble(scales=("unit", "real")).fit(confidence=np.column_stack([p, noise]), correct=y).to_json()
    assert state["state"]["weights"][0] > 0.8


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.booleans()), min_size=3, max_size=30),
    st.integers(0, 99),
)
def test_no_other_convex_weights_are_better(rows: Any, seed: int) -> None:
    table = np.array(rows, dtype=float)
    columns, target = table[:, :3], table[:, 3]
    found = convex_weights(columns, target)
    assert (found >= 0).all()
    assert found.sum() == pytest.approx(1)
    for other in np.random.default_rng(seed).dirichlet([0.5] * 3, size=20):
        assert brier(columns @ found, target) <= brier(columns @ other, target) + 1e-9


def test_a_missing_value_counts_as_the_accuracy_of_what_lacks_it() -> None:
    table = np.array([[0.2, 0.5], [0.8, 0.5], [0.4, None], [0.6, None], [0.3, None]], dtype=object)
    y = [False, True, True, True, False]
    state = IsotonicEnsemble().fit(confidence=table, correct=y).to_json()["state"]
    assert state["fallbacks"] == pytest.approx([3 / 5, (2 + 3 / 5) / 4])


@pytest.mark.parametrize("kind", [LogisticEnsemble, IsotonicEnsemble])
def test_an_ensemble_beats_each_of_its_members(kind: Any) -> None:
    table, y = sample(2000, seed=5)
    both = brier(cross_fit(kind(scales=("unit", "real")), confidence=table, correct=y), y)
    for j, scale in enumerate(("unit", "real")):
        assert both < brier(cross_fit(kind(scales=(scale,)), confidence=table[:, j], correct=y), y) - 0.01


# -- cells of two scores -----------------------------------------------------------------------------------------------


def test_a_cell_answers_with_its_accuracy_smoothed_to_the_overall_one() -> None:
    scores = [[0.1, 0.1], [0.2, 0.15], [0.9, 0.1], [0.9, 0.95], [1.0, 1.0], [0.85, 0.81]]
    fitted = Pace().fit(confidence=scores, correct=[0, 1, 0, 1, 1, 1])
    overall = 4 / 6
    asked = [[0.0, 0.2], [0.81, 0.0], [0.99, 0.99], [0.5, 0.5]]
    expected = [(1 + overall) / 3, overall / 2, (3 + overall) / 4, overall]
    assert fitted.predict(confidence=asked) == pytest.approx(expected)
    raw = Pace(smoothing=0).fit(confidence=scores, correct=[0, 1, 0, 1, 1, 1])
    assert raw.predict(confidence=asked) == pytest.approx([1 / 2, 0, 1, overall])


def test_a_missing_score_is_a_bin_of_its_own() -> None:
    scores = [[0.9, None], [0.95, None], [0.9, 0.9], [0.9, 0.9]]
    fitted = Pace(smoothing=0).fit(confidence=scores, correct=[0, 0, 1, 1])
    assert fitted.predict(confidence=[[0.9, None], [0.9, 0.9], [None, 0.9]]) == pytest.approx([0, 1, 0.5])


def test_cells_see_what_neither_score_shows() -> None:
    """Right where both scores agree: each alone is worthless."""
    rng = np.random.default_rng(0)
    scores = rng.random((4000, 2))
    y = rng.random(4000) < np.where((scores[:, 0] > 0.4) == (scores[:, 1] > 0.4), 0.9, 0.2)
    q = cross_fit(Pace(), confidence=scores, correct=y)
    assert brier(q, y) < 0.14 < 0.2 < brier(cross_fit(LogisticEnsemble(), confidence=scores, correct=y), y)


@pytest.mark.parametrize("knobs", [{"bins": 0}, {"smoothing": -1.0}])
def test_knobs_out_of_range_are_refused(knobs: Any) -> None:
    with pytest.raises(UsageError):
        Pace(**knobs)


@pytest.mark.parametrize("kind", [LogisticEnsemble, IsotonicEnsemble, Pace])
def test_bad_tables_are_refused(kind: Any) -> None:
    for table, complaint in [
        ([[0.5, float("nan")], [0.5, 0.5]], r"confidence\[:, 1\]\[0\] is NaN"),
        ([[0.5, None], [0.4, None]], "column 1 of confidence has no values"),
        ([[[0.5]]], "3 dimensions"),
        ([[0.5, 0.5]], "1 rows and correct has 2"),
    ]:
        with pytest.raises(DataError, match=complaint):
            kind().fit(confidence=np.array(table), correct=[True, False])

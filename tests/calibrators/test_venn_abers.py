"""Venn-Abers beside the test vector, two isotonic fits per score, the authors' package and MAPIE; and its laws."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from doxa.calibrators.cross_venn_abers import CrossVennAbers
from doxa.calibrators.maths.folds import content, fold_of
from doxa.calibrators.venn_abers import VennAbers
from doxa.errors import DataError, UsageError

DATA = st.lists(st.tuples(st.integers(-5, 15), st.booleans()), min_size=1, max_size=40).map(
    lambda rows: (np.array([float(s) for s, _ in rows]), np.array([y for _, y in rows]))
)
BOTH = pytest.mark.parametrize("kind", [VennAbers, CrossVennAbers])


def ties(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores with ties, outcomes, and what to ask about: every score, between them, and beyond."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 200))
    s = rng.integers(0, int(rng.integers(2, 60)), n) / 60
    y = rng.random(n) < [s, np.full(n, 0.5), 1 - s, s > 0.4][seed % 4]
    seen = np.unique(s)
    return s, y, np.concatenate([seen, seen + 1 / 120, [-1.0, 2.0]])


def brute(s: np.ndarray, y: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Two isotonic fits for each score."""
    return np.array(
        [
            [IsotonicRegression().fit(np.append(s, t), np.append(y, label)).predict([t])[0] for label in (0.0, 1.0)]
            for t in asked
        ]
    ).T


@pytest.fixture
def quiet() -> Iterator[None]:
    """Both packages divide 0 by 0 on their way, and one turns such warnings off for the whole process."""
    with np.errstate(divide="ignore", invalid="ignore"), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "All-NaN", RuntimeWarning)
        yield


def test_the_published_vector() -> None:
    fitted = VennAbers().fit(confidence=[0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9], correct=[0, 0, 1, 0, 1, 0, 1, 1])
    low, high = fitted.interval(confidence=[0.05, 0.35, 0.5, 0.65, 0.95])
    assert low == pytest.approx([0, 1 / 3, 1 / 3, 0.4, 2 / 3])
    assert high == pytest.approx([1 / 3, 0.6, 2 / 3, 2 / 3, 1])
    merged = fitted.predict(confidence=[0.05, 0.35, 0.5, 0.65, 0.95])
    assert merged == pytest.approx([0.25, 0.4737, 0.5, 0.5263, 0.75], abs=5e-5)


@pytest.mark.parametrize("seed", range(20))
def test_it_is_two_isotonic_fits_and_what_the_package_gives(seed: int, quiet: None) -> None:
    from venn_abers.venn_abers import calc_p0p1, calc_probs

    s, y, asked = ties(seed)
    fitted = VennAbers().fit(confidence=s, correct=y)
    found = np.array(fitted.interval(confidence=asked))
    assert found == pytest.approx(brute(s, y, asked), abs=1e-12)
    merged, bounds = calc_probs(*calc_p0p1(np.c_[1 - s, s], y.astype(float)), np.c_[1 - asked, asked])
    assert found == pytest.approx(bounds.T, abs=1e-12)
    assert fitted.predict(confidence=asked) == pytest.approx(merged[:, 1], abs=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_it_is_mapies_up_to_the_greatest_score(seed: int, quiet: None) -> None:
    from mapie._venn_abers import VennAbers as Mapies

    s, y, asked = ties(seed)
    mapie = Mapies()
    mapie.fit(np.c_[1 - s, s], y.astype(float))
    inside = asked[asked <= s.max()]
    merged, bounds = mapie.predict_proba(np.c_[1 - inside, inside])
    fitted = VennAbers().fit(confidence=s, correct=y)
    assert np.array(fitted.interval(confidence=inside)) == pytest.approx(bounds.T, abs=1e-12)
    assert fitted.predict(confidence=inside) == pytest.approx(merged[:, 1], abs=1e-12)
    assert fitted.interval(confidence=[2.0])[1] == [1.0]  # there MAPIE repeats its last p1


@pytest.mark.parametrize("beta", [(1, 1), (0.2, 0.2), (8, 1), (1, 8)])
def test_many_distinct_scores_are_two_isotonic_fits_too(beta: Any) -> None:
    rng = np.random.default_rng(0)
    s = rng.beta(*beta, 5000)
    y = rng.random(5000) < s
    asked = rng.choice(s, 20)
    assert np.array(VennAbers().fit(confidence=s, correct=y).interval(confidence=asked)) == pytest.approx(
        brute(s, y, asked), abs=1e-12
    )


@BOTH
@given(data=DATA)
def test_p0_is_below_p1_and_neither_0_nor_1_is_ever_said(kind: Any, data: Any) -> None:
    fitted = kind().fit(confidence=data[0], correct=data[1])
    asked = np.arange(-6, 17, 0.5)
    low, high = fitted.interval(confidence=asked)
    assert (low < high).all() and (low >= 0).all() and (low < 1).all() and (high > 0).all() and (high <= 1).all()
    merged = fitted.predict(confidence=asked)
    assert (merged > 0).all() and (merged < 1).all() and (np.diff(merged) >= 0).all()


@BOTH
@given(data=DATA)
def test_only_the_order_of_confidences_counts(kind: Any, data: Any) -> None:
    s, y = data
    bent = kind().fit(confidence=np.exp(s) - 1000, correct=y).predict(confidence=np.exp(s) - 1000)
    assert (kind().fit(confidence=s, correct=y).predict(confidence=s) == bent).all()


@given(data=DATA)
def test_right_and_wrong_are_treated_alike(data: Any) -> None:
    s, y = data
    low, high = VennAbers().fit(confidence=s, correct=y).interval(confidence=s)
    mirrored = VennAbers().fit(confidence=-s, correct=~y).interval(confidence=-s)
    assert 1 - high == pytest.approx(mirrored[0], abs=1e-12)
    assert 1 - low == pytest.approx(mirrored[1], abs=1e-12)


def test_only_steps_are_kept() -> None:
    rng = np.random.default_rng(0)
    s = rng.random(20_000)
    fitted = VennAbers().fit(confidence=s, correct=rng.random(20_000) < s)
    assert sum(len(part) for part in fitted.to_json()["state"]["bounds"]) < 4000
    flat = VennAbers().fit(confidence=[0.3] * 7, correct=[1, 1, 0, 0, 0, 0, 0])
    assert json.dumps(flat.to_json()["state"]["bounds"]) == "[[0.3], [0.0, 0.25], [0.3], [0.375, 1.0]]"


def test_one_of_the_two_is_calibrated() -> None:
    rng = np.random.default_rng(0)
    s = rng.random(4000)
    y = rng.random(4000) < 0.2 + 0.5 * s**2
    low, high = VennAbers().fit(confidence=s[:2000], correct=y[:2000]).interval(confidence=s[2000:])
    assert low.mean() - 0.03 < y[2000:].mean() < high.mean() + 0.03
    assert (high - low).mean() < 0.05


def test_the_cross_form_merges_its_folds_by_geometric_means() -> None:
    s, y, asked = ties(1)
    fold = fold_of(content(s, y), folds=4, seed=3)
    parts = [VennAbers().fit(confidence=s[fold == i], correct=y[fold == i]) for i in range(4)]
    low, high = np.array([part.interval(confidence=asked) for part in parts]).transpose(1, 0, 2)
    doubt, belief = (1 - low).prod(axis=0) ** 0.25, high.prod(axis=0) ** 0.25
    fitted = CrossVennAbers(folds=4, seed=3).fit(confidence=s, correct=y)
    assert fitted.predict(confidence=asked) == pytest.approx(belief / (doubt + belief), abs=1e-12)
    assert np.array(fitted.interval(confidence=asked)) == pytest.approx(np.array([1 - doubt, belief]), abs=1e-12)


def test_one_answer_is_one_fold() -> None:
    one = CrossVennAbers().fit(confidence=[0.4], correct=[1])
    assert one.predict(confidence=[0.4]) == VennAbers().fit(confidence=[0.4], correct=[1]).predict(confidence=[0.4])
    with pytest.raises(UsageError, match="folds=1"):
        CrossVennAbers(folds=1)


@BOTH
def test_an_interval_needs_a_fit_and_numbers(kind: Any) -> None:
    with pytest.raises(UsageError, match="not fitted"):
        kind().interval(confidence=[0.5])
    with pytest.raises(DataError, match=r"confidence\[0\] is NaN"):
        kind().fit(confidence=[0.5, 0.6], correct=[1, 0]).interval(confidence=[float("nan")])

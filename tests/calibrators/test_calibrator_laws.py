"""Laws that every calibrator keeps by being in the folder."""

from __future__ import annotations

import copy
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import doxa
from doxa import registry
from doxa.calibrators.maths.folds import cross_fit, fold_of
from doxa.errors import DataError, UsageError
from doxa.state import revive
from doxa.types import Scale

NAMES = registry.names("calibrators")
MONOTONE = ["isotonic", "temperature", "beta", "venn_abers", "cross_venn_abers"]
EACH = pytest.mark.parametrize("name", NAMES)
DATA = st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=1, max_size=40).map(
    lambda rows: (np.array([p / 20 for p, _ in rows]), np.array([y for _, y in rows]))
)
GRID = np.linspace(0, 1, 101)


def make(name: str) -> Any:
    return registry.build("calibrators", name)


def sample(n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    p = rng.integers(0, 21, n) / 20
    return p, rng.random(n) < p**2


@EACH
@given(data=DATA)
def test_predictions_are_probabilities(name: str, data: Any) -> None:
    q = make(name).fit(confidence=data[0], correct=data[1]).predict(confidence=GRID)
    assert q.shape == GRID.shape
    assert ((q >= 0) & (q <= 1)).all()


@pytest.mark.parametrize("name", MONOTONE)
@given(data=DATA)
def test_monotone_methods_keep_the_order(name: str, data: Any) -> None:
    q = make(name).fit(confidence=data[0], correct=data[1]).predict(confidence=GRID)
    assert (np.diff(q) >= -1e-12).all()


@given(data=DATA)
def test_platt_keeps_or_reverses_the_order(data: Any) -> None:
    steps = np.diff(make("platt").fit(confidence=data[0], correct=data[1]).predict(confidence=GRID))
    assert (steps >= -1e-12).all() or (steps <= 1e-12).all()


@EACH
@given(data=DATA, seed=st.integers(0, 99))
def test_the_order_of_rows_does_not_matter(name: str, data: Any, seed: int) -> None:
    p, y = data
    order = np.random.default_rng(seed).permutation(len(p))
    one = make(name).fit(confidence=p, correct=y).predict(confidence=GRID)
    other = make(name).fit(confidence=p[order], correct=y[order]).predict(confidence=GRID)
    assert one == pytest.approx(other, abs=1e-6)


@EACH
def test_json_gives_the_same_calibrator_back(name: str) -> None:
    p, y = sample()
    fitted = make(name).fit(confidence=p, correct=y)
    data = json.loads(json.dumps(fitted.to_json()))
    assert revive(data) == fitted
    assert type(fitted).from_json(data) == fitted
    assert (revive(data).predict(confidence=GRID) == fitted.predict(confidence=GRID)).all()


@EACH
def test_fitting_changes_neither_the_calibrator_nor_the_data(name: str) -> None:
    p, y = sample()
    calibrator, before = make(name), (p.copy(), y.copy())
    untouched = copy.deepcopy(calibrator)
    assert calibrator.fit(confidence=p, correct=y) != calibrator
    assert calibrator == untouched
    assert (p == before[0]).all() and (y == before[1]).all()


@EACH
def test_it_improves_what_is_miscalibrated(name: str) -> None:
    p, y = sample(2000)
    p = np.clip(0.5 + 0.5 * p, 0, 1) if name != "temperature" else np.where(p > 0.5, 0.99, 0.01)
    half = np.arange(2000) % 2 == 0
    q = make(name).fit(confidence=p[half], correct=y[half]).predict(confidence=p[~half])
    assert np.mean((q - y[~half]) ** 2) < np.mean((p[~half] - y[~half]) ** 2)


@EACH
def test_unfitted_it_says_so(name: str) -> None:
    with pytest.raises(UsageError, match="not fitted"):
        make(name).predict(confidence=[0.5])
    with pytest.raises(UsageError, match="not fitted"):
        make(name).to_json()


@EACH
def test_groups_are_refused_or_asked_for_again(name: str) -> None:
    p, y = sample()
    by = ["a", "b"] * (len(p) // 2)
    if not getattr(make(name), "grouped", False):
        with pytest.raises(UsageError, match="no groups"):
            make(name).fit(confidence=p, correct=y, by=by)
        return
    fitted = make(name).fit(confidence=p, correct=y, by=by)
    assert revive(json.loads(json.dumps(fitted.to_json()))) == fitted
    with pytest.raises(UsageError, match="no groups are given"):
        fitted.predict(confidence=p)


@EACH
def test_several_columns_are_refused_or_may_have_gaps(name: str) -> None:
    p, y = sample()
    table = np.column_stack([p, p[::-1]]).astype(object)
    table[::7, 1] = None
    if not getattr(make(name), "several", False):
        with pytest.raises(DataError):
            make(name).fit(confidence=table, correct=y)
        return
    fitted = make(name).fit(confidence=table, correct=y)
    q = fitted.predict(confidence=table)
    assert q.shape == (len(p),)
    assert ((q >= 0) & (q <= 1)).all()
    assert revive(json.loads(json.dumps(fitted.to_json()))) == fitted
    with pytest.raises(DataError, match="2 columns"):
        fitted.predict(confidence=p)
    with pytest.raises(DataError, match="row 0 of confidence has no value"):
        fitted.predict(confidence=[[None, None], [0.5, 0.5]])


@EACH
def test_bad_arrays_are_refused_by_position(name: str) -> None:
    with pytest.raises(DataError, match=r"confidence\[1\] is NaN"):
        make(name).fit(confidence=[0.5, float("nan")], correct=[1, 0])
    with pytest.raises(DataError, match="empty"):
        make(name).fit(confidence=[], correct=[])
    p, y = sample()
    fitted = make(name).fit(confidence=p, correct=y)
    with pytest.raises(DataError, match=r"confidence\[0\] is NaN"):
        fitted.predict(confidence=[float("nan")])
    if fitted.scale is Scale.UNIT:
        with pytest.raises(DataError, match="outside"):
            fitted.predict(confidence=[3.0])


@EACH
@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: {**d, "schema": "doxa.calibrator/99"},
        lambda d: {**d, "state": {}},
        lambda d: {**d, "state": {name: float("nan") for name in d["state"]}},
        lambda d: {**d, "state": {name: None for name in d["state"]}},
        lambda d: {**d, "state": {name: {"a": 1} for name in d["state"]}},
        lambda d: {**d, "knobs": {"unheard_of": 1}},
        lambda d: {**d, "method": 3},
        lambda d: [],
    ],
)
def test_what_is_no_calibrator_is_refused(name: str, spoil: Any) -> None:
    p, y = sample()
    with pytest.raises(DataError):
        revive(spoil(make(name).fit(confidence=p, correct=y).to_json()))


@EACH
def test_it_is_part_of_doxa_calibrators_and_names_its_source(name: str) -> None:
    kind = registry.find("calibrators", name)
    assert getattr(doxa.calibrators, kind.__name__) is kind
    assert "Source:" in (kind.__doc__ or "")


def test_an_unknown_calibrator_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Plat'"):
        _ = doxa.calibrators.Plat
    with pytest.raises(UsageError, match="no 'plat'"):
        revive({"schema": "doxa.calibrator/1", "method": "plat"})


@EACH
def test_nothing_is_predicted_by_what_was_fitted_on_it(name: str) -> None:
    p, y = sample(60)
    cluster = np.array([f"q{i // 3}" for i in range(60)])
    fold = fold_of(cluster)
    found = cross_fit(make(name), confidence=p, correct=y, cluster=cluster)
    for i in range(5):
        here = fold == i
        fitted = make(name).fit(confidence=p[~here], correct=y[~here])
        assert (found[here] == fitted.predict(confidence=p[here])).all()


@given(sizes=st.lists(st.integers(1, 4), min_size=2, max_size=30), seed=st.integers(0, 9), folds=st.integers(2, 6))
def test_folds_share_no_cluster_and_are_even(sizes: list[int], seed: int, folds: int) -> None:
    cluster = np.repeat([f"c{i}" for i in range(len(sizes))], sizes)
    fold = fold_of(cluster, folds=folds, seed=seed)
    assert all(len({*fold[cluster == name]}) == 1 for name in {*cluster})
    counts = np.bincount(fold)
    assert len(counts) == min(folds, len(sizes))
    assert counts.max() - counts.min() <= 4
    order = np.random.default_rng(seed).permutation(len(fold))
    assert (fold_of(cluster[order], folds=folds, seed=seed) == fold[order]).all()


def test_folds_depend_on_the_seed() -> None:
    names = [f"c{i}" for i in range(50)]
    assert (fold_of(names, seed=0) != fold_of(names, seed=1)).any()


@EACH
def test_without_clusters_the_order_of_rows_changes_no_probability(name: str) -> None:
    p, y = sample(90)
    order = np.random.default_rng(1).permutation(90)
    one = cross_fit(make(name), confidence=p, correct=y)[order]
    other = cross_fit(make(name), confidence=p[order], correct=y[order])
    # Rows alike in both values are interchangeable, so compare what each kind of row got.
    kind = list(zip(p[order], y[order], strict=True))
    for key in {*kind}:
        here = [i for i, k in enumerate(kind) if k == key]
        assert np.sort(one[here]) == pytest.approx(np.sort(other[here]), abs=1e-6)


def test_one_cluster_cannot_be_divided() -> None:
    with pytest.raises(DataError, match="1 cluster cannot be divided"):
        cross_fit(make("platt"), confidence=[0.1, 0.9], correct=[0, 1], cluster=["a", "a"])

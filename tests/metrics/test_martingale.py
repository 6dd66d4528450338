"""Test martingales: against another library, brute force and simulation."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doxa.errors import DataError
from doxa.metrics.maths import martingale
from doxa.metrics.maths.martingale import Drift, Evidence, Gambler, Invalidity, Ranks, conformal

TIED = st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0]), max_size=40)


def simple() -> Gambler:
    return Gambler(1, bets=(-1.0, 0.0, 1.0), rates=(0.01,))


def test_the_simple_jumper_is_that_of_mapie() -> None:
    module = pytest.importorskip("mapie.exchangeability_testing.martingales")
    theirs, ours = module.OnlineMartingaleTest(task="regression", jump_size=0.01), simple()
    for p in np.random.default_rng(0).beta(2, 3, 300).tolist():
        expected = theirs.update_simple_jumper_martingale(p)
        assert 10 ** ours.bet(np.array([[p - 0.5]])).capital == pytest.approx(expected, rel=1e-12)


def test_two_steps_by_hand() -> None:
    # Thirds bet on p = 0: factors 3/2, 1, 1/2. Then a hundredth is spread evenly and p = 1/2 changes nothing.
    assert 10 ** simple().bet(np.array([[-0.5]])).capital == pytest.approx(1)
    assert 10 ** simple().bet(np.array([[-0.5], [-0.5]])).capital == pytest.approx(1 + 0.99 * (1 / 12 + 1 / 12))


def test_p_values_by_their_formula() -> None:
    assert conformal([3], [2], [9], [0.5]).tolist() == [(3 + 0.5 * 3) / 10]
    assert conformal([0], [0], [0], [0.25]).tolist() == [0.25]


@given(TIED, TIED)
def test_places_are_those_of_counting(old: list[float], new: list[float]) -> None:
    larger, equal = Ranks(np.array(old)).place(np.array(new))
    for i, value in enumerate(new):
        earlier = old + new[:i]
        assert (larger[i], equal[i]) == (sum(e > value for e in earlier), earlier.count(value))


def test_places_stay_right_when_buffers_are_merged(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    old, new = rng.integers(0, 9, 30) / 8, rng.integers(0, 9, 100) / 8
    whole = Ranks(old).place(new)
    monkeypatch.setattr(martingale, "_BUFFER", 7)
    ranks = Ranks(old)
    assert all(np.array_equal(one, other) for one, other in zip(whole, ranks.place(new), strict=True))
    assert len(ranks) == 130 and np.array_equal(ranks.values, np.sort([*old, *new]))


@pytest.mark.parametrize("cuts", [(0, 1, 2, 60), (0, 17, 60)])
def test_portions_and_json_change_nothing(cuts: tuple[int, ...]) -> None:
    rng = np.random.default_rng(2)
    old, new = rng.integers(0, 11, 40) / 10, rng.integers(0, 11, 60) / 10
    right = rng.random(60) < new
    drift, valid = Drift(old, level=0.05, seed=3), Invalidity(level=0.05)
    for start, end in pairwise(cuts):
        drift.update(new[start:end])
        valid.update(probability=new[start:end], correct=right[start:end])
        drift = Drift.from_json(json.loads(json.dumps(drift.to_json())))
        valid = Invalidity.from_json(json.loads(json.dumps(valid.to_json())))
    whole = Drift(old, level=0.05, seed=3).update(new)
    assert drift.evidence.capital == pytest.approx(whole.capital) and drift.evidence.seen == 60
    assert valid.evidence.capital == pytest.approx(Invalidity().update(probability=new, correct=right).capital)
    assert Drift(old, seed=4).update(new).capital != pytest.approx(whole.capital)


def test_nothing_new_is_no_evidence() -> None:
    nothing = Evidence(0, 0.0, 0.0, 2.0, None)
    assert Drift([0.5]).update([]) == nothing == Invalidity().update(probability=[], correct=[])
    assert Drift([]).update([0.3]).seen == 1


def test_bad_values_and_levels_are_refused() -> None:
    with pytest.raises(DataError, match="not finite"):
        Drift([0.5]).update([float("nan")])
    with pytest.raises(DataError, match="outside"):
        Invalidity().update(probability=[1.5], correct=[True])
    with pytest.raises(DataError, match="level=0"):
        Drift([0.5], level=0)


def test_one_impossible_outcome_alone_raises_no_alarm() -> None:
    watch = Invalidity(level=0.05)
    assert watch.update(probability=[1.0], correct=[False]).raised is None
    found = watch.update(probability=[1.0] * 20, correct=[False] * 20)
    assert found.raised is not None and found.raised <= 10


# -- simulation --------------------------------------------------------------------------------------------------------

STREAMS, LENGTH, LEVELS = 2000, 80, (0.01, 0.05, 0.2)


def tied(rng: np.random.Generator, n: int) -> np.ndarray:
    return np.minimum(10, rng.poisson(8, n)) / 10


def smooth(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.beta(5, 2, n)


def constant(rng: np.random.Generator, n: int) -> np.ndarray:
    return np.full(n, 0.9)


def share(peaks: list[float], level: float) -> float:
    return float(np.mean([peak >= -math.log10(level) for peak in peaks]))


@pytest.mark.parametrize(("draw", "old"), [(tied, 50), (smooth, 3), (constant, 10)])
def test_false_drift_alarms_are_as_rare_as_promised(draw: Callable[..., np.ndarray], old: int) -> None:
    rng = np.random.default_rng(0)
    peaks = [Drift(draw(rng, old), seed=i).update(draw(rng, LENGTH)).peak for i in range(STREAMS)]
    for level in LEVELS:
        assert share(peaks, level) <= level + 3 * math.sqrt(level * (1 - level) / STREAMS)


@pytest.mark.parametrize("draw", [tied, smooth])
def test_false_alarms_about_probabilities_are_as_rare_as_promised(draw: Callable[..., np.ndarray]) -> None:
    rng, peaks = np.random.default_rng(0), []
    for _ in range(STREAMS):
        p = draw(rng, LENGTH)
        late = rng.permutation(LENGTH)  # outcomes come late, and in any order
        peaks.append(Invalidity().update(probability=p[late], correct=(rng.random(LENGTH) < p)[late]).peak)
    for level in LEVELS:
        assert share(peaks, level) <= level + 3 * math.sqrt(level * (1 - level) / STREAMS)


def test_a_planted_drift_is_found_within_150_answers() -> None:
    rng, found = np.random.default_rng(0), []
    for seed in range(100):
        watch = Drift(rng.beta(5, 2, 500), seed=seed)
        before = watch.update(rng.beta(5, 2, 100))
        after = watch.update(rng.beta(3, 3, 150))
        found.append(before.raised is None and after.raised is not None)
    assert sum(found) >= 95


@pytest.mark.parametrize("beta", [0.5, 3.0])
def test_a_change_of_spread_alone_is_found(beta: float) -> None:
    rng = np.random.default_rng(0)
    alarms = [Drift(rng.beta(1, 1, 500), seed=i).update(rng.beta(beta, beta, 500)).raised for i in range(50)]
    assert sum(alarm is not None for alarm in alarms) >= 48


def test_overconfidence_by_a_fifth_is_found_within_150_outcomes() -> None:
    rng, found = np.random.default_rng(0), 0
    for _ in range(100):
        p = rng.beta(5, 2, 150)
        found += Invalidity().update(probability=p, correct=rng.random(150) < p - 0.2).raised is not None
    assert found >= 90


def test_probabilities_that_are_too_bold_on_both_sides_are_found() -> None:
    rng = np.random.default_rng(0)
    p = np.where(rng.random(600) < 0.5, 0.1, 0.9)
    found = Invalidity().update(probability=p, correct=rng.random(600) < np.where(p > 0.5, 0.75, 0.25))
    assert found.raised is not None

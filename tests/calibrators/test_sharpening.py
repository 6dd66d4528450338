"""One exponent for distributions: the published vector, scipy's minimum, and what it is for two options."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import softmax

from doxa.calibrators.maths.sharpening import best_exponent, sharpened
from doxa.calibrators.temperature import Temperature
from doxa.errors import DataError, UsageError


@pytest.mark.parametrize(("exponent", "expected"), [(0.5, [0.75, 0.25]), (2, [0.9878, 0.0122]), (1, [0.9, 0.1])])
def test_the_published_vector(exponent: float, expected: list[float]) -> None:
    assert sharpened([0.9, 0.1], exponent) == pytest.approx(expected, abs=5e-5)


@given(st.lists(st.floats(0.001, 1), min_size=1, max_size=6), st.floats(0.01, 50))
def test_it_is_a_softmax_of_scaled_logarithms(p: list[float], exponent: float) -> None:
    rows = np.array([p, p[::-1]])
    assert sharpened(rows, exponent) == pytest.approx(softmax(exponent * np.log(rows), axis=-1), abs=1e-12)


def test_what_is_impossible_stays_so_and_tiny_numbers_do_not_vanish() -> None:
    assert sharpened([0.5, 0.0, 0.5], 3).tolist() == [0.5, 0.0, 0.5]
    assert sharpened([3e-300, 1e-300], 2) == pytest.approx([0.9, 0.1])


@pytest.mark.parametrize("exponent", [0, -1, float("nan")])
def test_an_exponent_is_above_0(exponent: float) -> None:
    with pytest.raises(UsageError, match="exponent"):
        sharpened([0.5, 0.5], exponent)


@pytest.mark.parametrize("p", [[0.0, 0.0], [0.5, -0.1], [0.5, float("nan")]])
def test_what_is_no_distribution_is_refused(p: list[float]) -> None:
    with pytest.raises(DataError, match="probability is negative or missing"):
        sharpened(p, 1)


@pytest.mark.parametrize(("seed", "k"), [(0, 2), (1, 3), (2, 4), (3, 10)])
def test_the_exponent_has_the_greatest_likelihood(seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    options = rng.dirichlet(np.ones(k), 400)
    truth = softmax(0.6 * np.log(options), axis=1)
    gold = np.array([rng.choice(k, p=row) for row in truth])

    def loss(beta: float) -> float:
        return -float(np.log(softmax(beta * np.log(options), axis=1)[np.arange(400), gold]).sum())

    best = minimize_scalar(loss, bounds=(0.01, 20), method="bounded", options={"xatol": 1e-10}).x
    found = best_exponent(options, gold)
    assert found == pytest.approx(best, rel=1e-4)
    assert found == pytest.approx(0.6, abs=0.2)


def test_with_two_options_it_is_the_temperature() -> None:
    rng = np.random.default_rng(0)
    p = rng.random(300)
    right = rng.random(300) < 0.5 + 0.6 * (p - 0.5)
    fitted = Temperature().fit(confidence=p, correct=right)
    beta = best_exponent(np.c_[p, 1 - p], np.where(right, 0, 1))
    assert fitted.to_json()["state"]["temperature"] == pytest.approx(1 / beta)
    asked = np.array([0.01, 0.3, 0.9])
    scaled = sharpened(np.c_[asked, 1 - asked], beta)[:, 0]
    assert fitted.predict(confidence=asked) == pytest.approx(scaled, abs=1e-12)


def test_where_all_exponents_are_alike_it_is_1() -> None:
    assert best_exponent(np.full((3, 4), 0.25), np.array([0, 1, 2])) == 1
    assert Temperature().fit(confidence=[0.5] * 3, correct=[1, 0, 1]).predict(confidence=[0.9]) == pytest.approx([0.9])

"""Utility where silence is allowed, and effect sizes, against values from elsewhere."""

from __future__ import annotations

import math
from fractions import Fraction
from statistics import mean, variance

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doxa.errors import DataError
from doxa.metrics.maths.effect import cohens_d
from doxa.metrics.maths.utility import utility, worth

COUNT = st.integers(0, 50)


@pytest.mark.parametrize(("risk", "expected"), [(0, 0.5), (1, 0.333333), (20, -2.833333)])
def test_the_published_values_of_utility(risk: float, expected: float) -> None:
    assert utility(right=30, wrong=10, abstained=20, risk=risk) == pytest.approx(expected, abs=5e-7)


def test_nothing_answered_is_worth_nothing() -> None:
    assert utility(right=0, wrong=0, abstained=7, risk=20) == 0 == utility(right=0, wrong=0, abstained=0, risk=1)


@given(COUNT, COUNT, COUNT, st.integers(0, 30))
def test_utility_is_the_mean_worth_of_the_questions(right: int, wrong: int, abstained: int, risk: int) -> None:
    answered = [True] * (right + wrong) + [False] * abstained
    correct = [True] * right + [False] * wrong + [True] * abstained
    found = worth(answered=answered, correct=correct, risk=risk)
    exact = Fraction(right - risk * wrong, max(1, len(answered)))
    assert utility(right=right, wrong=wrong, abstained=abstained, risk=risk) == pytest.approx(float(exact))
    assert math.fsum(found) == pytest.approx(right - risk * wrong)


@given(st.integers(1, 40), st.integers(0, 30))
def test_answers_break_even_at_the_accuracy_that_the_risk_asks_for(scale: int, risk: int) -> None:
    assert utility(right=risk * scale, wrong=scale, abstained=3, risk=risk) == 0


def test_bad_counts_and_lengths_are_refused() -> None:
    with pytest.raises(DataError, match="at risk -1"):
        utility(right=1, wrong=1, abstained=0, risk=-1)
    with pytest.raises(DataError, match="answered has 1"):
        worth(answered=[True], correct=[True, False], risk=1)


def test_cohens_d_of_a_closed_form() -> None:
    # Means 3 and 5, variances 2.5 each: d = 2 / sqrt(2.5).
    found = cohens_d([1, 2, 3, 4, 5], [3, 4, 5, 6, 7])
    assert found.value == pytest.approx(2 / math.sqrt(2.5))
    assert cohens_d([3, 4, 5, 6, 7], [1, 2, 3, 4, 5]).value == pytest.approx(-2 / math.sqrt(2.5))


VALUES = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=2, max_size=12)


@given(VALUES)
def test_cohens_d_is_its_definition(pairs: list[tuple[int, int]]) -> None:
    one, other = zip(*pairs, strict=True)
    pooled = math.sqrt((variance(one) + variance(other)) / 2)
    found = cohens_d(one, other)
    if pooled == 0:
        assert found.value is None and found.reason
    else:
        assert found.value == pytest.approx((mean(other) - mean(one)) / pooled)


def test_cohens_d_has_an_interval_or_says_why_not() -> None:
    one, other = [0.0, 0.5, 1.0] * 20, [0.25, 0.5, 1.0] * 20
    found = cohens_d(one, other, seed=3)
    assert found.value is not None and found.low is not None and found.high is not None
    assert found.low < found.value < found.high
    assert cohens_d(list(reversed(one)), list(reversed(other)), seed=3) == found
    assert cohens_d([], []).reason and cohens_d([1.0], [2.0]).value is None
    assert cohens_d([1.0, 1.0], [2.0, 2.0]).reason == "undefined: neither varies"
    assert cohens_d(one, other, cluster=["a"] * 60).reason == "no interval from one cluster"
    with pytest.raises(DataError, match="second has 1"):
        cohens_d([1.0, 2.0], [1.0])

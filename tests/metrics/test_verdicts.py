"""Two verdicts on the same questions, against scipy, scikit-learn, a closed form and tables worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import cohen_kappa_score

from doxa.errors import DataError
from doxa.metrics.maths.intervals import Z, wilson
from doxa.metrics.maths.verdicts import compare_verdicts, crosstab, kappa, mcnemar, mean_shift, tango

COUNT = st.integers(0, 30)


@given(COUNT, COUNT)
def test_mcnemar_is_the_binomial_test_of_the_changes(gained: int, lost: int) -> None:
    expected = binomtest(gained, gained + lost, 0.5).pvalue if gained + lost else 1.0
    assert mcnemar(gained, lost) == pytest.approx(expected, abs=1e-12)


def test_mcnemar_of_changes_that_all_go_one_way() -> None:
    assert mcnemar(6, 0) == mcnemar(0, 6) == pytest.approx(2 / 2**6)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40))
def test_kappa_is_scikit_learns(pairs: list[tuple[bool, bool]]) -> None:
    first, second = np.array(pairs).T
    found = float(kappa(crosstab(first, second, np.ones((1, len(pairs)))))[0])
    if len({value for pair in pairs for value in pair}) == 1:
        assert math.isnan(found)
    else:
        assert found == pytest.approx(cohen_kappa_score(first, second), abs=1e-12)


def test_kappa_by_hand() -> None:
    # 20 of 50 right both times, 15 wrong both times: observed .7, by chance .5 * .6 + .5 * .4 = .5.
    assert float(kappa(np.array([20.0, 5.0, 10.0, 15.0]))) == pytest.approx(0.4)


def quartic(gained: int, lost: int, n: int) -> tuple[float, float]:
    """Ends of the score interval as roots of a polynomial of degree four (Yang, Sun and Hardin 2013)."""
    g, d, c = Z**2, gained - lost, gained + lost
    coefficients = [
        n**2 * (n / g + 1) ** 2,
        -n * d * (n / g + 1) * (4 * n / g + 1),
        2 * n * d**2 * (3 * n / g + 2) / g - n**2 * (c / g + 1),
        n * d * (2 * c / g + 1) - d**3 * (4 * n / g + 1) / g,
        d**2 * (d**2 / g - c) / g,
    ]
    roots = np.roots(coefficients).real
    return float(roots.min()), float(roots.max())


@given(COUNT, COUNT, st.integers(0, 60))
def test_the_interval_of_a_paired_difference_is_that_of_the_closed_form(gained: int, lost: int, same: int) -> None:
    n = gained + lost + same
    if n:
        low, high = tango(gained, lost, n)
        assert -1 <= low <= (gained - lost) / n <= high <= 1
        # Close roots of a polynomial are known to half the digits only.
        assert (low, high) == pytest.approx(quartic(gained, lost, n), abs=1e-5)
        assert tango(lost, gained, n) == pytest.approx((-high, -low), abs=1e-12)


def test_the_interval_of_a_published_table() -> None:
    # Bentur et al. 2009 as in Fagerland et al. 2014: of 21 children 7 changed one way and 1 the other.
    assert tango(7, 1, 21) == pytest.approx((0.026, 0.517), abs=5e-4)


def test_no_change_among_few_is_no_proof_that_nothing_ever_changes() -> None:
    assert tango(0, 0, 40) == pytest.approx((-(Z**2) / (40 + Z**2), Z**2 / (40 + Z**2)))


def test_the_table_counts_each_question_once() -> None:
    first = [True] * 5 + [False] * 4
    second = [True, True, True, False, False, True, False, False, False]
    found = compare_verdicts(first, second, missing=2, errors=1)
    assert (found.right_right, found.right_wrong, found.wrong_right, found.wrong_wrong) == (3, 2, 1, 3)
    assert found.first.value == pytest.approx(5 / 9) and found.second.value == pytest.approx(4 / 9)
    assert (found.first.low, found.first.high) == pytest.approx(wilson(5, 9))
    assert found.difference.value == pytest.approx(-1 / 9) and found.mcnemar.value == 1.0
    measured = (found.first, found.second, found.difference, found.mcnemar, found.kappa)
    assert {(m.n, m.missing, m.errors) for m in measured} == {(9, 2, 1)}


@given(st.permutations(range(12)))
def test_the_order_of_questions_plays_no_part(order: list[int]) -> None:
    first, second, cluster = np.arange(12) % 2 == 0, np.arange(12) % 3 == 0, np.arange(12) // 2
    assert compare_verdicts(first[order], second[order]) == compare_verdicts(first, second)
    moved = compare_verdicts(first[order], second[order], cluster=cluster[order])
    assert moved == compare_verdicts(first, second, cluster=cluster)


def test_kappa_of_verdicts_that_never_vary_has_a_reason() -> None:
    found = compare_verdicts([True] * 6, [True] * 6)
    assert found.kappa.value is None and found.kappa.reason == "undefined: no verdict varies"
    assert found.difference.value == 0 and found.difference.low is not None and found.difference.low < -0.3


def test_verdicts_of_one_cluster_count_as_one() -> None:
    rng = np.random.default_rng(1)
    first, second = rng.random(30) < 0.5, rng.random(30) < 0.6
    alone = compare_verdicts(first, second)
    fourfold = compare_verdicts(np.repeat(first, 4), np.repeat(second, 4), cluster=np.repeat(np.arange(30), 4))
    assert fourfold.difference.value == pytest.approx(alone.difference.value)
    for m, same in ((fourfold.difference, alone.difference), (fourfold.kappa, alone.kappa)):
        assert m.low is not None and m.high is not None and same.low is not None and same.high is not None
        assert m.high - m.low == pytest.approx(same.high - same.low, rel=0.15)


def test_clusters_without_any_change_prove_little() -> None:
    found = compare_verdicts([True, True, False, False], [True, True, False, False], cluster=["a", "a", "b", "b"])
    assert (found.difference.value, found.mcnemar.value) == (0.0, 1.0)
    assert found.difference.low is not None and found.difference.low < -0.9
    assert found.kappa.low is None and found.kappa.reason.startswith("no interval: ")


def test_unequal_columns_and_empty_ones_are_refused() -> None:
    for first, second in (([True], [True, False]), ([], [])):
        with pytest.raises(DataError, match="verdicts"):
            compare_verdicts(first, second)


def test_the_mean_shift_has_the_interval_of_a_mean() -> None:
    shift = np.random.default_rng(0).normal(0.1, 0.3, 200)
    found = mean_shift(shift)
    half = Z * shift.std(ddof=1) / math.sqrt(200)
    assert found.value == pytest.approx(shift.mean()) and found.n == 200
    assert (found.low, found.high) == pytest.approx((shift.mean() - half, shift.mean() + half), abs=0.006)
    assert mean_shift(shift[::-1]) == found
    clustered = mean_shift(np.repeat(shift, 3), cluster=np.repeat(np.arange(200), 3))
    assert (clustered.low, clustered.high) == pytest.approx((found.low, found.high), abs=0.006)


@pytest.mark.parametrize(("values", "value"), [([], None), ([0.25], 0.25)])
def test_a_shift_of_too_few_has_no_interval_and_says_why(values: list[float], value: float | None) -> None:
    found = mean_shift(values)
    assert (found.value, found.low, found.high, found.n) == (value, None, None, len(values)) and found.reason

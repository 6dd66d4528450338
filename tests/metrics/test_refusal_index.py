"""The Refusal Index: published two-by-two tables, closed forms, and simulated questions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import multivariate_normal, spearmanr

from doxa.errors import DataError, UsageError
from doxa.metrics import measure_table, refusal_index
from doxa.metrics.maths.refusal import correlation, orthant, two_passes

TABLES = [
    ((150, 50, 250, 550), 0.59294, 0.57486),
    ((200, 100, 300, 400), 0.35486, 0.34067),
    ((60, 40, 340, 560), 0.28400, 0.27212),
    ((120, 180, 280, 420), 0.0, 0.0),
    ((30, 170, 370, 430), -0.48684, -0.46962),
    ((90, 10, 410, 490), 0.60624, 0.58817),
]


def rows(table: tuple[int, ...]) -> dict[str, list[bool]]:
    both, alone, other, neither = table
    return {
        "refused": [True] * (both + alone) + [False] * (other + neither),
        "wrong": [True] * both + [False] * alone + [True] * other + [False] * neither,
    }


@pytest.mark.parametrize(("table", "rho", "index"), TABLES)
def test_published_tables(table: tuple[int, ...], rho: float, index: float) -> None:
    assert correlation(np.array([table], dtype=float))[0] == pytest.approx(rho, abs=1e-5)
    assert refusal_index(**rows(table)) == pytest.approx(index, abs=1e-5)


@given(a=st.floats(-3, 3), b=st.floats(-3, 3), rho=st.floats(-0.999, 0.999))
def test_the_orthant_is_that_of_scipy(a: float, b: float, rho: float) -> None:
    expected = multivariate_normal.cdf([-a, -b], cov=[[1, rho], [rho, 1]], abseps=1e-11, releps=1e-11)
    assert orthant(np.array(a), np.array(b), np.array(rho)) == pytest.approx(expected, abs=1e-6)


@given(both=st.integers(1, 499))
def test_even_margins_have_a_closed_form(both: int) -> None:
    table = np.array([[both, 500 - both, 500 - both, both]], dtype=float)
    assert correlation(table)[0] == pytest.approx(np.sin(2 * np.pi * (both / 1000 - 0.25)), abs=1e-6)


def test_it_recovers_the_rank_correlation_of_the_two_chances() -> None:
    rng = np.random.default_rng(0)
    n, rho = 100_000, 0.6
    shared = rng.standard_normal((2, n))
    latent = shared[0], rho * shared[0] + np.sqrt(1 - rho**2) * shared[1]
    found = refusal_index(refused=latent[0] > 0.8, wrong=latent[1] > 0.1)
    assert found == pytest.approx(spearmanr(*latent).statistic, abs=0.02)


@pytest.mark.parametrize(("table", "rho"), [((20, 0, 30, 50), 1.0), ((0, 20, 30, 50), -1.0), ((20, 30, 50, 0), -1.0)])
def test_the_most_extreme_table_of_its_margins_is_perfect(table: tuple[int, ...], rho: float) -> None:
    assert refusal_index(**rows(table)) == pytest.approx(rho, abs=1e-12)


@pytest.mark.parametrize("table", [(0, 0, 30, 50), (30, 50, 0, 0), (10, 0, 5, 0), (0, 10, 0, 5)])
def test_without_refusals_or_errors_it_does_not_exist(table: tuple[int, ...]) -> None:
    [made] = measure_table(rows(table), metrics=["refusal_index"])
    assert made.value is None and made.low is None and "all or none" in made.reason
    with pytest.raises(DataError, match="undefined"):
        refusal_index(**rows(table))


def test_questions_refused_twice_count_as_wrong_or_not_at_all() -> None:
    refused: list[Any] = [True] * 100 + [False] * 200
    wrong = [True] * 40 + [False] * 30 + [None] * 30 + [True] * 50 + [False] * 150
    as_wrong = refusal_index(refused=refused, wrong=wrong)
    assert as_wrong == refusal_index(**rows((70, 30, 50, 150)))
    assert refusal_index(refused=refused, wrong=wrong, silent="drop") == refusal_index(**rows((40, 30, 50, 150)))
    with pytest.raises(UsageError, match="silent is 'right'"):
        refusal_index(refused=refused, wrong=wrong, silent="right")


def test_two_passes_of_labels_become_two_columns() -> None:
    first, second = ["correct", "wrong", "refused", "refused", "refused"], [None, None, "correct", "wrong", "refused"]
    assert two_passes(first, second) == ([False, False, True, True, True], [False, True, False, True, None])
    with pytest.raises(DataError, match="row 0 is 'refused', then None"):
        two_passes(["refused"], [None])
    with pytest.raises(DataError, match="row 0 is 'right'"):
        two_passes(["right"], [None])


@pytest.mark.slow
def test_the_interval_holds_in_simulation() -> None:
    rng = np.random.default_rng(1)
    rho, held = 0.5, 0
    truth = 6 / np.pi * np.arcsin(rho / 2)
    for seed in range(100):
        shared = rng.standard_normal((2, 300))
        columns = {"refused": shared[0] > 0.5, "wrong": rho * shared[0] + np.sqrt(1 - rho**2) * shared[1] > 0.2}
        [made] = measure_table(columns, metrics=["refusal_index"], seed=seed)
        held += made.low is not None and made.high is not None and made.low <= truth <= made.high
    assert held >= 88

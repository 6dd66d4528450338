"""Planning: the published example, other libraries, closed forms and simulations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.special import ndtri

from doxa.errors import DataError, UsageError
from doxa.metrics.maths.comparing import compare
from doxa.metrics.maths.power import Accuracies, Areas, Design, Means, detectable, hanley_mcneil, needed
from doxa.metrics.maths.verdicts import mcnemar


def test_the_published_example_of_means() -> None:
    # Miller 2024: to find 3 points at 80 % power, with uniform difficulties, 969 questions.
    assert needed(Means(1 / 9), 0.03) == 969
    assert detectable(Means(1 / 9), 969) == pytest.approx(0.03, rel=1e-4)


def test_answering_again_takes_noise_away_but_not_the_questions_own() -> None:
    once, thrice = Means(0.1, (0.2, 0.1)), Means(0.1, (0.2, 0.1), (3, 3))
    assert needed(once, 0.05) == pytest.approx(2 * needed(thrice, 0.05), abs=1)
    assert needed(Means(0.1, (0.2, 0.1), (10**6, 10**6)), 0.05) == needed(Means(0.1), 0.05)


@pytest.mark.parametrize(("effect", "n", "power"), [(0.2, 60, 0.34084512), (0.1, 785, 0.8000569268798245)])
def test_the_power_of_means_is_statsmodels(effect: float, n: int, power: float) -> None:
    # statsmodels 0.15.0: NormalIndPower(ddof=0).power(effect, n, alpha=0.05, ratio=0)
    assert Means(1.0).power(n, effect) == pytest.approx(power, abs=1e-6)


@given(st.integers(2, 20), st.floats(0.02, 0.3), st.floats(0.31, 0.9))
def test_the_power_of_mcnemars_test_is_what_it_does(n: int, difference: float, discordant: float) -> None:
    gained = (discordant + difference) / 2
    expected = 0.0
    for changed in range(n + 1):
        for up in range(changed + 1):
            if mcnemar(up, changed - up) <= 0.05:
                expected += stats.binom.pmf(changed, n, discordant) * stats.binom.pmf(up, changed, gained / discordant)
    found = Accuracies(0.5, discordant=discordant).power(n, difference)
    assert found == pytest.approx(expected, abs=1e-9)


def test_the_questions_for_mcnemars_test_are_connors_and_a_few_for_exactness() -> None:
    # Connor 1987: n = ((z_a sqrt(psi) + z_b sqrt(psi - d^2)) / d)^2 for the test that is not exact.
    z = ndtri(0.975), ndtri(0.8)
    for psi, d in ((0.2, 0.05), (0.1, 0.02), (0.4, 0.1)):
        connor = ((z[0] * psi**0.5 + z[1] * (psi - d * d) ** 0.5) / d) ** 2
        assert connor < needed(Accuracies(0.5, discordant=psi), d) < 1.1 * connor + 1 / d


def test_correlation_says_how_many_questions_differ() -> None:
    assert Accuracies(0.6, 0.0).differing(0.1) == pytest.approx(0.6 * 0.3 + 0.4 * 0.7)
    assert Accuracies(0.6, 1.0).differing(0.1) == pytest.approx(0.1)
    assert Accuracies(0.95, 0.0).differing(0.1) == pytest.approx(0.95 * 0.15 + 0.05 * 0.85)
    assert needed(Accuracies(0.6, 0.7), 0.05) < needed(Accuracies(0.6, 0.3), 0.05)


def test_the_variance_of_an_area_is_wilcoxons_and_that_of_exponential_scores() -> None:
    # Where confidence says nothing, it is the variance of Wilcoxon's statistic.
    assert hanley_mcneil(0.5, 51, 58) == pytest.approx((51 + 58 + 1) / (12 * 51 * 58))
    rng = np.random.default_rng(0)
    drawn = []
    for _ in range(400):
        right, wrong = rng.exponential(3.0, 60), rng.exponential(1.0, 40)
        drawn.append((right[:, None] > wrong).mean())
    assert np.std(drawn) == pytest.approx(hanley_mcneil(0.75, 60, 40) ** 0.5, rel=0.12)


def test_so_many_questions_show_the_difference_of_areas() -> None:
    n = needed(Areas(0.7, 0.5, 0.0), 0.15)
    rng = np.random.default_rng(1)
    shown = []
    for _ in range(400):
        y = rng.random(n) < 0.5
        scale = [area / (1 - area) for area in (0.85, 0.7)]  # exponential scores have these areas
        a, b = (np.where(y, rng.exponential(s, n), rng.exponential(1.0, n)) for s in scale)
        p = compare(a, b, correct=y).p
        shown.append(p is not None and p <= 0.05)
    assert np.mean(shown) == pytest.approx(0.8, abs=0.06)


def test_so_many_questions_show_the_difference_of_accuracies() -> None:
    n = needed(Accuracies(0.6, discordant=0.3), 0.1)
    rng = np.random.default_rng(2)
    kinds = rng.choice(3, (2000, n), p=[0.2, 0.1, 0.7])
    shown = [mcnemar(int((row == 0).sum()), int((row == 1).sum())) <= 0.05 for row in kinds]
    assert np.mean(shown) == pytest.approx(0.8, abs=3 * (0.16 / 2000) ** 0.5)


@pytest.mark.parametrize("design", [Means(0.2), Accuracies(0.7), Areas(0.8, 0.6)])
def test_questions_and_difference_are_each_others_inverse(design: Design) -> None:
    n = needed(design, 0.08)
    assert design.power(n, 0.08) >= 0.8
    least = detectable(design, n)
    assert least is not None and least == pytest.approx(0.08, rel=0.05)
    assert needed(design, 0.08, power=0.9) > n > needed(design, 0.08, level=0.1)


def test_what_cannot_be_planned_says_why() -> None:
    assert detectable(Accuracies(0.5), 3) is None
    for design, difference in ((Accuracies(0.6), 0.7), (Means(1.0), 0.0), (Accuracies(0.5, discordant=0.1), 0.2)):
        with pytest.raises(UsageError, match="no difference of"):
            needed(design, difference)
    with pytest.raises(UsageError, match="needs over"):
        needed(Means(1.0), 1e-6)
    for wrong in (
        lambda: Accuracies(1.0),
        lambda: Areas(0.5, 0.0),
        lambda: Accuracies(0.5, 2.0),
        lambda: Areas(0.5, 0.5, 1),
    ):
        with pytest.raises(DataError):
            wrong()

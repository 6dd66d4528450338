"""Paired differences: against published forms, other libraries, brute force, and simulations where nothing differs."""

from __future__ import annotations

import itertools
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats
from scipy.special import ndtr

from doxa import metrics
from doxa.errors import DataError, UsageError
from doxa.metrics.maths.comparing import compare
from doxa.metrics.maths.multiplicity import holm
from doxa.metrics.maths.verdicts import mcnemar, sign_flip, tango, tango_clustered

Column = NDArray[Any]


def sample(seed: int, n: int = 120) -> tuple[Column, Column, Column]:
    """Two confidences with ties, and outcomes."""
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, 21, n) / 20, rng.integers(0, 11, n) / 10
    return a, b, rng.random(n) < (a + b) / 2


def kernels(p: Column, y: Column) -> Column:
    return (p[y][:, None] > p[~y]) + 0.5 * (p[y][:, None] == p[~y])


def test_delongs_comparison_has_its_published_variance() -> None:
    a, b, y = sample(8, 80)
    psi = [kernels(p, y) for p in (a, b)]
    s10, s01 = np.cov([k.mean(1) for k in psi]), np.cov([k.mean(0) for k in psi])
    contrast = np.array([1, -1])
    parts = contrast @ s10 @ contrast / y.sum(), contrast @ s01 @ contrast / (~y).sum()
    error = np.sqrt(sum(parts))
    freedom = sum(parts) ** 2 / (parts[0] ** 2 / (y.sum() - 1) + parts[1] ** 2 / ((~y).sum() - 1))
    found = compare(a, b, correct=y)
    difference = psi[0].mean() - psi[1].mean()
    assert found.difference == pytest.approx(difference, abs=1e-12)
    assert found.p == pytest.approx(2 * stats.t.sf(abs(difference) / error, freedom), abs=1e-12)
    assert (found.low, found.high) == pytest.approx(stats.t.interval(0.95, freedom, difference, error), abs=1e-12)
    assert found.detectable == pytest.approx(error * stats.t.ppf(0.975, freedom) * 2.801585 / 1.959964, rel=1e-6)


def test_copies_of_every_question_in_its_cluster_change_nothing() -> None:
    a, b, y = sample(3, 60)
    alone = compare(a, b, correct=y)
    copied = compare(*(np.repeat(p, 3) for p in (a, b)), correct=np.repeat(y, 3), cluster=np.repeat(np.arange(60), 3))
    assert copied.difference == pytest.approx(alone.difference)
    assert (copied.low, copied.high, copied.p) == pytest.approx((alone.low, alone.high, alone.p), rel=1e-9)


def test_two_models_with_the_same_outcomes_are_two_estimators() -> None:
    a, b, y = sample(4)
    assert compare(a, b, correct=y, correct_b=y.copy()) == compare(a, b, correct=y)


def test_delong_across_models_agrees_with_the_bootstrap() -> None:
    rng = np.random.default_rng(6)
    a, b, y = sample(6, 400)
    z = np.where(rng.random(400) < 0.7, y, rng.random(400) < 0.5)
    found = compare(a, b, correct=y, correct_b=z)
    drawn = []
    for _ in range(600):
        i = rng.integers(0, 400, 400)
        drawn.append(kernels(a[i], y[i]).mean() - kernels(b[i], z[i]).mean())
    assert found.low is not None and found.high is not None
    assert found.high - found.low == pytest.approx(2 * 1.96 * np.std(drawn), rel=0.1)


def test_a_paired_bootstrap_agrees_with_the_paired_t_test() -> None:
    a, b, y = sample(9, 400)
    found = compare(a, b, correct=y, metric="brier_loss")
    rows = (a - y) ** 2 - (b - y) ** 2
    low, high = stats.t.interval(0.95, 399, rows.mean(), stats.sem(rows))
    assert found.difference == pytest.approx(rows.mean(), abs=1e-12)
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.05 * (high - low))
    assert found.p == pytest.approx(stats.ttest_1samp(rows, 0).pvalue, abs=0.02)


def test_accuracies_of_two_models_are_compared_by_mcnemar_and_tango() -> None:
    y, z = np.repeat([True, False, True, False], [7, 1, 9, 4]), np.repeat([False, True, True, False], [7, 1, 9, 4])
    found = compare(np.ones(21), np.ones(21), correct=y, correct_b=z, metric="accuracy")
    assert found.p == pytest.approx(mcnemar(7, 1))
    assert (found.low, found.high) == pytest.approx((0.026, 0.517), abs=5e-4)  # Fagerland et al. 2014


@given(st.lists(st.tuples(st.integers(-1, 1), st.integers(0, 4)), min_size=1, max_size=14))
def test_flipping_signs_is_counting_all_of_them(rows: list[tuple[int, int]]) -> None:
    change, cluster = np.array([c for c, _ in rows]), np.unique([k for _, k in rows], return_inverse=True)[1]
    sums = np.bincount(cluster, change)
    flipped = [
        abs(np.dot(signs, sums)) >= abs(sums.sum()) - 1e-9 for signs in itertools.product([-1, 1], repeat=len(sums))
    ]
    assert sign_flip(change, cluster) == pytest.approx(np.mean(flipped), abs=1e-12)
    alone = sign_flip(change)
    assert alone == pytest.approx(mcnemar(int((change > 0).sum()), int((change < 0).sum())), abs=1e-12)


def test_many_clusters_of_many_sizes_are_as_the_normal_distribution_says() -> None:
    rng = np.random.default_rng(0)
    cluster = np.repeat(np.arange(3000), rng.integers(1, 12, 3000))
    change = rng.integers(-1, 2, len(cluster))
    sums = np.bincount(cluster, change)
    z = (abs(sums.sum()) - 0.5) / np.sqrt((sums**2).sum())
    assert sign_flip(change, cluster) == pytest.approx(2 * stats.norm.sf(z), abs=0.005)


def test_clusters_that_agree_within_are_worth_one_question_each() -> None:
    change = np.array([1, 1, -1, 0, 0, 1, 0, 0, 0, 1])
    copied = tango_clustered(np.repeat(change, 6), np.repeat(np.arange(10), 6))
    low, high = tango(4, 1, 10)
    assert copied[0] <= low and high <= copied[1]
    nothing = tango_clustered(np.zeros(40, dtype=np.intp), np.repeat(np.arange(20), 2))
    assert nothing[1] == pytest.approx(tango(0, 0, 20 * (1.959964 / stats.t.ppf(0.975, 19)) ** 2)[1])


@pytest.mark.parametrize("metric", ["auroc", "brier_loss", "ece"])
def test_a_comparison_with_itself_finds_nothing_and_proves_nothing(metric: str) -> None:
    a, _, y = sample(10)
    found = compare(a, a, correct=y, metric=metric)
    assert (found.difference, found.low, found.high, found.p) == (0, None, None, 1)
    assert found.reason.startswith("no interval") and found.detectable is None


@pytest.mark.parametrize("metric", ["ece", "auroc", "accuracy"])
@pytest.mark.parametrize("grouped", [False, True])
def test_order_of_rows_plays_no_part_and_swapping_changes_the_sign(metric: str, grouped: bool) -> None:
    a, b, y = sample(11)
    order = np.random.default_rng(1).permutation(len(a))
    z, cluster = y[::-1], np.arange(len(a)) // 2 if grouped else None
    first = compare(a, b, correct=y, correct_b=z, cluster=cluster, metric=metric)
    moved = None if cluster is None else cluster[order]
    second = compare(a[order], b[order], correct=y[order], correct_b=z[order], cluster=moved, metric=metric)
    assert (second.low, second.high, second.p) == pytest.approx((first.low, first.high, first.p), abs=1e-12)
    swapped = compare(b, a, correct=z, correct_b=y, cluster=cluster, metric=metric)
    assert first.difference is not None and first.low is not None and first.high is not None
    assert swapped.difference == pytest.approx(-first.difference)
    assert (swapped.low, swapped.high) == pytest.approx((-first.high, -first.low), rel=0.1)


def test_missing_values_are_left_out_and_counted() -> None:
    a, b, y = sample(12)
    found = compare([None, *a, 0.5], [0.5, *b, 0.5], correct=[True, *y, True], correct_b=[True, *y, None])
    assert (found.n, found.missing) == (len(a), 1)
    assert found.p == pytest.approx(compare(a, b, correct=y).p)
    with pytest.raises(DataError, match="a has 119 values and b has 120"):
        compare(a[:-1], b, correct=y[:-1], correct_b=y)
    with pytest.raises(UsageError, match="no 'rank' in metrics"):
        compare(a, b, correct=y, metric="rank")


@pytest.mark.parametrize(
    ("a", "b", "y", "cluster", "reason"),
    [
        ([0.1, 0.2], [0.3, 0.4], [1, 1], None, "all answers are right"),
        ([0.1, 0.2, 0.4], [0.3, 0.4, 0.2], [1, 1, 0], None, "one right or one wrong"),
        ([0.1, 0.2, 0.3, 0.4], [0.3, 0.4, 0.2, 0.1], [1, 1, 0, 0], ["x"] * 4, "one cluster"),
        ([0.9, 0.8, 0.2, 0.1], [0.1, 0.2, 0.8, 0.9], [1, 1, 0, 0], None, "every answer shows the same difference"),
        ([None, 0.5], [0.5, None], [1, 0], None, "no graded answer has both|all answers"),
    ],
)
def test_what_cannot_be_told_has_a_reason(a: Any, b: Any, y: Any, cluster: Any, reason: str) -> None:
    found = compare(a, b, correct=y, cluster=cluster)
    assert found.low is None and found.p is None
    assert re.search(reason, found.reason)


@given(st.lists(st.floats(0, 1), max_size=8), st.integers(0, 5))
def test_holm_is_its_definition(p: list[float], more: int) -> None:
    found = holm(p, among=len(p) + more)
    order = np.argsort(p, kind="stable")
    for rank, place in enumerate(order):
        steps = [min(1.0, (len(p) + more - i) * p[order[i]]) for i in range(rank + 1)]
        assert found[place] == pytest.approx(max(steps))


def test_holm_leaves_what_was_not_tested() -> None:
    assert holm([None, 0.01, None, 0.5]) == [None, 0.02, None, 0.5]
    assert holm([]) == []


def related(rng: np.random.Generator, n: int, size: int, ties: int, across: bool) -> tuple[Any, Column]:
    """Two columns of equal worth: correlated confidences, of the same or of other answers, in clusters of `size`."""
    cluster = np.arange(n) // size
    shared = np.sqrt(0.5) * rng.normal(size=(3, n))[:, cluster] if size > 1 else np.zeros((3, n))
    own = np.sqrt(0.5) if size > 1 else 1.0
    difficulty, common = shared[0] + own * rng.normal(size=n), rng.normal(size=n)
    sides = []
    for k in range(2):
        noise = 0.5 * rng.normal(size=n) if across else 0.0
        right = difficulty + noise < 0.25
        score = np.sqrt(0.6) * common + np.sqrt(0.4) * rng.normal(size=n) + right + shared[1 + k]
        p = ndtr(score - 0.5)
        sides.append((np.round(p * ties) / ties if ties else p, right))
    return sides, cluster


def false_alarms(metric: str, n: int, size: int, ties: int, across: bool, times: int) -> float:
    """Share of comparisons that find a difference, and whose intervals miss 0, where there is none."""
    rng = np.random.default_rng(7)
    found = []
    for seed in range(times):
        ((a, y), (b, z)), cluster = related(rng, n, size, ties, across)
        made = compare(a, b, correct=y, correct_b=z, cluster=cluster, metric=metric, seed=seed)
        if made.p is not None:
            found.append(made.p <= 0.05)
            if metric != "accuracy" and made.low is not None and made.high is not None:
                assert (made.p <= 0.05) == (not made.low <= 0 <= made.high)
    assert len(found) > 0.9 * times
    return float(np.mean(found))


DESIGNS = [(20, 1), (50, 1), (40, 4), (100, 4)]


@pytest.mark.parametrize("across", [False, True])
@pytest.mark.parametrize(("n", "size"), DESIGNS)
def test_where_nothing_differs_auroc_seldom_does(n: int, size: int, across: bool) -> None:
    limit = 0.05 + 3 * np.sqrt(0.05 * 0.95 / 2000)
    assert false_alarms("auroc", n, size, 5, across, 2000) <= limit


@pytest.mark.parametrize(("n", "size"), DESIGNS)
def test_where_nothing_differs_accuracy_seldom_does(n: int, size: int) -> None:
    assert false_alarms("accuracy", n, size, 0, True, 2000) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 2000)


@pytest.mark.slow
@pytest.mark.parametrize("across", [False, True])
@pytest.mark.parametrize(("n", "size"), DESIGNS)
@pytest.mark.parametrize("metric", ["brier_loss", "ece", "auprc", "aurc"])
def test_where_nothing_differs_the_bootstrap_seldom_does(metric: str, n: int, size: int, across: bool) -> None:
    assert false_alarms(metric, n, size, 5, across, 2000) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 2000)


@pytest.mark.parametrize("size", [1, 4])
def test_intervals_of_real_differences_hold_them(size: int) -> None:
    """Coverage where one model is right more often and ranks better than the other."""
    rng = np.random.default_rng(2)

    def drawn(n: int) -> tuple[Any, Column]:
        cluster = np.arange(n) // size
        shared = rng.normal(size=n)[cluster] * (0.7 if size > 1 else 0)
        sides = []
        for worth, gap in ((1.5, 0.6), (0.5, 0.0)):
            right = shared + rng.normal(size=n) < gap
            sides.append((np.round(ndtr(rng.normal(size=n) + worth * right + shared), 1), right))
        return sides, cluster

    (((a, y), (b, z)), _), hits = drawn(400_000), {"auroc": 0, "accuracy": 0}
    truth = {
        "auroc": metrics.auroc(confidence=a, correct=y) - metrics.auroc(confidence=b, correct=z),
        "accuracy": y.mean() - z.mean(),
    }
    for _ in range(600):
        ((a, y), (b, z)), cluster = drawn(48)
        for metric in hits:
            made = compare(a, b, correct=y, correct_b=z, cluster=cluster, metric=metric)
            hits[metric] += made.low is not None and made.high is not None and made.low <= truth[metric] <= made.high
    assert min(hits.values()) / 600 >= 0.95 - 3 * np.sqrt(0.05 * 0.95 / 600)


def test_a_difference_of_brier_scores_is_the_paired_t_test_of_squared_errors() -> None:
    from scipy.stats import ttest_rel

    rng = np.random.default_rng(3)
    a, b, y = rng.random(80), rng.random(80), rng.random(80) < 0.6
    found = compare(a, b, correct=y, metric="brier_loss")
    wanted = ttest_rel((a - y) ** 2, (b - y) ** 2)
    assert found.p == pytest.approx(wanted.pvalue, abs=1e-12)
    assert (found.low, found.high) == pytest.approx(tuple(wanted.confidence_interval(0.95)), abs=1e-12)


def test_rows_repeated_in_clusters_add_nothing_to_a_difference_of_means() -> None:
    rng = np.random.default_rng(4)
    a, b, y = rng.random(60), rng.random(60), rng.random(60) < 0.5
    once = compare(a, b, correct=y, metric="brier_loss")
    twice = compare(
        *(np.repeat(x, 2) for x in (a, b)),
        correct=np.repeat(y, 2),
        cluster=np.repeat(range(60), 2),
        metric="brier_loss",
    )
    assert (twice.low, twice.high) == pytest.approx((once.low, once.high), abs=1e-12)

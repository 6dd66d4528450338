"""Rankings from bins: no order of answers inside a bin lies outside the bounds, and slopes are derivatives."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doxa.metrics.maths.cells import Cells, group
from doxa.metrics.maths.kernels import Places, Sums, harmonics, places
from doxa.metrics.maths.rule import rule
from doxa.streaming import sums
from doxa.streaming.places import area, harmonic, slopes, triangle
from doxa.streaming.tally import Grid, Tally, added, chunk

AREAS = ("auroc", "aurc", "excess_aurc", "prr", "auarc", "selective_auc")
answers = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40)


def kernel(name: str) -> Places:
    found = rule(name).kernel
    assert isinstance(found, Places)
    return found


def tally(p: np.ndarray, y: np.ndarray, bins: int = 3) -> Tally:
    made = Tally(Grid(0, 1, bins))
    made.add(chunk({}, made, p, y, 0))
    return made


@pytest.mark.parametrize("name", AREAS)
@given(rows=answers)
def test_the_exact_value_lies_within_the_bound(name: str, rows: list[tuple[float, bool]]) -> None:
    p, y = np.array([c for c, _ in rows]), np.array([right for _, right in rows])
    exact = float(kernel(name)(group(p, y)))
    seen = tally(p, y)
    found = area(kernel(name), seen.cells(), seen.mixed[seen.filled()])
    if np.isnan(exact):
        assert np.isnan(found.value)
    else:
        assert found.low - 1e-12 <= exact <= found.high + 1e-12
        assert abs(found.value - exact) <= found.bound + 1e-12


@pytest.mark.parametrize("name", AREAS)
def test_the_bounds_are_reached_by_the_best_and_the_worst_order_inside_bins(name: str) -> None:
    p, y = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]), np.array([0, 1, 1, 0, 1, 0, 1, 1, 0], dtype=bool)
    seen = tally(p, y)
    found = area(kernel(name), seen.cells(), seen.mixed[seen.filled()])
    bin_ = np.minimum((p * 3).astype(int), 2)
    ends = [float(kernel(name)(group(bin_ + sign * 0.1 * y, y))) for sign in (1, -1)]
    assert sorted(ends) == pytest.approx([found.low, found.high], abs=1e-12)


@given(st.lists(st.tuples(st.integers(0, 100), st.booleans()), min_size=1, max_size=40))
def test_the_bound_is_nothing_where_bins_hold_one_confidence_each(rows: list[tuple[int, bool]]) -> None:
    p, y = np.array([c / 100 for c, _ in rows]), np.array([right for _, right in rows])
    seen = tally(p, y, 1 << 16)
    found = area(kernel("aurc"), seen.cells(), seen.mixed[seen.filled()])
    assert found.bound == 0
    assert found.value == pytest.approx(float(kernel("aurc")(group(p, y))), abs=1e-12)


@given(st.lists(st.lists(st.floats(-1e308, 1e308), max_size=5), min_size=1, max_size=5), st.floats(-1e308, 1e308))
def test_bins_keep_the_order_of_any_numbers_and_batches_tell_what_one_look_does(
    batches: list[list[float]], more: float
) -> None:
    flat = np.array(sorted([more, *(value for batch in batches for value in batch)]))
    grid = Grid(float(flat[0]), float(flat[-1]), 16)
    index = grid.places(flat)
    assert all(a <= b for a, b in pairwise(index.tolist()))
    assert index.min() >= 0
    assert index.max() <= 15
    one, many = Tally(grid), Tally(grid)
    one.add(chunk({}, one, flat, flat > 0, 0))
    for batch in [[more], *batches]:
        values = np.array(batch)
        many.add(chunk({}, many, values, values > 0, 0))
    assert many.counts.tolist() == one.counts.tolist()
    assert many.mixed.tolist() == one.mixed.tolist() == [len(set(flat[index == i])) > 1 for i in range(16)]


def test_potentials_are_the_tables_they_stand_for() -> None:
    upto = np.arange(1001.0)
    np.testing.assert_allclose(triangle(upto), places(1000), rtol=1e-12)
    np.testing.assert_allclose(harmonic(upto), harmonics(1000), rtol=1e-12, atol=1e-9)


def cells(seed: int = 0) -> Cells:
    rng = np.random.default_rng(seed)
    confidence = np.linspace(0.97, 0.03, 40)
    right, wrong = rng.integers(0, 90, 40), rng.integers(1, 60, 40)
    return Cells(confidence, right.astype(float), wrong.astype(float))


def moved(kernel: Places | Sums, at: Cells, i: int, right: bool) -> float:
    """The change per answer by exact values with one answer more and one less."""
    found = []
    for by in (1, -1):
        counts = [at.right.copy(), at.wrong.copy()]
        counts[not right][i] += by
        found.append(float(kernel(Cells(at.confidence, *counts))))
    return (found[0] - found[1]) / 2


@pytest.mark.parametrize("name", AREAS)
def test_slopes_of_areas_are_what_an_answer_more_changes(name: str) -> None:
    at = cells()
    by_right, by_wrong = slopes(kernel(name), at) or (np.zeros(0), np.zeros(0))
    for i in (0, 7, 20, 39):
        assert by_right[i] == pytest.approx(moved(kernel(name), at, i, True), rel=2e-2, abs=2e-6)
        assert by_wrong[i] == pytest.approx(moved(kernel(name), at, i, False), rel=2e-2, abs=2e-6)


@pytest.mark.parametrize("name", ["accuracy", "brier_loss", "ece", "mce", "brier_skill_score", "debiased_squared_ece"])
def test_slopes_of_sums_are_what_an_answer_more_changes(name: str) -> None:
    at, found = cells(), rule(name).kernel
    assert isinstance(found, Sums)
    p = np.repeat(np.append(at.confidence, at.confidence), np.append(at.right, at.wrong).astype(int))
    y = np.arange(len(p)) < at.right.sum()
    by_right, by_wrong = sums.slopes(found, at, len(p), added({name: found}, p, y))
    for i in (0, 7, 20, 39):
        assert by_right[i] == pytest.approx(moved(found, at, i, True), rel=1e-2, abs=2e-6)
        assert by_wrong[i] == pytest.approx(moved(found, at, i, False), rel=1e-2, abs=2e-6)


def test_what_chance_shows_is_what_drawing_outcomes_shows() -> None:
    at, ece = cells(), rule("ece").kernel
    assert isinstance(ece, Sums)
    rng = np.random.default_rng(1)
    right = rng.binomial(at.count.astype(int), at.confidence, (4000, 40)).astype(float)
    drawn = ece(Cells(at.confidence, right, at.count - right))
    assert np.percentile(sums.by_chance(ece, at, 0), [5, 50, 95]) == pytest.approx(
        np.percentile(drawn, [5, 50, 95]), rel=0.04
    )

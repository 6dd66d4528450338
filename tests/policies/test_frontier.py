"""Cost and errors of cascades and routes: every plan by brute force, baselines in closed form."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doxa.errors import DataError
from doxa.policies.maths import frontier as module
from doxa.policies.maths.frontier import Answers, Plan, chains, frontier, mixing, oracle, within


@st.composite
def logs(draw: Any, models: int = 3, routed: bool = False) -> Answers:
    n, m = draw(st.integers(1, 10)), draw(st.integers(1, models))
    value = st.sampled_from([-np.inf, 0.0, 0.25, 0.5, 1.0])
    columns = 1 if routed else m
    confidence = np.array(draw(st.lists(value, min_size=n * columns, max_size=n * columns))).reshape(n, columns)
    correct = np.array(draw(st.lists(st.booleans(), min_size=n * m, max_size=n * m))).reshape(n, m)
    step = st.integers(0, 5)
    price = np.array(draw(st.lists(step, min_size=n * m, max_size=n * m)), dtype=float).reshape(n, m).cumsum(1)
    return Answers(np.broadcast_to(confidence, (n, m)), correct, price, routed)


def by_hand(answers: Answers, plan: Plan, row: int) -> tuple[float, bool, bool]:
    """Cost, answered, right of one question, told as a story."""
    paid = 0.0
    for stage, model in enumerate(plan.models):
        paid = answers.price[row, model] + (0.0 if answers.routed else paid)
        if stage >= len(plan.thresholds) or answers.confidence[row, model] >= plan.thresholds[stage]:
            return paid, True, bool(answers.correct[row, model])
    return paid, False, False


def every_plan(answers: Answers, abstaining: bool) -> list[Plan]:
    plans = []
    for chain in chains(answers):
        for gated in [chain[:-1], chain] if abstaining else [chain[:-1]]:
            values = [np.unique(answers.confidence[:, m]) for m in gated]
            plans += [Plan(chain, t) for t in product(*[v[np.isfinite(v)].tolist() for v in values])]
    return plans


def best(answers: Answers, coverage: float) -> list[tuple[float, float]]:
    """The frontier by looking at every plan and every question."""
    points = []
    for plan in every_plan(answers, coverage < 1):
        told = [by_hand(answers, plan, row) for row in range(len(answers.correct))]
        given = sum(each[1] for each in told)
        if given and (coverage == 1 or given >= coverage * len(told) - 1e-9):
            points.append((sum(each[0] for each in told) / len(told), 1 - sum(each[2] for each in told) / given))
    kept: list[tuple[float, float]] = []
    for point in sorted(points):
        if not kept or point[1] < kept[-1][1] - 1e-9:
            kept.append(point)
    return kept


@settings(max_examples=60, deadline=None)
@given(logs(), st.sampled_from([1.0, 0.7]))
def test_the_frontier_of_cascades_is_that_of_all_plans(answers: Answers, coverage: float) -> None:
    found = frontier(answers, coverage)
    assert [(p.cost, p.risk) for p in found] == [pytest.approx(point) for point in best(answers, coverage)]
    for point in found:
        outcome = point.plan.outcome(answers)
        assert outcome.cost.mean() == pytest.approx(point.cost)
        assert outcome.answered.mean() == pytest.approx(point.coverage)
        assert outcome.wrong == pytest.approx(point.risk * outcome.answered.sum())


@settings(max_examples=60, deadline=None)
@given(logs(routed=True))
def test_the_frontier_of_routes_is_that_of_all_plans(answers: Answers) -> None:
    found = frontier(answers)
    assert [(p.cost, p.risk) for p in found] == [pytest.approx(point) for point in best(answers, 1.0)]
    assert all((point.plan.outcome(answers).calls == 1).all() for point in found)


def test_many_thresholds_are_thinned_to_quantiles(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    c = rng.random((400, 2))
    answers = Answers(c, rng.random((400, 2)) < c, np.tile([1.0, 10.0], (400, 1)))
    exact = frontier(answers, 0.8)
    monkeypatch.setattr(module, "CELLS", 2500)
    for point in frontier(answers, 0.8):
        nearest = within(exact, point.cost)
        assert nearest is not None and point.risk >= nearest.risk - 1e-12 and point.risk <= nearest.risk + 0.03


def test_a_cascade_of_two_by_hand() -> None:
    answers = Answers(
        np.array([[0.9, 0.5], [0.6, 0.5], [0.3, 0.5], [0.3, 0.5]]),
        np.array([[True, True], [False, True], [False, False], [True, True]]),
        np.tile([1.0, 4.0], (4, 1)),
    )
    found = frontier(answers)
    # Asked alone the large one is as good as after the small one, and here costs no more.
    assert [(p.plan.models, p.plan.thresholds, p.cost, p.risk) for p in found] == [
        ((0,), (), 1.0, 0.5),
        ((1,), (), 4.0, 0.25),
    ]
    outcome = Plan((0, 1), (0.9,)).outcome(answers)
    assert outcome.cost.tolist() == [1, 5, 5, 5] and outcome.calls.tolist() == [1, 2, 2, 2]
    assert outcome.wrong == 1 and outcome.cost.mean() == 4.0


def test_budgets_choose_the_best_that_can_be_paid() -> None:
    rng = np.random.default_rng(1)
    c = rng.integers(0, 11, (300, 2)) / 10
    answers = Answers(c, rng.random((300, 2)) < np.maximum(c, [[0.0, 0.8]]), np.tile([1.0, 10.0], (300, 1)))
    points = frontier(answers)
    assert within(points, 0.5) is None and within(points, 1.0) == points[0] and within(points, 99.0) == points[-1]
    middle = within(points, 5.0)
    assert middle is not None and middle.cost <= 5 and all(p.risk >= middle.risk for p in points if p.cost <= 5)


# -- baselines ---------------------------------------------------------------------------------------------------------


def two(wrong_right: int, n: int = 10) -> Answers:
    """Ten questions: the cheap one fails at five, of which the dear one solves some."""
    cheap = [True] * 5 + [False] * 5
    dear = [True] * 5 + [True] * wrong_right + [False] * (5 - wrong_right)
    return Answers(np.zeros((n, 2)), np.array([cheap, dear]).T, np.tile([1.0, 5.0], (n, 1)))


def test_chance_is_the_chord_and_the_oracle_buys_right_answers_only() -> None:
    answers = two(4)
    assert [mixing(answers, b) for b in (0.5, 1, 3, 5, 9)] == [
        None, pytest.approx(0.5), pytest.approx(0.3), pytest.approx(0.1), pytest.approx(0.1),
    ]  # fmt: skip
    # Each right answer costs 4 more on one question of ten.
    found = [oracle(answers, b) for b in (0.5, 1, 1.2, 1.4, 2.6, 9)]
    assert found == [
        None, pytest.approx(0.5), pytest.approx(0.45), pytest.approx(0.4), pytest.approx(0.1), pytest.approx(0.1),
    ]  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(logs(), st.floats(0, 20))
def test_no_cascade_beats_the_oracle_at_its_cost(answers: Answers, budget: float) -> None:
    point, bound = within(frontier(answers), budget), oracle(answers, budget)
    assert point is None or bound is None or point.risk >= bound - 1e-9


def test_what_does_not_fit_is_refused() -> None:
    fine = np.ones((2, 2))
    for confidence, correct, price in [
        (fine, np.ones((2, 1), bool), fine),
        (fine, np.ones((2, 2), bool), -fine),
        (fine * np.nan, np.ones((2, 2), bool), fine),
        (np.ones((0, 2)), np.ones((0, 2), bool), np.ones((0, 2))),
    ]:
        with pytest.raises(DataError):
            Answers(confidence, correct, price)

"""How long to think and when to answer: the published utilities, every choice by brute force, what is decided."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doxa.errors import DataError, UsageError
from doxa.metrics.maths.utility import utility
from doxa.policies.thinking_budget import ThinkingBudget, best_budget
from doxa.state import revive
from doxa.types import Case


def published() -> dict[str, Any]:
    """Of 60 answers 30 are right and 10 wrong with a confidence of at least one half; 20 have less."""
    confidence = np.array([0.9] * 30 + [0.5] * 10 + [0.2] * 20)
    return {"confidence": confidence, "correct": np.array([True] * 30 + [False] * 10 + [False] * 20)}


@pytest.mark.parametrize(("cost", "least", "worth"), [(0, 0.9, 0.5), (1, 0.9, 0.5), (20, 0.9, 0.5)])
def test_the_best_threshold_of_the_published_example(cost: float, least: float, worth: float) -> None:
    data = {name: values[:, None] for name, values in published().items()}
    found = best_budget(**data, thought=np.zeros((60, 1)), cost=cost, price=0.0)
    assert found is not None and (found.threshold, found.utility) == (least, pytest.approx(worth))


@pytest.mark.parametrize(("cost", "expected"), [(0, 0.5), (1, 0.333333), (20, -2.833333)])
def test_where_confidence_tells_nothing_the_published_utilities_are_all_there_is(cost: float, expected: float) -> None:
    # Answered alike, 30 right and 10 wrong bring the published utility, or silence where that is worth less.
    data = {
        "confidence": np.array([[0.7]] * 40 + [[-np.inf]] * 20),
        "correct": np.array([[True]] * 30 + [[False]] * 30),
    }
    found = best_budget(**data, thought=np.zeros((60, 1)), cost=cost, price=0.0)
    if expected < 0:
        assert found is None
    else:
        assert found is not None and found.utility == pytest.approx(expected, abs=5e-7)


@st.composite
def answers(draw: Any) -> dict[str, Any]:
    n, budgets = draw(st.integers(1, 12)), draw(st.integers(1, 3))
    values = st.sampled_from([-np.inf, 0.0, 0.25, 0.5, 1.0])
    size = {"min_size": n * budgets, "max_size": n * budgets}
    return {
        "confidence": np.array(draw(st.lists(values, **size))).reshape(n, budgets),
        "correct": np.array(draw(st.lists(st.booleans(), **size))).reshape(n, budgets),
        "thought": np.array(draw(st.lists(st.integers(0, 9), **size)), dtype=float).reshape(n, budgets),
    }


@given(answers(), st.sampled_from([0.0, 1.0, 3.0, 20.0]), st.sampled_from([0.0, 0.05]))
def test_no_other_budget_and_threshold_is_worth_more(data: dict[str, Any], cost: float, price: float) -> None:
    n, budgets = data["confidence"].shape
    tried = [0.0]
    for column in range(budgets):
        for threshold in (0.0, 0.25, 0.5, 1.0):
            given_ = data["confidence"][:, column] >= threshold
            right = int((given_ & data["correct"][:, column]).sum())
            counts = {"right": right, "wrong": int(given_.sum()) - right, "abstained": n - int(given_.sum())}
            tried.append(utility(**counts, risk=cost) - price * float(data["thought"][:, column].mean()))
    found = best_budget(**data, cost=cost, price=price)
    assert (0.0 if found is None else found.utility) == pytest.approx(max(tried))
    if found is not None:
        given_ = data["confidence"][:, found.column] >= found.threshold
        right = int((given_ & data["correct"][:, found.column]).sum())
        counts = {"right": right, "wrong": int(given_.sum()) - right, "abstained": n - int(given_.sum())}
        paid = price * float(data["thought"][:, found.column].mean())
        assert utility(**counts, risk=cost) - paid == pytest.approx(found.utility)


def thinking(n: int = 300) -> dict[str, Any]:
    """Short thinking is right half the time and sure of nothing; long thinking knows which half it solves."""
    rng = np.random.default_rng(0)
    solved = rng.random(n) < 0.6
    confidence = np.stack([np.full(n, 0.5), np.where(solved, 0.9, 0.2)], axis=1)
    return {"confidence": confidence, "correct": np.stack([rng.random(n) < 0.5, solved], axis=1)}


def test_it_thinks_longer_where_errors_cost_and_answers_when_sure() -> None:
    policy = ThinkingBudget(budgets=(8, 64), cost=20).fit(**thinking())
    assert policy.decide(Case(0.9, details={"budget": 8.0})).act == "reflect"
    assert policy.budget == 64
    assert policy.decide(Case(0.9, details={"budget": 64.0})).act == "answer"
    assert policy.decide(Case(0.9)).act == "answer"
    assert policy.decide(Case(0.89)).act == policy.decide(Case(None)).act == "abstain"
    assert revive(json.loads(json.dumps(policy.to_json()))) == policy


def test_dear_thinking_is_left_out_and_worthless_answers_are_not_given() -> None:
    dear = ThinkingBudget(budgets=(8, 64), cost=0, price=0.005).fit(**thinking())
    assert dear._budget == 8 and dear.decide(Case(0.5)).act == "answer"
    # What was really thought is paid, not the budget.
    spent = np.tile([8.0, 9.0], (300, 1))
    assert ThinkingBudget(budgets=(8, 64), cost=0, price=0.005).fit(**thinking(), thought=spent)._budget == 64
    nothing = ThinkingBudget(cost=20).fit(confidence=[0.9] * 10, correct=[True] * 5 + [False] * 5)
    assert nothing.decide(Case(1.0)).act == "abstain" and "no answer is worth" in nothing.decide(Case(1.0)).reason


def test_misuse_is_refused() -> None:
    with pytest.raises(UsageError, match="cost=-1"):
        ThinkingBudget(cost=-1)
    with pytest.raises(UsageError, match="budgets=-8"):
        ThinkingBudget(budgets=(-8,))
    with pytest.raises(DataError, match="for 2 budgets"):
        ThinkingBudget(budgets=(8, 64)).fit(confidence=[0.5], correct=[True])
    with pytest.raises(DataError, match="neither true nor false"):
        ThinkingBudget().fit(confidence=[0.5], correct=[0.5])

"""Confidence targets: the published example, the best policy, and what is lost against it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doxa.errors import DataError
from doxa.metrics import confidence_target_score, measure_table, target_agreement, target_regret, target_shortfall

OUTCOMES = ["correct"] * 60 + ["abstain"] * 20 + ["wrong"] * 20


@pytest.mark.parametrize(("t", "expected"), [(0.5, 0.4), (0.75, 0.0), (0.9, -1.2), (0.0, 0.6), (2 / 3, 0.2)])
def test_published_scores(t: float, expected: float) -> None:
    assert confidence_target_score(outcome=OUTCOMES, at=t) == pytest.approx(expected)
    assert confidence_target_score(outcome=OUTCOMES, target=[t] * 100) == pytest.approx(expected)


def test_the_penalties_are_those_of_the_formula() -> None:
    found = [-confidence_target_score(outcome=["wrong"], at=t) for t in (0, 0.5, 0.75, 0.9)]
    assert found == pytest.approx([0, 1, 3, 9])


@pytest.mark.parametrize("t", [1.0, 1.5, -0.1])
def test_a_target_of_one_is_refused(t: float) -> None:
    with pytest.raises(DataError, match=r"not in \[0, 1\)"):
        confidence_target_score(outcome=["wrong"], at=t)


@given(t=st.sampled_from([0.0, 0.25, 0.5, 0.75, 0.9]), p=st.floats(0, 1))
def test_answering_is_worth_more_than_silence_only_above_the_target(t: float, p: float) -> None:
    worth = p * confidence_target_score(outcome=["correct"], at=t) + (1 - p) * confidence_target_score(
        outcome=["wrong"], at=t
    )
    assert worth == pytest.approx((p - t) / (1 - t), abs=1e-9)


def test_a_model_that_knows_its_chances_and_obeys_has_no_regret_and_the_best_score() -> None:
    rng = np.random.default_rng(0)
    belief, target = rng.random(40_000), rng.choice([0.0, 0.5, 0.75, 0.9], 40_000)
    right = np.where(rng.random(40_000) < belief, "correct", "wrong")
    wise = np.where(belief > target, right, "abstain")
    best = confidence_target_score(outcome=wise, target=target)
    for other in (right, np.where(belief > target + 0.2, right, "abstain"), np.where(belief > 0.5, right, "abstain")):
        assert confidence_target_score(outcome=other, target=target) < best
        assert target_regret(outcome=other, target=target, belief=belief) > 0
    assert target_regret(outcome=wise, target=target, belief=belief) == 0
    assert target_agreement(outcome=wise, target=target, belief=belief) == 1
    assert target_shortfall(outcome=wise, target=target) == 0
    foolish = np.where(belief > target, "abstain", right)
    assert target_regret(outcome=foolish, target=target, belief=belief) == 1
    assert target_agreement(outcome=foolish, target=target, belief=belief) == 0


def test_shortfall_is_the_mean_over_targets() -> None:
    outcome = ["correct", "wrong", "wrong", "wrong", "correct", "abstain", "abstain", "correct"]
    target = [0.75, 0.75, 0.75, 0.75, 0.5, 0.5, 0.9, 0.0]
    assert target_shortfall(outcome=outcome, target=target) == pytest.approx((0.5 + 0 + 0 + 0) / 4)


def test_nothing_at_stake_has_no_regret_to_measure() -> None:
    columns = {"outcome": ["abstain"], "target": [0.5], "belief": [0.5]}
    [made] = measure_table(columns, metrics=["target_regret"])
    assert made.value is None and "nothing is at stake" in made.reason
    assert target_agreement(**columns) == 1

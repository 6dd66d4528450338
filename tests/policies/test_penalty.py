"""Penalty-aware answering."""

from __future__ import annotations

import pytest

from doxa.errors import UsageError
from doxa.policies.penalty import Penalty
from doxa.types import Case


@pytest.mark.parametrize("cost, threshold", [(0, 0), (1, 0.5), (3, 0.75), (9, 0.9)])
def test_answers_above_cost_over_one_plus_cost(cost: float, threshold: float) -> None:
    policy = Penalty(cost=cost)
    assert policy.threshold == pytest.approx(threshold)
    assert policy.decide(Case(None, probability=threshold + 1e-9)).act == "answer"
    assert policy.decide(Case(None, probability=max(0.0, threshold - 1e-9))).act == "abstain"


def test_a_negative_cost_is_refused() -> None:
    with pytest.raises(UsageError, match="cost=-1"):
        Penalty(cost=-1)

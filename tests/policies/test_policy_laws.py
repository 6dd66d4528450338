"""Laws that every policy keeps by being in the folder."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from doxa import registry
from doxa.state import revive
from doxa.types import ACTS, Case

NAMES = registry.names("policies")
EACH = pytest.mark.parametrize("name", NAMES)


def fitted(name: str, n: int = 300) -> Any:
    rng = np.random.default_rng(0)
    p = rng.integers(0, 21, n) / 20
    return registry.build("policies", name).fit(confidence=p, correct=rng.random(n) < p)


@EACH
@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_decisions_are_known_acts_with_a_reason(name: str, value: float) -> None:
    decision = fitted(name).decide(Case(value, probability=value))
    assert decision.act in ACTS
    assert decision.reason or decision.guarantee


@EACH
def test_state_survives_json(name: str) -> None:
    policy = fitted(name)
    again = revive(json.loads(json.dumps(policy.to_json())))
    assert again == policy
    assert again.decide(Case(0.7, probability=0.7)) == policy.decide(Case(0.7, probability=0.7))


@EACH
def test_without_confidence_nothing_is_answered_outright(name: str) -> None:
    assert fitted(name).decide(Case(None)).act != "answer"

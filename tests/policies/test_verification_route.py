"""The route: its four corners, its thresholds against brute force, and what it does with less."""

from __future__ import annotations

import itertools
import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doxa.errors import DataError, UsageError
from doxa.policies.verification_route import VerificationRoute, best_corner
from doxa.state import revive
from doxa.types import Case


def case(tau: float | None, gamma: float | None, confidence: float | None = 0.5) -> Case:
    return Case(confidence, details={"tau": tau, "gamma": gamma}, evidence=("for", "against"))


@pytest.mark.parametrize(
    ("tau", "gamma", "act"),
    [
        (0.9, 0.8, "answer"), (0.6, 0.3, "answer"), (0.9, 0.2, "retrieve"), (0.2, 0.8, "reflect"), (0.2, 0.2, "search"),
        (0.6, 0.2999, "retrieve"), (0.5999, 0.3, "reflect"),
    ],
)  # fmt: skip
def test_the_four_corners(tau: float, gamma: float, act: str) -> None:
    decision = VerificationRoute(alpha=0.6, beta=0.3).decide(case(tau, gamma))
    assert decision.act == act and decision.act in VerificationRoute.acts and decision.confidence == 0.5
    assert decision.payload == (None if act == "answer" else ("for", "against"))
    assert f"certainty {tau:.3f}" in decision.reason and f"consistency {gamma:.3f}" in decision.reason


def test_the_confidence_stands_for_what_is_missing() -> None:
    policy = VerificationRoute(alpha=0.7, beta=0.3)
    acts = [policy.decide(each).act for each in (Case(0.9), Case(0.5), Case(0.1), case(0.9, None, 0.1))]
    assert acts == ["answer", "reflect", "search", "search"]
    unknown = policy.decide(case(0.9, None, None))
    assert (unknown.act, unknown.confidence) == ("search", None) and "known" in unknown.reason


@pytest.mark.parametrize("knobs", [{"alpha": -0.1}, {"beta": math.inf}, {"alpha": math.nan}, {"price": 1.1}])
def test_senseless_knobs_are_refused(knobs: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(knobs))):
        VerificationRoute(**knobs)


def value(alpha: float, beta: float, rows: list[tuple[float, float, bool]], price: float) -> float:
    return sum(right if tau >= alpha and gamma >= beta else 1 - price for tau, gamma, right in rows)


STEP = st.integers(0, 4).map(lambda n: n / 4)


@given(st.lists(st.tuples(STEP, STEP, st.booleans()), min_size=1, max_size=25), st.sampled_from([0.0, 0.125, 0.5, 1.0]))
def test_learnt_thresholds_are_the_best_of_all(rows: list[tuple[float, float, bool]], price: float) -> None:
    tau, gamma, right = (np.array(column) for column in zip(*rows, strict=True))
    found = best_corner(tau, gamma, right, price)
    candidates = [n / 4 for n in range(6)]
    worths = {pair: value(*pair, rows, price) for pair in itertools.product(candidates, candidates)}
    assert value(*found, rows, price) == pytest.approx(max(worths.values()))
    again = best_corner(tau[::-1], gamma[::-1], right[::-1], price)
    assert again == found


def fit(rows: list[tuple[float | None, float | None, bool]], **knobs: Any) -> VerificationRoute:
    details = [{"tau": tau, "gamma": gamma} for tau, gamma, _ in rows]
    confidence = [0.5] * len(rows)
    return VerificationRoute(**knobs).fit(confidence=confidence, correct=[r for *_, r in rows], details=details)


def test_it_learns_where_answers_are_right_often_enough() -> None:
    rows: list[tuple[float | None, float | None, bool]] = [
        *[(0.9, 0.9, True)] * 9, (0.9, 0.9, False), *[(0.9, 0.2, False)] * 5, *[(0.3, 0.9, n < 3) for n in range(5)],
        (None, 0.9, False), (0.9, None, False),
    ]  # fmt: skip
    assert fit(rows, price=0.2).thresholds == (0.9, 0.9)  # 9 of 10 are right; below certainty 3 of 5
    assert fit(rows, price=0.5).thresholds == (0.3, 0.9)
    cautious = fit(rows, price=0.05)
    assert cautious.decide(case(1.0, 1.0)).act == "answer"  # surer than any that was wrong
    assert {cautious.decide(case(tau, gamma)).act for tau, gamma, _ in rows[:-2]} == {"search"}
    assert revive(json.loads(json.dumps(cautious.to_json()))) == cautious


def test_from_confidence_alone_there_is_one_threshold() -> None:
    confidence, correct = [0.9] * 10 + [0.4] * 10, [True] * 10 + [False] * 8 + [True] * 2
    policy = VerificationRoute().fit(confidence=confidence, correct=correct)
    assert policy.thresholds == (0.9, 0.9)
    assert [policy.decide(Case(p)).act for p in (0.9, 0.89)] == ["answer", "search"]
    assert policy.decide(case(0.1, 0.1, 0.9)).act == "answer"  # what it learnt is about the confidence
    for nothing in ([], [{"tau": None}] * 20):
        assert VerificationRoute().fit(confidence=confidence, correct=correct, details=nothing) == policy


def test_bad_rows_are_named() -> None:
    with pytest.raises(DataError, match="2 values and correct has 1"):
        VerificationRoute().fit(confidence=[0.1, 0.2], correct=[True])
    with pytest.raises(DataError):
        VerificationRoute().fit(confidence=[], correct=[])

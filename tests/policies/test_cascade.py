"""Cascades and routes: what they decide, and that their bound on errors holds."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from doxa.errors import DataError, UsageError
from doxa.policies.cascade import Cascade
from doxa.policies.maths.cheapest import halves
from doxa.policies.maths.frontier import Answers, Plan
from doxa.policies.routing import Routing
from doxa.state import revive
from doxa.types import Case

NAMES, PRICES = ("small", "large"), (1.0, 10.0)


def log(n: int = 4000, seed: int = 0) -> dict[str, Any]:
    """The small model is right as often as it says; the large one nine times in ten, whatever it says."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 11, n) / 10
    confidence = np.stack([small, rng.integers(5, 11, n) / 10], axis=1)
    return {"confidence": confidence, "correct": rng.random((n, 2)) < np.stack([small, np.full(n, 0.95)], axis=1)}


def test_the_cheapest_cascade_asks_the_large_model_where_the_small_one_is_unsure() -> None:
    policy = Cascade(models=NAMES, prices=PRICES, risk=0.1).fit(**log())
    sure, unsure = policy.decide(Case(1.0)), policy.decide(Case(0.1))
    assert (sure.act, sure.payload, sure.guarantee) == ("answer", "small", policy.guarantee)
    assert (unsure.act, unsure.payload, unsure.guarantee) == ("escalate", "large", None)
    assert policy.decide(Case(None)).act == "escalate"
    last = policy.decide(Case(0.1, details={"stage": 1.0}))
    assert (last.act, last.payload) == ("answer", "large")
    assert policy.guarantee is not None and policy.guarantee.bound == 0.1 and policy.guarantee.n == 2000
    # With answers kept from 0.8 on, (0.2 + 0.1 + 0 + 8 · 0.05) / 11 = 6.4 % are wrong; from 0.7 on 8.6 %.
    assert policy._thresholds in [(0.7,), (0.8,)]


def test_the_order_of_columns_does_not_matter_but_prices_do() -> None:
    data = log()
    turned = {key: values[:, ::-1] for key, values in data.items()}
    one = Cascade(models=NAMES, prices=PRICES).fit(**data)
    other = Cascade(models=NAMES[::-1], prices=PRICES[::-1]).fit(**turned)
    assert (one._chain, one._thresholds) == (other._chain, other._thresholds)
    paid = Cascade(models=NAMES).fit(**data, price=np.tile(PRICES, (4000, 1)))
    assert (paid._chain, paid._thresholds) == (one._chain, one._thresholds)
    # Where both cost the same, asking the better one alone is cheapest.
    assert Cascade(models=NAMES).fit(**data)._chain == ("large",)


def test_the_last_abstains_where_fewer_answers_will_do() -> None:
    data = log()
    assert Cascade(models=NAMES, prices=PRICES, risk=0.01).fit(**data)._chain == ()
    policy = Cascade(models=NAMES[:1], risk=0.1, answered=0.15).fit(
        confidence=data["confidence"][:, 0], correct=data["correct"][:, 0]
    )
    assert policy.decide(Case(1.0)).act == "answer"
    assert policy.decide(Case(0.2)).act == policy.decide(Case(None)).act == "abstain"


def test_where_none_qualifies_it_abstains_on_everything_and_says_so() -> None:
    n = 50
    policy = Cascade(models=NAMES, prices=PRICES).fit(confidence=np.ones((n, 2)), correct=np.zeros((n, 2)))
    decision = policy.decide(Case(1.0))
    assert (decision.act, decision.guarantee) == ("abstain", None) and "no cascade keeps" in decision.reason
    routing = Routing(models=NAMES, prices=PRICES).fit(confidence=np.ones(n), correct=np.zeros((n, 2)))
    assert routing.decide(Case(1.0)).act == "abstain" and routing.guarantee is None
    for few in (1, 2, 3):
        tiny = Cascade(models=NAMES, prices=PRICES).fit(confidence=np.ones((few, 2)), correct=np.ones((few, 2)))
        assert tiny.decide(Case(1.0)).act == "abstain"


def test_a_route_asks_one_model_alone() -> None:
    data = log()
    policy = Routing(models=NAMES, prices=PRICES).fit(confidence=data["confidence"][:, 0], correct=data["correct"])
    sure, unsure = policy.decide(Case(1.0)), policy.decide(Case(0.0))
    assert (sure.act, sure.payload) == ("escalate", "small") and (unsure.act, unsure.payload) == ("escalate", "large")
    assert policy.decide(Case(None)).payload == "large" and policy.guarantee is not None


@pytest.mark.parametrize("member", [Cascade, Routing])
def test_fitted_state_survives_json(member: Any) -> None:
    data = log()
    signal = data["confidence"] if member is Cascade else data["confidence"][:, 0]
    policy = member(models=NAMES, prices=PRICES).fit(confidence=signal, correct=data["correct"])
    assert revive(json.loads(json.dumps(policy.to_json()))) == policy


def test_misuse_is_refused() -> None:
    data = log(40)
    with pytest.raises(UsageError, match="1 names for 2"):
        Cascade(models=("small",)).fit(**data)
    with pytest.raises(DataError, match="prices for 2 models"):
        Cascade(prices=(1.0,)).fit(**data)
    with pytest.raises(DataError, match="neither true nor false"):
        Cascade().fit(confidence=[0.5], correct=[0.5])
    with pytest.raises(UsageError, match="answered=0"):
        Cascade(answered=0.0)
    with pytest.raises(UsageError, match="stage 2"):
        Cascade(models=NAMES, prices=PRICES).fit(**log()).decide(Case(0.5, details={"stage": 2.0}))


def test_halves_share_no_cluster_and_test_one_row_of_each() -> None:
    cluster = [f"c{i // 3}" for i in range(60)]
    drawn, tested = halves(cluster, 0)
    names = np.asarray(cluster)
    assert not set(names[drawn]) & set(names[tested])
    assert drawn.sum() == 30 and tested.sum() == 10 == len(set(names[tested]))


# -- the bound, by simulation ------------------------------------------------------------------------------------------

TIMES = 2000
LEVELS = np.array([0.2, 0.5, 0.8, 1.0])


def population(name: str) -> tuple[Answers, np.ndarray]:
    """All that can happen, with its probability: two confidences, and which of two models are right."""
    cells, weights = [], []
    for i, small in enumerate(LEVELS):
        for j, large in enumerate(LEVELS):
            honest = {"honest": (small, 0.6 + 0.4 * large), "useless": (0.8, 0.9), "wrong": (0.0, 0.0)}[name]
            for first in (True, False):
                for second in (True, False):
                    odds = (honest[0] if first else 1 - honest[0]) * (honest[1] if second else 1 - honest[1])
                    cells.append((small, large, first, second))
                    weights.append(odds * (i + 1) * (j + 1) / 100)
    table = np.array(cells, dtype=float)
    answers = Answers(table[:, :2], table[:, 2:] == 1, np.tile([1.0, 10.0], (len(table), 1)))
    return answers, np.array(weights)


def true_risk(policy: Any, everything: Answers, weights: np.ndarray) -> float | None:
    if not policy._chain:
        return None
    outcome = Plan(tuple(NAMES.index(name) for name in policy._chain), policy._thresholds).outcome(everything)
    return float(1 - weights[outcome.right].sum() / weights[outcome.answered].sum())


@pytest.mark.parametrize(
    ("name", "n", "risk", "delta", "coverage"),
    [
        ("honest", 60, 0.2, 0.1, 1.0),
        ("honest", 300, 0.1, 0.05, 0.5),
        ("useless", 200, 0.1, 0.1, 1.0),
        ("useless", 40, 0.2, 0.2, 0.3),
        ("wrong", 20, 0.3, 0.1, 1.0),
    ],
)
def test_the_bound_breaks_as_rarely_as_promised(name: str, n: int, risk: float, delta: float, coverage: float) -> None:
    everything, weights = population(name)
    rng, broken, chosen = np.random.default_rng(0), 0, 0
    policy = Cascade(models=NAMES, prices=PRICES, risk=risk, delta=delta, answered=coverage)
    for _ in range(TIMES):
        some = everything[rng.choice(len(weights), n, p=weights)]
        found = true_risk(policy.fit(confidence=some.confidence, correct=some.correct), everything, weights)
        chosen += found is not None
        broken += found is not None and found > risk + 1e-12
    assert broken / TIMES <= delta + 3 * math.sqrt(delta * (1 - delta) / TIMES)
    assert (chosen == 0) if name == "wrong" else (chosen > 0)

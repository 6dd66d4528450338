"""Conformal risk control: the expectation holds, and the threshold is MAPIE's."""

from __future__ import annotations

import numpy as np
import pytest
from populations import CALIBRATIONS, POPULATIONS, marginal, risks

from doxa.errors import UsageError
from doxa.policies.conformal_risk_control import ConformalRiskControl
from doxa.types import Case

CASES = [("rising", 300, 0.05), ("rising", 12, 0.1), ("rising, no ties", 100, 0.1), ("one confidence", 200, 0.1)]


@pytest.mark.parametrize(
    "name, n, risk", [*CASES, ("up and down", 50, 0.05), ("all wrong", 40, 0.1), ("sure of errors", 99, 0.01)]
)
def test_the_risk_holds_on_average_over_calibrations(name: str, n: int, risk: float) -> None:
    found = risks(ConformalRiskControl(risk=risk), POPULATIONS[name], n, marginal)
    assert found.mean() <= risk + 3 * found.std() / np.sqrt(CALIBRATIONS)


@pytest.mark.parametrize("name, n, risk", [("rising", 300, 0.05), ("rising, no ties", 100, 0.1)])
def test_it_does_not_waste_the_risk(name: str, n: int, risk: float) -> None:
    found = risks(ConformalRiskControl(risk=risk), POPULATIONS[name], n, marginal)
    # The loss of an answer is at most 1, so that of n answers jumps by 1 / n, more only at ties of the population.
    assert found.mean() >= (risk - 2 / (n + 1) if "no ties" in name else risk / 2)


@pytest.mark.slow
@pytest.mark.parametrize("name", POPULATIONS)
def test_the_risk_holds_on_a_larger_grid(name: str) -> None:
    for n in (5, 10, 50, 500):
        for risk in (0.01, 0.05, 0.1, 0.3):
            found = risks(ConformalRiskControl(risk=risk), POPULATIONS[name], n, marginal)
            assert found.mean() <= risk + 3 * found.std() / np.sqrt(CALIBRATIONS)


@pytest.mark.filterwarnings("ignore")
def test_the_threshold_is_mapies() -> None:
    from mapie.risk_control.methods import get_r_hat_plus

    rng = np.random.default_rng(0)
    for _ in range(50):
        n, risk = int(rng.integers(20, 200)), float(rng.choice([0.05, 0.1, 0.2]))
        p, y = np.round(rng.random(n), 2), rng.random(n) < 0.7
        values = np.unique(p)
        losses = ((p[:, None] >= values) & ~y[:, None]).astype(float)
        bound = get_r_hat_plus(losses, values, "crc", None, None, None)[1]
        fine = values[bound <= risk + 1e-12]
        ours = ConformalRiskControl(risk=risk).fit(confidence=p, correct=y).threshold
        assert ours == (fine[0] if len(fine) else None)


def test_with_too_few_answers_it_names_how_many_are_needed() -> None:
    policy = ConformalRiskControl(risk=0.05)
    reason = policy.fit(confidence=np.ones(18), correct=np.ones(18)).decide(Case(1.0)).reason
    assert reason == "18 answers cannot hold a risk of 0.05 on average; 19 could, if all were right"
    assert policy.fit(confidence=np.ones(19), correct=np.ones(19)).decide(Case(1.0)).act == "answer"


def test_where_nothing_qualifies_everything_is_declined_and_the_reached_risk_named() -> None:
    decision = ConformalRiskControl().fit(confidence=np.ones(99), correct=np.zeros(99)).decide(Case(1.0))
    assert decision.act == "abstain"
    assert decision.reason == "no threshold qualifies: the strictest one shows a risk of 1, not 0.05"


def test_clusters_count_by_the_mean_of_their_losses() -> None:
    p, cluster = np.ones(40), np.repeat(np.arange(20), 2)
    half = ConformalRiskControl(risk=0.1).fit(confidence=p, correct=np.arange(40) >= 2, cluster=cluster)
    assert half.guarantee.n == 20
    assert half.threshold == 1
    halves = ConformalRiskControl(risk=0.1).fit(confidence=p, correct=np.arange(40) % 2 == 0, cluster=cluster)
    assert halves.threshold is None


def test_an_impossible_risk_is_refused() -> None:
    with pytest.raises(UsageError, match="risk=2"):
        ConformalRiskControl(risk=2)

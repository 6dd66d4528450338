"""Learn then test: the promise is kept by every p-value and family, for either loss."""

from __future__ import annotations

import numpy as np
import pytest
from populations import POPULATIONS, marginal, risks, selective, tolerated

from doxa.errors import UsageError
from doxa.policies.learn_then_test import LearnThenTest
from doxa.types import Case

RISK = {"selective": selective, "marginal": marginal}
STEPS = {"low": 0.0, "high": 10.0, "steps": 10}


@pytest.mark.parametrize(
    "name, n, delta, knobs",
    [
        ("rising", 300, 0.1, {}),
        ("rising", 300, 0.1, {"p_value": "hoeffding_bentkus"}),
        ("rising, no ties", 200, 0.05, {"family": "fixed_sequence", "high": 8.0}),
        ("just too risky everywhere", 200, 0.2, {}),
        ("just too risky everywhere", 60, 0.2, {"family": "fixed_sequence", "high": 2.0}),
        ("one confidence", 25, 0.1, {"family": "bonferroni"}),
        ("up and down", 200, 0.1, {"steps": 20}),
        ("all wrong", 100, 0.05, {}),
        ("rising", 200, 0.1, {"loss": "marginal", "family": "fixed_sequence"}),
        ("rising", 200, 0.1, {"loss": "marginal", "p_value": "hoeffding_bentkus"}),
        ("all wrong", 30, 0.2, {"loss": "marginal", "family": "fixed_sequence"}),
        (
            "one confidence",
            20,
            0.05,
            {"p_value": "hoeffding_bentkus", "family": "fixed_sequence", "high": 0.0, "low": -1},
        ),
    ],
)
def test_the_share_of_calibrations_that_break_the_promise_is_at_most_delta(
    name: str, n: int, delta: float, knobs: dict[str, object]
) -> None:
    policy = LearnThenTest(risk=0.1, delta=delta, **{**STEPS, **knobs})  # type: ignore[arg-type]
    found = risks(policy, POPULATIONS[name], n, RISK[policy.loss])
    assert (found > 0.1 + 1e-12).mean() <= tolerated(delta)


@pytest.mark.slow
@pytest.mark.parametrize("name", POPULATIONS)
@pytest.mark.parametrize("loss", ["selective", "marginal"])
@pytest.mark.parametrize("p_value", ["binomial", "hoeffding_bentkus"])
@pytest.mark.parametrize("family", ["holm", "bonferroni", "fixed_sequence"])
def test_the_promise_is_kept_on_a_larger_grid(name: str, loss: str, p_value: str, family: str) -> None:
    for n in (20, 400):
        for delta in (0.05, 0.2):
            policy = LearnThenTest(risk=0.1, delta=delta, loss=loss, p_value=p_value, family=family, **STEPS)  # type: ignore[arg-type]
            found = risks(policy, POPULATIONS[name], n, RISK[loss])
            assert (found > 0.1 + 1e-12).mean() <= tolerated(delta)


@pytest.mark.parametrize("p_value", ["binomial", "hoeffding_bentkus"])
def test_it_finds_the_lowest_threshold_that_qualifies(p_value: str) -> None:
    [(p, y)] = POPULATIONS["rising"].draw(20_000, np.random.default_rng(0), 1)
    # From 2 upwards 8.5 % of the answers are wrong, from 1 upwards 12 %.
    chosen = LearnThenTest(risk=0.1, p_value=p_value, **STEPS).fit(confidence=p, correct=y)  # type: ignore[arg-type]
    assert chosen.threshold == 2
    assert chosen.decide(Case(2.0)).act == "answer"
    # Of all questions 6.8 % are answered wrongly from 2 upwards, 10.8 % from 1 upwards.
    everything = LearnThenTest(risk=0.1, loss="marginal", p_value=p_value, **STEPS).fit(confidence=p, correct=y)  # type: ignore[arg-type]
    assert everything.threshold == 2


def test_the_marginal_loss_counts_silence_as_no_loss() -> None:
    p, y = np.repeat([0.0, 1.0], [900, 100]), np.repeat([True, False], [900, 100])
    fitted = LearnThenTest(risk=0.2, loss="marginal").fit(confidence=p, correct=y)
    assert fitted.threshold == 0
    assert fitted.guarantee.quantity == "share of questions that are answered wrongly"
    strict = LearnThenTest(risk=0.2, low=0.5).fit(confidence=p, correct=y)
    assert strict.threshold is None
    assert "none of 21 thresholds qualifies" in strict.decide(Case(1.0)).reason


def test_clusters_count_once_by_either_p_value() -> None:
    p, y, cluster = np.ones(300), np.ones(300), np.repeat(np.arange(30), 10)
    for p_value in ("binomial", "hoeffding_bentkus"):
        policy = LearnThenTest(risk=0.1, steps=1, p_value=p_value)
        assert policy.fit(confidence=p, correct=y).threshold == 0
        clustered = policy.fit(confidence=p, correct=y, cluster=cluster)
        assert clustered.guarantee.n == 30
        assert clustered.threshold is None


def test_hoeffding_bentkus_uses_the_mean_loss_of_each_cluster() -> None:
    from doxa.policies.maths.bounds import hoeffding_bentkus_p

    p, y = np.ones(40), np.tile([True, True, True, False], 10)
    policy = LearnThenTest(risk=0.6, low=0.0, high=0.5, steps=1, p_value="hoeffding_bentkus", family="bonferroni")
    level = 2 * float(hoeffding_bentkus_p(0.25, 10, 0.6))
    for delta, answers in ((level * 1.001, True), (level * 0.999, False)):
        at = LearnThenTest(
            **{**{k: getattr(policy, k) for k in ("risk", "high", "steps", "p_value", "family")}, "delta": delta}
        )
        assert (at.fit(confidence=p, correct=y, cluster=np.repeat(np.arange(10), 4)).threshold is not None) == answers


@pytest.mark.parametrize(
    "knobs", [{"risk": 0.0}, {"loss": "zero"}, {"p_value": "t"}, {"family": "bh"}, {"steps": 0}, {"low": 1.0}]
)
def test_impossible_knobs_are_refused(knobs: dict[str, object]) -> None:
    with pytest.raises(UsageError, match=f"{next(iter(knobs))}="):
        LearnThenTest(**knobs)  # type: ignore[arg-type]

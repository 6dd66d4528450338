"""The policy gradient against finite differences and brute force, and what the policy does with it."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from doxa.errors import DataError, UsageError
from doxa.policies.maths.policy_gradient import (
    SEND,
    Chunks,
    advantage,
    follow,
    gradient,
    greedy,
    likelihood,
    width,
)
from doxa.policies.privacypad import ACTIONS, ALREADY, PrivacyPAD
from doxa.state import revive
from doxa.types import Case

EVERY = np.array(list(itertools.product(range(3), repeat=3)))


def tiny() -> Chunks:
    """Three chunks; the second's only piece is also in the first, and a fourth piece is in none."""
    features = np.array([[1.0, 0.2], [0.0, -1.0], [0.5, 1.0]])
    held = np.array([[1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0]], dtype=bool)
    return Chunks(features, held)


def rewards() -> np.ndarray:
    return np.random.default_rng(3).random(len(EVERY))


def expected(weights: np.ndarray) -> float:
    return float(np.exp(likelihood(weights, tiny(), EVERY)[0]) @ rewards())


def some_weights() -> np.ndarray:
    return np.random.default_rng(1).normal(size=(3, width(2)))


def test_probabilities_of_all_ways_sum_to_one() -> None:
    assert np.exp(likelihood(some_weights(), tiny(), EVERY)[0]).sum() == pytest.approx(1)


def test_the_gradient_is_that_of_finite_differences() -> None:
    weights, step = some_weights(), 1e-6
    logs, scores = likelihood(weights, tiny(), EVERY)
    exact = np.tensordot(np.exp(logs) * rewards(), scores, axes=1)
    for place in np.ndindex(weights.shape):
        moved = np.zeros_like(weights)
        moved[place] = step
        slope = (expected(weights + moved) - expected(weights - moved)) / (2 * step)
        assert exact[place] == pytest.approx(slope, abs=1e-8)


def test_the_estimate_from_samples_is_unbiased() -> None:
    weights = some_weights()
    logs, scores = likelihood(weights, tiny(), EVERY)
    exact = np.tensordot(np.exp(logs) * rewards(), scores, axes=1)
    number = {tuple(way): place for place, way in enumerate(EVERY.tolist())}
    random = np.random.default_rng(0)
    found = []
    for _ in range(4000):
        actions, tried = follow(weights, tiny(), random.random((4, 3)))
        found.append(gradient(tried, rewards()[[number[tuple(way)] for way in actions.tolist()]]))
    error = np.std(found, axis=0) / np.sqrt(len(found))
    assert (np.abs(np.mean(found, axis=0) - exact) < 4 * error + 1e-12).all()


def test_samples_come_as_often_as_they_are_likely() -> None:
    weights = some_weights()
    actions, _ = follow(weights, tiny(), np.random.default_rng(2).random((20_000, 3)))
    logs, _ = likelihood(weights, tiny(), EVERY)
    shares = [(actions == way).all(axis=1).mean() for way in EVERY]
    assert np.abs(shares - np.exp(logs)).max() < 0.02


def test_leakage_counts_each_piece_once() -> None:
    ways = np.array([[SEND, SEND, 0], [0, SEND, 1], [1, 1, 1], [SEND, SEND, SEND]])
    assert tiny().leaked(ways).tolist() == [0.5, 0.25, 0.0, 0.75]
    nothing = Chunks(np.ones((2, 1)), np.zeros((2, 0), dtype=bool))
    assert nothing.leaked(np.array([[SEND, SEND]])).tolist() == [0.0]


def test_the_baseline_is_the_mean_of_the_others() -> None:
    assert advantage(np.array([1.0, 0.0, 0.5])).tolist() == pytest.approx([0.75, -0.75, 0.0])
    with pytest.raises(DataError):
        advantage(np.array([1.0]))


def test_what_is_out_already_is_seen() -> None:
    weights = np.zeros((3, width(2)))
    weights[SEND, 0], weights[0, -1], weights[SEND, -2] = 2.0, 1.0, 5.0
    # Sent for its feature; sent as the first has leaked it; kept, as neither holds.
    assert greedy(weights, tiny()).tolist() == [SEND, SEND, 0]


# -- a planted problem -------------------------------------------------------------------------------------------------


def planted(seed: int, n: int = 30) -> list[Chunks]:
    """Chunks that are about the question (first feature) or not, of which the private ones (second) hold a piece."""
    random = np.random.default_rng(seed)
    prompts = []
    for _ in range(n):
        about = random.permutation([1.0, 0.0, 0.0])
        private = random.integers(0, 2, 3).astype(float)
        held = np.eye(3, dtype=bool)[:, private > 0]
        prompts.append(Chunks(np.column_stack([about, private, about * private]), held))
    return prompts


def worth(prompt: Chunks, way: np.ndarray) -> float:
    """What is asked for must be sent, and a mark in its place is half as good; to mask all else costs a little."""
    asked = int(prompt.features[:, 0].argmax())
    private = prompt.features[asked, 1] > 0
    good = {0: 0.0, 1: 0.5 if private else 0.8, SEND: 0.9}[int(way[asked])]
    return good + 0.02 * sum(int(each == 0) for place, each in enumerate(way) if place != asked)


@pytest.mark.parametrize("penalty", [0.1, 2.0])
def test_it_learns_what_brute_force_finds_best(penalty: float) -> None:
    policy, prompts = PrivacyPAD(penalty, epochs=300, samples=8).begin(("about", "private", "both")), planted(0)
    for epoch in range(policy.epochs):
        tried = policy.explore(prompts, epoch)
        quality = [[worth(p, way) for way in actions] for p, (actions, _) in zip(prompts, tried, strict=True)]
        policy = policy.improved(prompts, tried, np.array(quality), epoch)
    for prompt in planted(1):
        total = [worth(prompt, way) - penalty * prompt.leaked(way[None])[0] for way in EVERY]
        weights = np.array(policy._weights)
        assert greedy(weights, prompt).tolist() == EVERY[int(np.argmax(total))].tolist()
        known = {"about": 1.0, "private": 1.0, "both": 1.0, ALREADY: 0.0}
        assert policy.decide(Case(None, details=known)).act == ("escalate" if penalty < 1 else "mask")
    assert revive(policy.to_json()) == policy


def test_learning_is_the_same_again_and_another_with_another_seed() -> None:
    prompts = planted(0, 3)
    rows = [PrivacyPAD(seed=seed).begin(("a", "b", "c")).explore(prompts, 0)[0][0].tolist() for seed in (0, 0, 1)]
    assert rows[0] == rows[1] != rows[2]


def test_unlearnt_it_keeps_private_data_here() -> None:
    policy = PrivacyPAD().fit(confidence=[0.2, 0.9], correct=[0, 1])
    acts = [policy.decide(Case(None, details=each)).act for each in ({"pii": 2.0}, {"pii": 0.0}, {"length": 1.0}, {})]
    assert acts == ["keep_local", "escalate", "keep_local", "keep_local"]


def test_equals_go_to_the_more_private() -> None:
    assert PrivacyPAD().begin(("pii",)).decide(Case(None, details={"pii": 1.0})).act == ACTIONS[0]


@pytest.mark.parametrize("knobs", [{"penalty": -1.0}, {"samples": 1}, {"epochs": 0}, {"rate": float("nan")}])
def test_senseless_knobs_are_refused(knobs: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        PrivacyPAD(**knobs)  # type: ignore[arg-type]


def test_quality_outside_its_range_is_refused() -> None:
    policy, prompts = PrivacyPAD(samples=2).begin(("a", "b", "c")), planted(0, 2)
    tried = policy.explore(prompts, 0)
    for quality in (np.full((2, 2), 1.5), np.zeros((2, 3)), np.full((2, 2), np.nan)):
        with pytest.raises(DataError):
            policy.improved(prompts, tried, quality, 0)

"""Withdrawing what is wrong: published counts, any case, no answers of one kind."""

from __future__ import annotations

import numpy as np
import pytest

from doxa.metrics import measure_table, withdraw_delta


def acts(kept: int, withdrawn: int) -> list[str]:
    return ["KEEP"] * kept + ["WITHDRAW"] * withdrawn


def test_published_counts_of_one_model_and_track() -> None:
    # Claude Haiku 4.5, track T1: 85 right with 84.71 % kept, 13 wrong with 53.85 % kept.
    correct, act = [True] * 85 + [False] * 13, acts(72, 13) + acts(7, 6)
    assert withdraw_delta(correct=correct, act=act) == pytest.approx(30.86, abs=0.005)


def test_all_that_is_not_kept_is_withdrawn_and_bets_are_deltas_too() -> None:
    correct = [True, True, False, False]
    assert withdraw_delta(correct=correct, act=["keep", "Keep", "unclear", "DECLINE"]) == 100
    assert withdraw_delta(correct=correct, act=["BET", "NO_BET", "NO_BET", "NO_BET"], keep="BET") == 50
    assert withdraw_delta(correct=correct, act=["WITHDRAW", "WITHDRAW", "KEEP", "KEEP"]) == -100


def test_without_right_or_wrong_answers_it_does_not_exist() -> None:
    for verdict in (True, False):
        [made] = measure_table({"correct": [verdict] * 3, "act": acts(2, 1)}, metrics=["withdraw_delta"])
        assert made.value is None and "undefined" in made.reason


def test_the_interval_covers_the_difference_of_two_shares() -> None:
    rng, held = np.random.default_rng(0), 0
    for seed in range(200):
        correct = rng.random(200) < 0.7
        act = np.where(rng.random(200) < np.where(correct, 0.9, 0.6), "KEEP", "WITHDRAW")
        [made] = measure_table({"correct": correct, "act": act}, metrics=["withdraw_delta"], seed=seed)
        held += made.low is not None and made.high is not None and made.low <= 30 <= made.high
    assert held >= 178

"""Faithfulness against values worked out by hand, and laws that hold for any responses."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doxa.errors import DataError
from doxa.metrics.maths.faithfulness import BINS, cmfg, measure_faithfulness, mfg, response_faithfulness

F, CONF = [0.9, 0.8, 0.6, 1.0], [0.05, 0.55, 0.55, 1.0]
SHARES = st.integers(0, 40).map(lambda k: k / 40)
RESPONSES = st.lists(st.tuples(SHARES, SHARES), min_size=1, max_size=30)


def test_the_vector_of_the_specification() -> None:
    assert mfg(F) == pytest.approx(0.825)
    assert cmfg(F, CONF) == pytest.approx(0.866667, abs=1e-6)
    assert cmfg(F, CONF, as_released=True) == pytest.approx(0.16)


def test_as_released_the_edges_are_floating_point_numbers() -> None:
    # Two responses in one bin weigh as one; in two bins as two: 0.3 is released into the bin of 0.25, 0.7 of 0.65.
    for edge, below, above in ((0.3, 0.25, 0.35), (0.7, 0.65, 0.75)):
        assert cmfg([1.0, 0.0, 0.0], [edge, below, below], as_released=True) == pytest.approx(1 / 3 / BINS)
        assert cmfg([1.0, 0.0, 0.0], [edge, above, above]) == pytest.approx(1 / 3)
        assert cmfg([1.0, 0.0, 0.0], [edge, below, below]) == pytest.approx(1 / 2)


def test_the_last_bin_is_closed_and_as_released_lost() -> None:
    assert cmfg([0.5], [1.0]) == 0.5
    assert cmfg([0.5], [1.0], as_released=True) == 0.0
    assert cmfg([0.2, 0.6], [0.9, 1.0]) == pytest.approx(0.4)


def test_failed_assertions_count_only_as_released() -> None:
    said, meant = [0.9, 0.5, 1.0], [0.5, None, None]
    assert response_faithfulness(said, meant) == pytest.approx(0.6)
    assert response_faithfulness(said, meant, as_released=True) == pytest.approx(1 - 0.4 / 3)
    assert response_faithfulness([1.0], [None]) is None and response_faithfulness([], []) is None


@pytest.mark.parametrize(
    ("f", "confidence"), [([], []), ([0.5], [0.5, 0.5]), ([1.5], [0.5]), ([0.5], [-0.1]), ([0.5], [float("nan")])]
)
def test_what_is_no_faithfulness_is_refused(f: list[float], confidence: list[float]) -> None:
    with pytest.raises(DataError):
        cmfg(f, confidence)
    with pytest.raises(DataError):
        cmfg(f, confidence, as_released=True)


def by_hand(pairs: list[tuple[float, float]]) -> Fraction:
    """The mean of means over bins, in exact fractions."""
    bins: dict[int, list[Fraction]] = {}
    for f, c in pairs:
        exact = Fraction(round(40 * c), 40)
        bins.setdefault(min(int(exact * BINS), BINS - 1), []).append(Fraction(round(40 * f), 40))
    means = [sum(each, Fraction()) / len(each) for each in bins.values()]
    return sum(means, Fraction()) / len(means)


@given(RESPONSES)
def test_both_means_lie_among_the_values_and_equal_exact_ones(pairs: list[tuple[float, float]]) -> None:
    f, c = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    assert cmfg(f, c) == pytest.approx(float(by_hand(pairs)))
    assert min(f) - 1e-12 <= cmfg(f, c) <= max(f) + 1e-12 and min(f) - 1e-12 <= mfg(f) <= max(f) + 1e-12


@given(RESPONSES, st.randoms(use_true_random=False))
def test_order_and_copies_do_not_matter(pairs: list[tuple[float, float]], random: Random) -> None:
    shuffled = [*pairs, *pairs]
    random.shuffle(shuffled)
    one, other = (cmfg([f for f, _ in each], [c for _, c in each]) for each in (pairs, shuffled))
    assert one == pytest.approx(other)


@given(st.lists(SHARES, min_size=2, max_size=30))
def test_words_that_say_what_is_meant_are_perfectly_faithful(meant: list[float]) -> None:
    found = measure_faithfulness(meant, meant)
    assert found.mfg.value == found.cmfg.value == 1


def test_measurements_have_intervals_that_hold_the_value() -> None:
    rng = np.random.default_rng(0)
    said, meant = rng.uniform(size=200), rng.uniform(size=200)
    found = measure_faithfulness(said, meant, missing=3, errors=2, seed=1)
    assert found.mfg.value == pytest.approx(1 - np.abs(said - meant).mean())
    assert found.cmfg.value == pytest.approx(cmfg(1 - np.abs(said - meant), meant))
    for each in found:
        assert each.low is not None and each.high is not None and each.value is not None
        assert each.low < each.value < each.high and (each.n, each.missing, each.errors) == (200, 3, 2)
    assert found == measure_faithfulness(said[::-1], meant[::-1], missing=3, errors=2, seed=1)
    grouped = measure_faithfulness(said, meant, cluster=[i // 50 for i in range(200)])
    assert grouped.mfg.value == found.mfg.value and grouped.mfg.low != found.mfg.low


def test_the_interval_of_the_mean_covers_as_promised() -> None:
    rng, inside = np.random.default_rng(5), 0
    for seed in range(60):
        said, meant = rng.uniform(size=80), rng.uniform(size=80)
        found = measure_faithfulness(said, meant, seed=seed).mfg
        inside += (found.low or 0) <= 2 / 3 <= (found.high or 0)  # E|U - V| = 1/3
    assert inside >= 51


def test_without_responses_there_is_no_value() -> None:
    found = measure_faithfulness([], [], missing=4)
    assert found.mfg.value is None and found.cmfg.reason == "no response has both" and found.mfg.missing == 4

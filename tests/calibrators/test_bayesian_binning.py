"""Bayesian binning beside a computation in fractions, straight from the definition."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from doxa.calibrators.bayesian_binning import BayesianBinning
from doxa.errors import UsageError

Bin = tuple[Fraction, Fraction, int, int]


def binning(rows: list[tuple[Fraction, int]], bins: int) -> list[Bin]:
    """Lower and upper end, right and all answers of each bin; an answer goes by the middle of those tied with it."""
    rows, n, ranked = sorted(rows), len(rows), {}
    for score in {s for s, _ in rows}:
        ranks = [i for i, (s, _) in enumerate(rows) if s == score]
        ranked[score] = math.floor(Fraction(2 * ranks[0] + len(ranks), 2 * n) * bins)
    places = sorted({*ranked.values()})
    held = [[(s, y) for s, y in rows if ranked[s] == place] for place in places]
    cuts = [(a[-1][0] + b[0][0]) / 2 for a, b in pairwise(held)]
    ends = [Fraction(0), *cuts, Fraction(1)]
    return [(ends[i], ends[i + 1], sum(y for _, y in part), len(part)) for i, part in enumerate(held)]


def prior(part: Bin, strength: Fraction) -> Fraction:
    return strength * min(max((part[0] + part[1]) / 2, Fraction(1, 200)), Fraction(199, 200))


def rising(a: Fraction, count: int) -> Fraction:
    return math.prod((a + i for i in range(count)), start=Fraction(1))


def expected(rows: list[tuple[Fraction, int]], asked: Fraction, strength: Fraction = Fraction(2)) -> Fraction:
    root = len(rows) ** (1 / 3)
    wanted = range(max(1, math.floor(root / 10)), min(math.ceil(len(rows) / 5), math.ceil(10 * root)) + 1)
    total = weighted = Fraction(0)
    for parts in {tuple(binning(rows, bins)) for bins in wanted}:
        weight = Fraction(1)
        for part in parts:
            a, (right, count) = prior(part, strength), part[2:]
            weight *= rising(a, right) * rising(strength - a, count - right) / rising(strength, count)
        low, high, right, count = next(each for each in parts if asked <= each[1])
        total += weight
        weighted += weight * (right + prior((low, high, right, count), strength)) / (count + strength)
    return weighted / total


@pytest.mark.parametrize("seed", range(12))
def test_it_is_the_mean_over_binnings_by_marginal_likelihood(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, distinct = int(rng.integers(1, 60)), int(rng.integers(2, 80))
    scores = [Fraction(int(i), distinct) for i in rng.integers(0, distinct + 1, n)]
    right = [int(rng.random() < (s if seed % 2 else Fraction(1, 2))) for s in scores]
    strength = Fraction([2, 1, 7][seed % 3])
    fitted = BayesianBinning(strength=float(strength)).fit(confidence=[float(s) for s in scores], correct=right)
    asked = [Fraction(i, 2 * distinct) + Fraction(1, 1009) for i in range(2 * distinct - 1)]
    found = fitted.predict(confidence=[float(a) for a in asked])
    rows = list(zip(scores, right, strict=True))
    assert found == pytest.approx([float(expected(rows, a, strength)) for a in asked], abs=1e-12)


def test_few_answers_are_one_bin_about_a_half() -> None:
    assert BayesianBinning().fit(confidence=[0.1, 0.8, 0.9], correct=[1, 1, 1]).predict(confidence=[0.0, 1.0]) == (
        pytest.approx([0.8, 0.8])
    )


def test_a_step_is_found() -> None:
    p = np.arange(2000) / 2000
    fitted = BayesianBinning().fit(confidence=p, correct=p >= 0.5)
    assert fitted.predict(confidence=[0.2, 0.45, 0.55, 0.8]) == pytest.approx([0, 0, 1, 1], abs=0.01)


def test_certainties_do_not_break_the_prior() -> None:
    fitted = BayesianBinning().fit(confidence=[0.0] * 10 + [1.0] * 10, correct=[0] * 9 + [1] * 10 + [0])
    low, high = fitted.predict(confidence=[0.0, 1.0])
    assert 0.05 < low < 0.2 and 0.8 < high < 0.95


def test_a_prior_has_a_strength() -> None:
    with pytest.raises(UsageError, match="strength"):
        BayesianBinning(strength=0)

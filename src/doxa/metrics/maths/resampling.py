"""How far the mean (or variance) of k scores drawn from a pool lies from that of the whole pool."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np

from doxa.metrics.maths.checks import Floats, Ints

DRAWS = 5000
"""Random subsets of each size."""
ALL_UP_TO = 2
"""Subsets up to this size are all taken."""


def draws(n: int, replace: bool, seed: int) -> Ints:
    """`DRAWS` random orders of n places, or draws with replacement: the first k of a row are a random k of n."""
    rng = np.random.default_rng(seed)
    if replace:
        return rng.integers(0, n, (DRAWS, n))
    return np.argsort(rng.random((DRAWS, n)), axis=1)


def errors(scores: Floats, drawn: Ints, variance: bool, replace: bool) -> Callable[[int], Floats]:
    """A function of k: the distances of subsets of k scores from all scores, in mean or variance."""
    taken = scores[drawn]
    sums, squares = np.cumsum(taken, axis=1), np.cumsum((taken - scores.mean()) ** 2, axis=1)
    middle, spread = scores.mean(), scores.var()

    def moment(k: int) -> Any:
        if not replace and k <= ALL_UP_TO:
            part = scores[np.array(list(combinations(range(len(scores)), k)))]
            return part.var(axis=1) if variance else part.mean(axis=1)
        mean = sums[:, k - 1] / k
        return squares[:, k - 1] / k - (mean - middle) ** 2 if variance else mean

    return lambda k: np.asarray(np.abs(moment(k) - (spread if variance else middle)))


def needed(scores: Floats, drawn: Ints, variance: bool, replace: bool, enough: Callable[[Floats], bool]) -> float:
    """The least k whose errors are small enough; NaN where no k up to the size of the pool is."""
    at = errors(scores, drawn, variance, replace)
    return next((float(k) for k in range(1, len(scores) + 1) if enough(at(k))), float("nan"))

"""Populations whose risks are known exactly, and how often a promise is broken over many calibrations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

CALIBRATIONS = 2000


@dataclass(frozen=True)
class Population:
    """Answers in steps of confidence: step i begins at `i`, has a share of the answers and a share of wrong ones."""

    shares: tuple[float, ...]
    wrong: tuple[float, ...]
    tied: bool = True
    """Whether all answers of a step have one confidence, or are spread evenly over it."""

    def draw(self, n: int, rng: np.random.Generator, times: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        step = rng.choice(len(self.shares), size=(times, n), p=self.shares)
        correct = rng.random((times, n)) >= np.asarray(self.wrong)[step]
        yield from zip(step if self.tied else step + rng.random((times, n)), correct, strict=True)

    def above(self, threshold: float) -> tuple[float, float]:
        """Probability that an answer's confidence is at least the threshold, and that it is so and wrong."""
        begins = np.arange(len(self.shares))
        part = begins >= threshold if self.tied else np.clip(begins + 1 - threshold, 0, 1)
        given = np.asarray(self.shares) * part
        return float(given.sum()), float(given @ np.asarray(self.wrong))


def threshold_of(policy: Any) -> float:
    return np.inf if isinstance(policy._threshold, str) else policy._threshold


def selective(population: Population, policy: Any) -> float:
    given, wrong = population.above(threshold_of(policy))
    return wrong / given if given else 0.0


def marginal(population: Population, policy: Any) -> float:
    return population.above(threshold_of(policy))[1]


def risks(
    policy: Any,
    population: Population,
    n: int,
    risk: Callable[[Population, Any], float],
    times: int = CALIBRATIONS,
    seed: int = 0,
) -> np.ndarray:
    """True risk of the policy fitted on each of many calibrations."""
    drawn = population.draw(n, np.random.default_rng(seed), times)
    return np.array([risk(population, policy.fit(confidence=p, correct=y)) for p, y in drawn])


def tolerated(delta: float, times: int = CALIBRATIONS) -> float:
    """The promised share of broken promises and three standard errors."""
    return float(delta + 3 * np.sqrt(delta * (1 - delta) / times))


def even(*wrong: float, tied: bool = True) -> Population:
    return Population((1 / len(wrong),) * len(wrong), wrong, tied)


RISING = (0.6, 0.4, 0.25, 0.15, 0.1, 0.07, 0.05, 0.03, 0.02, 0.01)
POPULATIONS = {
    "rising": even(*RISING),
    "rising, no ties": even(*RISING, tied=False),
    "just too risky everywhere": even(*(0.101,) * 10),
    "just too risky everywhere, no ties": even(*(0.101,) * 10, tied=False),
    "one confidence": even(0.101),
    "sure of errors": Population((0.3, 0.2, 0.3, 0.2), (0.5, 0.1, 0.03, 0.3)),
    "sure of errors, no ties": Population((0.3, 0.2, 0.3, 0.2), (0.5, 0.1, 0.03, 0.3), tied=False),
    "up and down": Population((0.2, 0.2, 0.1, 0.2, 0.2, 0.1), (0.5, 0.14, 0.0, 0.15, 0.06, 0.104)),
    "upside down": even(*RISING[::-1]),
    "all wrong": even(1.0, 1.0, 1.0),
    "all right": even(0.0, 0.0, 0.0),
}
"""The limit of the simulations is a risk of 0.1."""

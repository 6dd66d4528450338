"""The cheapest plan over several models that keeps a bound on errors, with a guarantee."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from doxa.errors import DataError, UsageError
from doxa.metrics.maths.checks import Bools, Floats, refuse
from doxa.policies.maths.bounds import binomial_p
from doxa.policies.maths.families import fixed_sequence
from doxa.policies.maths.frontier import Answers, Plan, Point, frontier
from doxa.policies.maths.thresholds import independent

MOST = 200
"""Points of a frontier that are tested."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A plan that passed, and what it came to on the questions it was tested on."""

    plan: Plan
    n: int
    """Answers it gave there."""
    risk: float
    cost: float
    coverage: float


def answers_of(
    confidence: ArrayLike, correct: ArrayLike, price: ArrayLike | None, prices: Sequence[float], *, routed: bool = False
) -> tuple[Answers, list[int]]:
    """Checked arrays with the cheapest model first, and the number that each column had.

    NaN and `None` are missing confidences. `price` says what each answer cost, else `prices` what each model costs; if
    neither is given, each costs 1. Raises `DataError`.
    """
    right = np.asarray(correct, dtype=np.float64)
    right = right[:, None] if right.ndim == 1 else right
    values = np.asarray(confidence, dtype=np.float64)
    values = values[:, None] if values.ndim == 1 else values
    values = np.broadcast_to(values, right.shape) if values.shape[0] == len(right) and values.shape[1] == 1 else values
    refuse("correct", right.ravel(), ((right != 0) & (right != 1)).ravel(), "neither true nor false", "leave them out")
    paid = np.asarray(price if price is not None else (prices or np.ones(right.shape[1])), dtype=np.float64)
    if paid.shape[-1:] != right.shape[1:]:
        raise DataError(
            f"{paid.shape[-1:]} prices for {right.shape[1]} models", hint="give one of each model, in the same order"
        )
    paid = np.broadcast_to(paid, right.shape)
    order = np.argsort(paid.mean(0), kind="stable").tolist() if right.size else list(range(right.shape[1]))
    values = np.where(np.isnan(values), -np.inf, values)
    return Answers(values[:, order], right[:, order] == 1, paid[:, order], routed), order


def named(models: Sequence[str], order: Sequence[int]) -> list[str]:
    """Names in an order; numbers from 1 where there are none. Raises `UsageError` for another number of names."""
    if models and len(models) != len(order):
        raise UsageError(
            f"{len(models)} names for {len(order)} models", hint="name each model, in the order of columns"
        )
    return [models[i] if models else str(i + 1) for i in order]


def cheapest(
    answers: Answers,
    *,
    risk: float,
    delta: float,
    coverage: float = 1.0,
    cluster: Sequence[Any] | ArrayLike | None = None,
    seed: int = 0,
) -> Chosen | None:
    """The cheapest plan whose share of wrong answers is at most `risk`, with probability at least 1 − `delta`.

    One half of the questions draws the frontier. Its plans are tested on the other half from the safest and dearest on,
    each by the exact binomial test that more than `risk` of its answers are wrong, until one does not pass; the last
    that passed is chosen. As plans and their order do not depend on the half they are tested on, the first plan that
    breaks the bound passes with a probability of at most `delta`, and none after it can: fixed-sequence testing, as in
    Angelopoulos, Bates, Candès, Jordan and Lei 2021, Learn then Test (arXiv 2110.01052). Of a cluster's questions one
    is tested, drawn at random, so that those tested are independent.
    """
    names = np.arange(len(answers.correct)) if cluster is None else cluster
    drawn, tested = halves(names, seed, *answers.confidence.T, *answers.correct.T)
    if not drawn.any() or not tested.any():
        return None
    points, held_out = _thinned(frontier(answers[drawn], coverage))[::-1], answers[tested]
    outcomes = [point.plan.outcome(held_out) for point in points]
    given = [int(outcome.answered.sum()) for outcome in outcomes]
    passed = fixed_sequence(binomial_p([outcome.wrong for outcome in outcomes], given, risk), delta)
    if not passed.any():
        return None
    i = int(passed.sum()) - 1
    cost, coverage = float(outcomes[i].cost.mean()), given[i] / len(held_out.correct)
    return Chosen(points[i].plan, given[i], outcomes[i].wrong / given[i], cost, coverage)


def halves(cluster: Sequence[Any] | ArrayLike, seed: int, *values: Floats | Bools) -> tuple[Bools, Bools]:
    """Two halves that share no cluster, by a hash of its name; of the second, one row of each cluster, at random.

    `values` are what the rows hold, by which chance is seeded too.
    """
    given = np.asarray([str(name) for name in np.asarray(cluster).tolist()])
    names, index = np.unique(given, return_inverse=True)
    dealt = sorted(range(len(names)), key=lambda i: hashlib.sha256(f"{seed}:{names[i]}".encode()).digest())
    second, alone = np.zeros(len(names), dtype=bool), np.zeros(len(index), dtype=bool)
    second[dealt[1::2]] = True
    alone[independent(index, seed, *values)] = True
    return ~second[index], second[index] & alone


def _thinned(points: Sequence[Point]) -> list[Point]:
    """At most so many points, evenly spaced, with both ends."""
    at = np.unique(np.linspace(0, len(points) - 1, min(MOST, len(points))).round().astype(int))
    return [points[i] for i in at]

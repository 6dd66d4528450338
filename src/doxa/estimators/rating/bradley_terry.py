"""Bradley–Terry: strengths under which what happened is most probable, and what being shown first is worth."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from doxa.estimators.rating import Games

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Prior = Literal["l2", "games"]
PRIORS: tuple[Prior, ...] = ("l2", "games")


class Fit(NamedTuple):
    """Strengths (n,) in log-odds, the log-odds that being shown first adds, and the steps it took."""

    strength: Floats
    position: float
    steps: int


def bradley_terry(
    games: Games,
    *,
    regularisation: float = 0.01,
    prior: Prior = "l2",
    position: bool = True,
    passes: int | None = None,
) -> Fit:
    """Maximise Σ s log p + (1 - s) log(1 - p) - penalty, with p = σ(θ_first - θ_second + γ), s the first one's score.

    The penalty of each strength is λ θ² with the prior "l2"; with "games" it is that of λ games won and λ lost against
    somebody of strength 0. γ, what being shown first is worth, is estimated with the strengths (`position`) under the
    same penalty: it stays finite where the first one wins every game. Newton steps until the greatest is below 1e-8,
    or `passes` of them, halved where they overshoot; each solved by conjugate gradients, in time proportional to the
    games.

    Source: Bradley and Terry 1952; γ as the home advantage of Davidson and Beaver 1977.
    """
    penalty = _PENALTIES[prior]
    at, free = np.zeros(games.n + 1), np.append(np.ones(games.n), float(position))
    steps = 0
    while steps < (100 if passes is None else passes):
        value, slope, weight = _likelihood(games, at)
        cost, pull, stiff = penalty(at, regularisation)
        move = _solve(games, weight, stiff, (slope - pull) * free, free)
        while np.abs(move).max() > _ENOUGH:
            there = at + move
            if _likelihood(games, there)[0] - penalty(there, regularisation)[0] >= value - cost:
                break
            move = move / 2
        else:
            break
        at, steps = at + move, steps + 1
    return Fit(at[:-1], float(at[-1]), steps)


_ENOUGH = 1e-8


def _likelihood(games: Games, at: Floats) -> tuple[float, Floats, Floats]:
    """Log-likelihood, its slope in each strength and in the position, and p (1 - p) of each game."""
    from scipy.special import expit, log_expit

    odds = at[games.first] - at[games.second] + at[-1]
    p = expit(odds)
    surplus = games.score - p
    value = float((games.score * log_expit(odds) + (1 - games.score) * log_expit(-odds)).sum())
    return value, np.append(games.totals(surplus, -surplus), surplus.sum()), p * (1 - p)


def _ridge(at: Floats, by: float) -> tuple[float, Floats, Floats]:
    """λ Σ θ², its slope and its curvature."""
    return float(by * (at**2).sum()), 2 * by * at, np.full(len(at), 2 * by)


def _played(at: Floats, by: float) -> tuple[float, Floats, Floats]:
    """Minus the log-likelihood of λ games won and λ lost against strength 0, its slope and its curvature."""
    from scipy.special import expit, log_expit

    p = expit(at)
    return -float(by * (log_expit(at) + log_expit(-at)).sum()), by * (2 * p - 1), 2 * by * p * (1 - p)


_PENALTIES: dict[Prior, Callable[[Floats, float], tuple[float, Floats, Floats]]] = {"l2": _ridge, "games": _played}


def _solve(games: Games, weight: Floats, stiff: Floats, slope: Floats, free: Floats) -> Floats:
    """The Newton step: conjugate gradients with the diagonal as preconditioner."""
    diagonal = np.append(games.totals(weight, weight), weight.sum()) + stiff
    step, rest = np.zeros(games.n + 1), slope
    direction = scaled = rest / diagonal
    size = target = rest @ scaled
    for _ in range(10 * (games.n + 1)):
        if size <= 1e-20 * target or size < 1e-300:
            break
        pulled = weight * (direction[games.first] - direction[games.second] + direction[-1])
        curved = (np.append(games.totals(pulled, -pulled), pulled.sum()) + stiff * direction) * free
        length = size / (direction @ curved)
        step, rest = step + length * direction, rest - length * curved
        scaled = rest / diagonal
        size, before = rest @ scaled, size
        direction = scaled + size / before * direction
    return step

"""TrueSkill: a Gaussian belief about each player's skill, updated game by game."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from doxa.estimators.rating import Games

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


class Skills(NamedTuple):
    """Mean and standard deviation of each player's skill, both (n,)."""

    mu: Floats
    sigma: Floats


def trueskill(
    games: Games,
    *,
    mu: float = 25.0,
    sigma: float = 25.0 / 3,
    beta: float = 25.0 / 6,
    tau: float = 25.0 / 300,
    draw_probability: float = 0.1,
    passes: int = 1,
) -> Skills:
    """Skills after the games were gone through `passes` times in their order.

    Before a game both variances grow by τ². With c² = 2 β² + σ_a² + σ_b² and t = (μ_winner - μ_loser) / c the means
    move by σ² v / c, up for the winner and down for the loser, and the variances shrink by the factor 1 - σ² w / c²;
    v and w are those of a Gaussian truncated at the draw margin Φ⁻¹((1 + draw_probability) / 2) √2 β. A score of 1/2
    is a draw; any other share is a win of the likelier one.

    Source: Herbrich, Minka and Graepel 2006, TrueSkill: A Bayesian Skill Rating System; tested against the package
    `trueskill`.
    """
    from scipy.special import ndtri

    margin = float(ndtri((1 + draw_probability) / 2)) * math.sqrt(2) * beta
    means, variances = [mu] * games.n, [sigma**2] * games.n
    played = list(zip(games.first.tolist(), games.second.tolist(), games.score.tolist(), strict=True))
    for first, second, score in played * passes:
        a, b = (first, second) if score >= 0.5 else (second, first)
        before_a, before_b = variances[a] + tau**2, variances[b] + tau**2
        c = math.sqrt(2 * beta**2 + before_a + before_b)
        v, w = (_drawn if score == 0.5 else _won)((means[a] - means[b]) / c, margin / c)
        means[a] += before_a * v / c
        means[b] -= before_b * v / c
        variances[a] = before_a * (1 - before_a * w / c**2)
        variances[b] = before_b * (1 - before_b * w / c**2)
    return Skills(np.array(means), np.sqrt(variances))


def _won(t: float, margin: float) -> tuple[float, float]:
    """v and w of a difference known to lie above the margin."""
    from scipy.special import log_ndtr

    x = t - margin
    v = math.exp(-(x**2) / 2 - math.log(2 * math.pi) / 2 - float(log_ndtr(x)))
    return v, v * (v + x)


def _drawn(t: float, margin: float) -> tuple[float, float]:
    """v and w of a difference known to lie within the margin on either side."""
    low, high = -margin - abs(t), margin - abs(t)
    inside = (math.erfc(-high / math.sqrt(2)) - math.erfc(-low / math.sqrt(2))) / 2
    if margin < 1e-6 or inside < 1e-300:  # so narrow or so far off that all that is left lies at the near edge
        return math.copysign(high, -t) if t else 0.0, 1.0
    below, above = (math.exp(-(x**2) / 2) / math.sqrt(2 * math.pi) for x in (low, high))
    v = (below - above) / inside
    return math.copysign(1.0, t) * v, v**2 + (high * above - low * below) / inside

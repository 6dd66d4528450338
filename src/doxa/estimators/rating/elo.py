"""Elo: points that go from the loser to the winner, the more the less the result was expected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from doxa.estimators.rating import Games

if TYPE_CHECKING:
    from numpy.typing import NDArray


def elo(games: Games, *, k: float = 400.0, start: float = 1000.0, passes: int = 1) -> NDArray[np.float64]:
    """Points (n,) after the games were gone through `passes` times in their order, which matters much at this `k`.

    A game moves K (s - 1 / (1 + 10 ** ((R_second - R_first) / 400))) points, s being the score of the first.

    Source: Elo 1978, The Rating of Chessplayers; K, the start and the one pass of Shrivastava et al. 2025.
    """
    points = [start] * games.n
    played = list(zip(games.first.tolist(), games.second.tolist(), games.score.tolist(), strict=True))
    for first, second, score in played * passes:
        # An exponent beyond 300 is a certainty in any case, and would overflow.
        gap = min(max((points[second] - points[first]) / 400, -300.0), 300.0)
        moved = k * (score - 1 / (1 + 10**gap))
        points[first] += moved
        points[second] -= moved
    return np.array(points)

"""Who is compared with whom: pairs (first, second), as arrays with two columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pairs = NDArray[np.intp]


def random_pairs(n: int, rounds: int, seed: int) -> Pairs:
    """At most `n * rounds` pairs of n players in a random order, none twice.

    The players stand in a random circle, and each meets those that follow it at `rounds` random distances, 1 among
    them. So each meets twice as many others as there are rounds, all as likely; is shown first in half its games; and
    all are connected. Half of the circle comes last, and once for each pair.
    """
    random = np.random.default_rng(seed)
    circle = random.permutation(n)
    distances = [1, *random.permutation(np.arange(2, (n + 1) // 2)).tolist(), n // 2][: min(rounds, n // 2)]
    starts = (np.arange(n // 2 if 2 * by == n else n) for by in distances)
    pairs = [np.stack([circle[at], circle[(at + by) % n]], 1) for at, by in zip(starts, distances, strict=True)]
    return random.permutation(np.concatenate([np.empty((0, 2), np.intp), *pairs]))


def close_pairs(strength: NDArray[np.float64], asked: Pairs, position: float = 0.0) -> Pairs:
    """One round of games that are as open as can be: from the weakest up each takes who is closest and was not met.

    `asked` are all pairs so far. Of a pair the one is shown first that was so less often. But where being shown first
    is worth something, `position` in log-odds, closest is who is stronger by as much, and the weaker one is shown where
    it is favoured. Of an odd number of players one of those with the most games sits out.
    """
    n = len(strength)
    first, second = (np.bincount(asked[:, side], minlength=n) for side in (0, 1))
    met: list[list[int]] = [[player] for player in range(n)]
    for one, other in asked.tolist():
        met[one].append(other)
        met[other].append(one)
    busy = np.zeros(n, bool)
    if n % 2:
        busy[np.argmax(first + second)] = True
    pairs = []
    for one in np.argsort(strength, kind="stable").tolist():
        gap = np.abs(strength - strength[one] - abs(position))
        gap[busy] = gap[met[one]] = np.inf
        other = int(np.argmin(gap))
        if busy[one] or gap[other] == np.inf:
            continue
        busy[[one, other]] = True
        favoured = position if position else (first - second)[other] - (first - second)[one]
        pairs.append((one, other) if favoured >= 0 else (other, one))
    return np.array(pairs, np.intp).reshape(-1, 2)

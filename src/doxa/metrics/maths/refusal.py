"""Two binary draws of every question as thresholded normals: how strongly do refusing and being wrong go together?"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from doxa.errors import DataError
from doxa.metrics.maths.checks import Floats

BISECTIONS = 40


def orthant(first: Floats, second: Floats, rho: Floats) -> Floats:
    """P(X > first, Y > second) of standard normals with correlation rho in [-1, 1], exact to 1e-7.

    Both thresholds finite. Plackett 1954: the derivative by rho is the density at the thresholds; with rho = sin(angle)
    the integrand is smooth, and Gauss-Legendre nodes integrate it from independence, or, where |rho| is large, from
    perfect correlation.
    """
    from scipy.special import ndtr

    nodes, weights = _nodes()
    first, second, rho = np.broadcast_arrays(first, second, rho)
    # Of rho < 0: P(X > a, Y > b) = P(X > a) - P(X > a, -Y > -b), whose correlation is positive.
    flipped = rho < 0
    b = np.where(flipped, -second, second)
    start, end = np.where(np.abs(rho) > 0.7, np.pi / 2, 0.0), np.arcsin(np.abs(rho))
    half = (end - start)[..., None] / 2
    angle = start[..., None] + half * (nodes + 1)
    sine, cosine = np.sin(angle), np.cos(angle)
    spread = (first**2 + b**2)[..., None] - 2 * (first * b)[..., None] * sine
    inner = np.exp(-spread / (2 * np.maximum(cosine**2, 1e-300)))
    slope = (inner * weights).sum(-1) * half[..., 0] / (2 * np.pi)
    base = np.where(start > 0, ndtr(-np.maximum(first, b)), ndtr(-first) * ndtr(-b))
    both = base + slope
    return np.asarray(np.where(flipped, ndtr(-first) - both, both))


@cache
def _nodes() -> tuple[Floats, Floats]:
    """Places and weights of Gauss-Legendre integration over [-1, 1]."""
    return np.polynomial.legendre.leggauss(64)


def correlation(table: Floats) -> Floats:
    """Tetrachoric correlation of counts (..., 4): both, first alone, second alone, neither.

    With the margins as they are the table is saturated: the likeliest correlation is the one at which both happen as
    often as they did. -1 or 1 where no other table of these margins is more extreme; NaN where one margin is 0 or all.
    """
    from scipy.special import ndtri

    total = table.sum(-1)
    both, alone, other, _ = np.moveaxis(table, -1, 0)
    first, second = both + alone, both + other
    defined = (first > 0) & (first < total) & (second > 0) & (second < total)
    safe = np.where(defined, total, 1.0)
    share = [np.where(defined, part / safe, 0.5) for part in (first, second, both)]
    a, b = -ndtri(share[0]), -ndtri(share[1])
    low, high = np.full(total.shape, -1.0), np.full(total.shape, 1.0)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        less = orthant(a, b, middle) < share[2]
        low, high = np.where(less, middle, low), np.where(less, high, middle)
    rho = (low + high) / 2
    rho = np.where(both == np.minimum(first, second), 1.0, rho)
    rho = np.where(both == np.maximum(0.0, first + second - total), -1.0, rho)
    return np.where(defined, rho, np.nan)


def rank_correlation(rho: Floats) -> Floats:
    """Spearman's correlation of two normals whose Pearson correlation is rho."""
    return np.asarray(6 / np.pi * np.arcsin(rho / 2))


def two_passes(first: Sequence[str], second: Sequence[str | None]) -> tuple[list[bool], list[bool | None]]:
    """Columns `refused` and `wrong` of the labels of two passes: correct, wrong or refused.

    The second pass asks only what the first refused, and forbids to refuse; where it is refused again, `wrong` is
    `None`. Raises `DataError` for other labels, or a refused question without a second label.
    """
    refused, wrong = [], []
    for row, (one, two) in enumerate(zip(first, second, strict=True)):
        label = two if one == "refused" else one
        if one not in ("correct", "wrong", "refused") or label not in ("correct", "wrong", "refused"):
            raise DataError(f"row {row} is {one!r}, then {two!r}", hint="labels are correct, wrong and refused")
        refused.append(one == "refused")
        wrong.append(None if label == "refused" else label == "wrong")
    return refused, wrong

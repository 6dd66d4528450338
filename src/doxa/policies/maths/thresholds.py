"""Graded answers in, a decision by one threshold out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.maths.checks import Bools, Floats, Ints, check, clusters
from doxa.state import fitted
from doxa.types import Case, Decision, Guarantee, Scale

WRONG_AMONG_GIVEN = "share of wrong answers among those given"
WRONG_AMONG_ALL = "share of questions that are answered wrongly"


def independent(index: Ints | None, seed: int, *values: Floats | Bools) -> Ints:
    """Rows in random order: all of them, or one of each cluster.

    Chance comes from the seed and the values, not from the order of the rows. From the seed alone every data set of one
    size would be drawn from alike, so that what comes first in its cluster (the least sure answer, or the wrong one)
    would be drawn too rarely each time or too often, and a promise over data sets would not hold.
    """
    keys = values if index is None else (index, *values)
    order = np.lexsort(keys[::-1])
    content = hashlib.sha256(b"".join(key[order].tobytes() for key in keys)).digest()
    rng = np.random.default_rng([seed, *content])
    drawn = rng.permutation(order)
    if index is None:
        return drawn
    return rng.permutation(drawn[np.unique(index[drawn], return_index=True)[1]])


def surest_first(
    confidence: ArrayLike, correct: ArrayLike, cluster: Sequence[Any] | None = None, seed: int = 0
) -> tuple[Floats, Bools]:
    """Clean arrays of independent answers, the surest first: one of each cluster, and ties in random order."""
    p, y = check(confidence, correct, Scale.REAL)
    drawn = independent(clusters(cluster, len(p)), seed, p, y)
    drawn = drawn[np.argsort(-p[drawn], kind="stable")]
    return p[drawn], y[drawn]


def tie_ends(descending: Floats) -> Bools:
    """Which values are the last of their ties."""
    return np.append(descending[1:] != descending[:-1], True)


class Masses(NamedTuple):
    """Of all answers, clusters counting alike, the shares that are given and that are given and wrong."""

    given: Floats
    wrong: Floats
    n: int
    """Answers, or clusters."""


def masses_from(thresholds: Floats, p: Floats, y: Bools, cluster: Sequence[Any] | ArrayLike | None = None) -> Masses:
    """The masses for answering from each of the thresholds upwards."""
    index = clusters(cluster, len(p))
    sizes = np.ones(len(p)) if index is None else np.bincount(index)
    weights = 1 / sizes[slice(None) if index is None else index] / len(sizes)
    order = np.argsort(p, kind="stable")
    first = np.searchsorted(p[order], thresholds)

    def above(mass: Floats) -> Floats:
        # All shares may sum to a little more than 1.
        return np.asarray(np.minimum(np.append(np.cumsum(mass[order][::-1])[::-1], 0.0)[first], 1.0))

    return Masses(above(weights), above(weights * ~y), len(sizes))


def whole(values: Floats | float) -> Floats:
    """Sums of shares without the rounding of floats, so that what is a whole number is one."""
    return np.asarray(np.round(values, 9))


def by_threshold(threshold: float | str | None, case: Case, guarantee: Guarantee) -> Decision:
    """Answer from the threshold upwards; a threshold of words says why nothing is answered."""
    if isinstance(threshold, str):
        return Decision("abstain", case.confidence, guarantee=guarantee, reason=threshold)
    lowest = fitted(threshold)
    if case.confidence is None:
        return Decision("abstain", None, guarantee=guarantee, reason="no confidence")
    sure = case.confidence >= lowest
    return Decision(
        "answer" if sure else "abstain",
        case.confidence,
        guarantee=guarantee,
        reason=f"confidence {case.confidence:.6g} is {'at least' if sure else 'below'} {lowest:.6g}",
    )

"""A threshold on an option's score that depends on the question: a logistic model of which options are right."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from doxa.errors import DataError

FLOOR = 1e-6
"""Probabilities below it count as this."""
FEATURES = ("log score", "log of the highest", "entropy", "log of their number")
RIDGE = 1.0
"""Weight of the squares of the weights, of standardised features: one answer's worth of caution."""


def features(options: Mapping[str, float]) -> list[list[float]]:
    """For each option the logarithm of its score, and then what is the same for all options of the question."""
    scores, total = list(options.values()), math.fsum(options.values())
    if not (total > 0 and all(0 <= score <= 1 for score in scores)):
        raise DataError(f"options have the scores {dict(options)}", hint="a learnt threshold takes probabilities")
    entropy = -math.fsum(s / total * math.log(s / total) for s in scores if s > 0)
    same = [math.log(max(scores)), entropy, math.log(len(scores))]
    return [[math.log(max(score, FLOOR)), *same] for score in scores]


def conformity(options: Mapping[str, float], weights: Sequence[float]) -> dict[str, float]:
    """log score − τ(question), where the threshold τ is linear in the question's features."""
    rows = (zip(weights, row, strict=True) for row in features(options))
    return {name: math.fsum(w * x for w, x in row) for name, row in zip(options, rows, strict=True)}


def learn(design: ArrayLike, marks: ArrayLike) -> tuple[float, ...]:
    """Weights of the features, that of the log score being 1, from options and which of them are right.

    The smallest sets that cover a given share hold the options whose probability of being right is highest; a logistic
    model makes that probability of score and question. Where the score itself counts for nothing or less, or there is
    nothing to learn from, the threshold does not depend on the question.
    """
    from scipy.special import expit

    rows, right = np.asarray(design, dtype=np.float64), np.asarray(marks, dtype=np.float64)
    if not len(rows):
        return ()
    centre, spread = rows.mean(0), rows.std(0)
    spread = np.where(spread > 1e-9, spread, np.inf)
    scaled = np.column_stack([(rows - centre) / spread, np.ones(len(rows))])
    penalty = RIDGE * np.diag([*np.ones(rows.shape[1]), 1e-9])
    weights = np.zeros(scaled.shape[1])
    for _ in range(25):
        p = expit(scaled @ weights)
        hessian = scaled.T @ (scaled * (p * (1 - p))[:, None]) + penalty
        step = np.linalg.solve(hessian, scaled.T @ (p - right) + penalty @ weights)
        # A step of this length changes odds by a factor of twenty; longer ones overshoot.
        weights = weights - step * min(1.0, 3 / (np.abs(step).max() + 1e-12))
        if np.abs(step).max() < 1e-8:
            break
    raw = weights[:-1] / spread
    if raw[0] <= 1e-9:
        return (1.0, *np.zeros(len(raw) - 1).tolist())
    return tuple((raw / raw[0]).tolist())

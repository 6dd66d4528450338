"""Signal detection of the second kind: do ratings tell right from wrong as well as the evidence for an answer could?

Two kinds of statements (say, false and true) give normal evidence that lies d' apart; a criterion makes it an answer,
further criteria on both sides a rating of confidence. Maniscalco and Lau 2012, A Signal Detection Theoretic Approach
for Estimating Metacognitive Sensitivity from Confidence Ratings.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from doxa.errors import DataError, UsageError
from doxa.metrics.maths.checks import Bools, Floats, Ints
from doxa.metrics.maths.form import Statistic

SIDES = np.array([[-1.0], [1.0]])
"""Where the evidence for a response lies, (response, 1)."""
STIMULI = np.array([[[-0.5]], [[0.5]]])
"""Where the evidence of a stimulus is centred, in units of how far the two lie apart."""
TINY = 1e-300
MOST = 10
"""More distinct ratings have too few answers each; they are cut into ratings of even counts."""


class Sensitivity(NamedTuple):
    """How well evidence tells the two kinds apart, by the answers and by the ratings; NaN where there is none."""

    d: float
    """d', from hits and false alarms."""
    meta: float
    """meta-d': the d' of an ideal observer whose ratings would look like these."""


def levels(rating: Floats, ratings: int) -> Ints:
    """Ratings as whole numbers from 0 up: as they are, or cut into `ratings` groups of about even size.

    Raises `UsageError` for more than ten that are not to be cut, `DataError` where there is but one.
    """
    values, found = np.unique(rating, return_inverse=True)
    if ratings:
        edges = np.quantile(rating, np.arange(1, ratings) / ratings)
        found = np.unique(np.searchsorted(edges, rating, side="right"), return_inverse=True)[1]
    elif len(values) > MOST:
        raise UsageError(
            f"rating has {len(values)} values", hint=f"at most {MOST}; ratings=4 cuts them into four groups"
        )
    if found.max() < 1:
        raise DataError("rating has one value", hint="a rating that does not vary says nothing")
    return np.asarray(found)


def of_counts(
    stimulus: Bools, response: Bools, rating: Floats, ratings: int, pad: bool, number: Callable[[Sensitivity], float]
) -> Statistic:
    """A number of the sensitivities, from weighted counts by stimulus, response and rating."""
    level = levels(rating, ratings)
    kinds = int(level.max()) + 1
    code = (2 * stimulus + response) * kinds + level

    def statistic(weights: Floats) -> Floats:
        tables = [np.bincount(code, each, 4 * kinds).astype(np.float64).reshape(2, 2, kinds) for each in weights]
        return np.array([number(sensitivity(table, pad)) for table in tables])

    return statistic


def sensitivity(counts: Floats, pad: bool = True) -> Sensitivity:
    """d' and meta-d' of counts (stimulus, response, rating), of the lowest rating first.

    `pad` adds 1 / (number of cells of a stimulus) to each count, as an empty cell would have an infinite criterion.
    """
    from scipy.special import ndtri

    nothing = Sensitivity(float("nan"), float("nan"))
    if (counts.sum((1, 2)) == 0).any():
        return nothing
    counts = counts + (1 / (2 * counts.shape[2]) if pad else 0.0)
    yes = counts.sum(2)[:, 1] / counts.sum((1, 2))
    if ((yes == 0) | (yes == 1)).any():
        return nothing
    alarm, hit = ndtri(yes)
    d, criterion = float(hit - alarm), float(-(hit + alarm) / 2)
    return Sensitivity(d, meta(counts, criterion / d) if d else float("nan"))


def meta(counts: Floats, relative: float) -> float:
    """The likeliest meta-d', with the criterion at `relative` times it and the likeliest criteria of the ratings."""
    from scipy.optimize import minimize

    kinds = counts.shape[2]
    start = np.append(1.0, np.full(2 * (kinds - 1), np.log(1.0 / kinds)))
    found = minimize(_surprise, start, (counts, relative), "BFGS", jac=True, options={"gtol": 1e-6 * counts.sum()})
    return float(found.x[0])


def _surprise(parameters: Floats, counts: Floats, relative: float) -> tuple[float, Floats]:
    """Minus the log-likelihood of the ratings given stimulus and response, and its gradient.

    On its own side of the answer's criterion a response's evidence grows with its rating: the criteria rise from that
    one in steps, whose logarithms are parameters.
    """
    from scipy.special import ndtr

    apart, steps = parameters[0], np.exp(np.clip(parameters[1:], -20, 5)).reshape(2, -1)
    criteria = SIDES * apart * relative + np.pad(np.cumsum(steps, axis=1), ((0, 0), (1, 0)))
    z = SIDES * STIMULI * apart - criteria  # (stimulus, response, rating)
    beyond = ndtr(z)
    cell = np.maximum(beyond - _after(beyond), TINY)
    total = np.maximum(beyond[..., :1], TINY)
    value = -float((counts * np.log(cell / total)).sum())
    pull = counts / cell
    by_beyond = pull - np.pad(pull[..., :-1], ((0, 0), (0, 0), (1, 0)))
    by_beyond[..., :1] -= counts.sum(-1, keepdims=True) / total
    slope = -by_beyond * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)  # by the criteria
    by_apart = (slope * SIDES * (relative - STIMULI)).sum()
    by_steps = np.cumsum(slope.sum(0)[:, ::-1], axis=1)[:, ::-1][:, 1:] * steps
    return value, -np.append(by_apart, by_steps.ravel())


def _after(beyond: Floats) -> Floats:
    """The share beyond the next criterion, 0 after the last."""
    return np.pad(beyond[..., 1:], ((0, 0), (0, 0), (0, 1)))

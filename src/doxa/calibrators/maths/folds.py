"""Out-of-fold probabilities: nothing is predicted by what was fitted on it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from doxa.errors import DataError
from doxa.metrics.maths.checks import Floats, Ints, check, outcomes
from doxa.types import Calibrator, Scale


def cross_fit(
    calibrator: Calibrator,
    *,
    confidence: ArrayLike,
    correct: ArrayLike,
    by: Any = None,
    cluster: Sequence[Any] | ArrayLike | None = None,
    folds: int = 5,
    seed: int = 0,
) -> Floats:
    """Probability for each row from a calibrator fitted on the other folds, which share no cluster with it.

    `confidence` is (n,), or (n, k) for calibrators of several estimators; `by` goes with the rows where the calibrator
    takes groups. Raises `DataError` with fewer than two clusters.
    """
    p = np.asarray(confidence)
    if p.ndim == 1:
        p, y = check(confidence, correct, getattr(calibrator, "scale", Scale.REAL))
    else:
        y = outcomes(correct)
    groups = None if by is None else np.asarray(by)
    fold = fold_of(content(p, y, groups) if cluster is None else cluster, folds=folds, seed=seed)
    probability = np.empty(len(p))
    for i in range(int(fold.max()) + 1):
        here = fold == i
        there = {} if groups is None else {"by": groups[~here]}
        trained = calibrator.fit(confidence=p[~here], correct=y[~here], **there)
        asked = {} if groups is None else {"by": groups[here]}
        probability[here] = trained.predict(confidence=p[here], **asked)
    return probability


def fold_of(cluster: Sequence[Any] | ArrayLike, *, folds: int = 5, seed: int = 0) -> Ints:
    """Fold number of each row: rows of a cluster share it, sizes are even, and only names, sizes and seed decide.

    Clusters are dealt in the order of a hash of (seed, name), each to the fold with the fewest rows so far.
    """
    names, index, sizes = np.unique(
        np.asarray([str(name) for name in np.asarray(cluster).tolist()]), return_inverse=True, return_counts=True
    )
    if len(names) < 2:
        what = f"{len(names)} cluster cannot be divided into folds"
        raise DataError(what, hint="at least two are needed; where no cluster is named, every answer is one")
    dealt = sorted(range(len(names)), key=lambda i: hashlib.sha256(f"{seed}:{names[i]}".encode()).digest())
    rows = [0] * min(folds, len(names))
    home = np.empty(len(names), dtype=np.intp)
    for i in dealt:
        home[i] = rows.index(min(rows))
        rows[home[i]] += int(sizes[i])
    return np.asarray(home[index])


def content(confidence: ArrayLike, correct: ArrayLike, by: Any = None) -> Ints:
    """Name each row by its place among the sorted rows, so that their order in the file plays no part."""
    values = np.asarray(confidence, dtype=np.float64)  # a missing value becomes NaN, which sorts last
    keys = [*np.atleast_2d(values.T)[::-1]]
    labels = [] if by is None else [*np.atleast_2d(np.asarray(by).astype(str).T)]
    place = np.empty(len(values), dtype=np.intp)
    place[np.lexsort((*labels, np.asarray(correct), *keys))] = np.arange(len(values))
    return place

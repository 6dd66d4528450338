"""Which of several hypotheses are rejected when at most a share delta of all families may hold one false rejection."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from doxa.metrics.maths.checks import Bools, Floats


def bonferroni(p: Floats, delta: float) -> Bools:
    """Those with p <= delta / m. Source: Bonferroni 1936.

    >>> bonferroni(np.array([0.01, 0.02, 0.9]), 0.05).tolist()
    [True, False, False]
    """
    return np.asarray(p <= delta / len(p))


def holm(p: Floats, delta: float) -> Bools:
    """From the smallest p upwards, those with p <= delta / (how many are left), up to the first without.

    Source: Holm 1979.

    >>> holm(np.array([0.01, 0.02, 0.9]), 0.05).tolist()
    [True, True, False]
    """
    order = np.argsort(p, kind="stable")
    passes = np.logical_and.accumulate(p[order] <= delta / np.arange(len(p), 0, -1))
    rejected = np.zeros(len(p), dtype=bool)
    rejected[order[passes]] = True
    return rejected


def fixed_sequence(p: Floats, delta: float) -> Bools:
    """In the given order, which must not depend on the data, those with p <= delta up to the first without.

    Source: Bauer 1991; as a way to choose thresholds, Angelopoulos et al. 2021 (arXiv 2110.01052).

    >>> fixed_sequence(np.array([0.01, 0.02, 0.9, 0.0]), 0.05).tolist()
    [True, True, False, False]
    """
    return np.asarray(np.logical_and.accumulate(p <= delta))


FAMILIES: dict[str, Callable[[Floats, float], Bools]] = {
    "fixed_sequence": fixed_sequence,
    "holm": holm,
    "bonferroni": bonferroni,
}

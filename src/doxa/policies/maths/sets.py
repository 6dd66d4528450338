"""Sets of options: how well each option conforms, the sets that a threshold makes, and how they are decided on."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from doxa.errors import DataError
from doxa.metrics.maths.checks import Floats, check, clusters
from doxa.policies.maths.thresholds import independent
from doxa.types import Case, Decision, Guarantee, Scale

WITHOUT_RIGHT = "share of sets without a right answer"
Right = str | Collection[str] | None
"""The right option, or those that are right; none where there is none among the options."""


def likelihood(options: Mapping[str, float]) -> dict[str, float]:
    """The score of each option itself, as in LAC (Sadinle, Lei and Wasserman 2019)."""
    return dict(options)


def adaptive(options: Mapping[str, float]) -> dict[str, float]:
    """Minus the mass of the options that are at least as likely, as in APS without its random number.

    Source: Romano, Sesia and Candès 2020 (arXiv 2006.02544).

    >>> adaptive({"a": 0.5, "b": 0.25, "c": 0.25})
    {'a': -0.5, 'b': -1.0, 'c': -1.0}
    """
    return {name: -math.fsum(q for q in options.values() if q >= p) for name, p in options.items()}


CONFORMITIES = {"lac": likelihood, "aps": adaptive}


def marks(options: Mapping[str, float], right: Right) -> list[bool]:
    """Which options are right."""
    accepted = () if right is None else (right,) if isinstance(right, str) else right
    return [name in accepted for name in options]


def of_right(conformity: Mapping[str, float], right: Right) -> float | None:
    """The conformity of the right option, the best one where several are; `None` where none is among the options."""
    pairs = zip(conformity.values(), marks(conformity, right), strict=True)
    return max((value for value, is_right in pairs if is_right), default=None)


def paired(options: Sequence[Any], right: Sequence[Right]) -> None:
    """Raise `DataError` where there is not one right answer for each question's options."""
    if len(options) != len(right):
        hint = "give one mapping of options to scores, and what is right, per question"
        raise DataError(f"options of {len(options)} questions and right answers of {len(right)}", hint=hint)


def absent_lowest(
    conformity: ArrayLike, among: ArrayLike, cluster: Sequence[Any] | ArrayLike | None = None, seed: int = 0
) -> Floats:
    """Conformities of right options in ascending order, −inf where there was none, and one of each cluster."""
    s, there = check(conformity, among, Scale.REAL)
    s = np.where(there, s, -np.inf)
    return np.sort(s[independent(clusters(cluster, len(s)), seed, s)])


def by_set(threshold: float | str, case: Case, conformity: Mapping[str, float], guarantee: Guarantee) -> Decision:
    """The options whose conformity is at least the threshold: answered if it is one, else handed over as payload.

    A threshold of words says why all options are in the set, of which nothing is promised.
    """
    if not case.options:
        return Decision("abstain", case.confidence, payload=(), reason="there are no options to choose from")
    if isinstance(threshold, str):
        return Decision("abstain", case.confidence, tuple(case.options), reason=threshold)
    chosen = tuple(name for name, value in conformity.items() if value >= threshold)
    reason = f"{len(chosen)} of {len(case.options)} options are likely enough"
    return Decision("answer" if len(chosen) == 1 else "abstain", case.confidence, chosen, guarantee, reason)


def missing(n: int, absent: int, allowed: int) -> str:
    """Why no set of candidates will do."""
    return (
        f"no set is large enough: the right answer was not among the candidates of {absent} of {n} questions, and at "
        f"most {allowed} would do"
    )

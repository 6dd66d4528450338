"""Answer options and their scores: probabilities, and which of them are right, wrong or no answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from doxa.errors import DataError
from doxa.metrics.maths.checks import Floats
from doxa.metrics.maths.columns import Column_
from doxa.metrics.maths.form import Statistic, mean_of


class Masses(NamedTuple):
    """One question's probability that is on right, wrong and no answers, and on what is likeliest."""

    right: float
    wrong: float
    silent: float
    top: float
    """Probability of the likeliest option."""
    top_right: float
    """Whether that is right; a share where several are likeliest."""
    top_wrong: float


def shares(options: Mapping[str, float], *, logs: bool, normalise: bool) -> Floats:
    """Probabilities of the options: softmax of their log-likelihoods, each over the length of its text if normalised.

    Without `logs` the numbers are probabilities already, and are only made to add up to 1.
    Raises `DataError` for probabilities that are negative or all 0.
    """
    scores = np.array(list(options.values()))
    if logs:
        lengths = np.array([max(1, len(option)) for option in options]) if normalise else 1.0
        scores = scores / lengths
        scores = np.exp(scores - scores.max())
    if (scores < 0).any() or not scores.sum():
        raise DataError(f"{dict(options)} are no probabilities", hint="give log-likelihoods, or numbers from 0 up")
    return np.asarray(scores / scores.sum())


def masses(options: Mapping[str, float], gold: Sequence[str], idk: str, p: Floats, *, blind: bool = False) -> Masses:
    """Where the probability `p` of the options lies; texts are compared without case and outer spaces.

    `blind` looks the option of no answer up as upstream does: it is found only if its text is already so.
    Raises `DataError` where no option is right, or `idk` is none of them.
    """
    names = [option.strip().lower() for option in options]
    none = idk.strip().lower()
    right = np.isin(names, [text.strip().lower() for text in gold])
    silent = np.isin(names, [none]) & ~right
    if not right.any() or none not in names:
        missing = none if right.any() else " or ".join(gold)
        raise DataError(f"{missing!r} is none of the options {list(options)}", hint="the texts must be the same")
    likeliest = p == p.max()
    found = 0.0 if blind and none not in options else float(p[silent].sum())
    return Masses(
        right=float(p[right].sum()),
        wrong=float(p[~right & ~silent].sum()),
        silent=found,
        top=float(p.max()),
        top_right=float(right[likeliest].mean()),
        top_wrong=float((~right & ~silent)[likeliest].mean()),
    )


def mean_over(
    score: Callable[[Masses], float],
    options: Column_,
    gold: Column_,
    *,
    idk: str,
    logs: bool,
    normalise: bool,
    blind: bool = False,
) -> Statistic:
    """The mean of a score of each question's masses. `idk` is the option of no answer, the last one where it is ""."""
    values = [
        score(masses(each, right, idk or list(each)[-1], shares(each, logs=logs, normalise=normalise), blind=blind))
        for each, right in zip(options, gold, strict=True)
    ]
    return mean_of(np.array(values, dtype=np.float64))


def distance(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """Total variation distance of two distributions over the same options; NaN where these differ or weigh nothing."""
    if set(one) != set(other) or not sum(one.values()) or not sum(other.values()):
        return float("nan")
    left, right = (np.array([each[option] for option in one]) for each in (one, other))
    return float(np.abs(left / left.sum() - right / right.sum()).sum() / 2)

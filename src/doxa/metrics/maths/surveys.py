"""Survey questions asked with their answers in many orders: what is left when the place of an answer plays no part."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from doxa.errors import DataError
from doxa.metrics.maths.cells import ratio
from doxa.metrics.maths.checks import Bools, Floats
from doxa.metrics.maths.columns import Column_
from doxa.metrics.maths.form import Statistic

Score = Callable[[Floats], Floats]
"""The adjusted distributions of one question (b, k) to numbers (b,)."""


def probabilities(shown: Column_) -> list[dict[str, float]]:
    """Each row's numbers as probabilities of its answers. Raises `DataError` where they are none, or fewer than two."""
    made = []
    for answers in shown:
        total = sum(answers.values())
        if len(answers) < 2 or min(answers.values()) < 0 or not total:
            raise DataError(f"{answers} are no probabilities of answers", hint="give two or more, from 0 up")
        made.append({answer: share / total for answer, share in answers.items()})
    return made


def adjusted(question: Column_, shown: Column_, score: Callable[[list[str], Bools], Score]) -> Statistic:
    """The mean over questions of a score of each one's answers, averaged over the orders in which they were shown.

    `score` is told a question's answers and which rows are its own. A question counts once however many orders it was
    shown in; in a bootstrap replicate it counts as often as it is drawn.
    """
    rows, parts = probabilities(shown), []
    for name in np.unique(question):
        own = question == name
        given = [row for row, mine in zip(rows, own, strict=True) if mine]
        answers = sorted(given[0])
        if any(sorted(row) != answers for row in given):
            raise DataError(f"question {name!r} has rows of different answers", hint="its rows differ in order alone")
        table = np.array([[row[answer] for answer in answers] for row in given])
        parts.append((own, table, score(answers, own)))

    def mean(weights: Floats) -> Floats:
        total, count = np.zeros(len(weights)), np.zeros(len(weights))
        for own, table, scored in parts:
            drawn = weights[:, own].sum(-1)
            there = drawn > 0
            found = scored(ratio(weights[there][:, own] @ table, drawn[there][:, None]))
            total[there] += drawn[there] / own.sum() * found
            count += drawn / own.sum()
        return ratio(total, count)

    return mean


def entropy(p: Floats) -> Floats:
    """Entropy of distributions (b, k) over its most, log k; 0 log 0 is 0."""
    logs = np.log(np.where(p > 0, p, 1.0))
    return np.asarray(-(p * logs).sum(-1) / np.log(p.shape[-1]))


def divergence(p: Floats, q: Floats) -> Floats:
    """Kullback-Leibler divergence of p from q in bits; NaN where p goes where q is 0."""
    needed = p > 0
    logs = np.log2(np.where(needed & (q > 0), p / np.where(q > 0, q, 1.0), 1.0))
    return np.asarray(np.where((needed & (q <= 0)).any(-1), np.nan, (p * logs).sum(-1)))


def reference(human: Column_, own: Bools, answers: list[str]) -> Floats:
    """People's shares of the answers of a question, the same in all its rows. Raises `DataError` for others."""
    given = [row for row, mine in zip(human, own, strict=True) if mine]
    if any(row != given[0] for row in given) or sorted(given[0]) != answers:
        raise DataError(
            f"people's answers {given[0]} do not fit {answers}", hint="repeat one object in a question's rows"
        )
    shares = np.array([given[0][answer] for answer in answers])
    if (shares < 0).any() or not shares.sum():
        raise DataError(f"{given[0]} are no shares of people", hint="give numbers from 0 up")
    return np.asarray(shares / shares.sum())

"""How the answers of several replies, and the confidences stated in them, become one number for each answer.

Answers are normalised forms, `None` where a reply holds none. All functions are pure, and none depends on the order of
the replies. Xiong et al. 2023, Can LLMs Express Their Uncertainty? (arXiv 2306.13063), section 3.4.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from doxa.types import Floats


def consistency(answers: Sequence[str | None], *, readable_only: bool = False) -> dict[str, float]:
    """Share of the M replies that give an answer: C(Y) = Σ [Y_i = Y] / M, formula 1.

    M counts every reply, or with `readable_only` those that give an answer at all.

    >>> consistency(["oslo", "oslo", None, "bergen"])
    {'oslo': 0.5, 'bergen': 0.25}
    """
    counts = Counter(answer for answer in answers if answer is not None)
    total = counts.total() if readable_only else len(answers)
    return {answer: count / total for answer, count in counts.items()}


def average_confidence(
    answers: Sequence[str | None], confidences: Sequence[float | None], *, readable_only: bool = False
) -> dict[str, float]:
    """Consistency weighted by what is stated: C(Y) = Σ [Y_i = Y] C_i / Σ C_i, formula 2.

    The sum below runs over every reply that states a confidence, or with `readable_only` over those of them that also
    give an answer. Where it is 0 no answer has a number.

    >>> average_confidence(["oslo", "bergen", None], [0.5, 0.25, 0.25])
    {'oslo': 0.5, 'bergen': 0.25}
    """
    stated = [(answer, c) for answer, c in zip(answers, confidences, strict=True) if c is not None]
    total = math.fsum(c for answer, c in stated if answer is not None or not readable_only)
    sums = _by_answer([(answer, c) for answer, c in stated if answer is not None])
    return {answer: math.fsum(values) / total for answer, values in sums.items()} if total > 0 else {}


def average_listed(lists: Sequence[Sequence[tuple[str, float | None]]]) -> dict[str, float]:
    """Mean of the confidences stated in an answer wherever it is listed.

    >>> average_listed([[("oslo", 0.5), ("bergen", 0.25)], [("oslo", 1.0)]])
    {'oslo': 0.75, 'bergen': 0.25}
    """
    stated = _by_answer([(answer, c) for guesses in lists for answer, c in guesses if c is not None])
    return {answer: math.fsum(values) / len(values) for answer, values in stated.items()}


def _by_answer(pairs: Sequence[tuple[str, float]]) -> Mapping[str, list[float]]:
    found: defaultdict[str, list[float]] = defaultdict(list)
    for answer, value in pairs:
        found[answer].append(value)
    return found


def preferences(lists: Sequence[Sequence[str]]) -> tuple[list[str], Floats]:
    """All answers of some lists in alphabetical order, and R: the share of lists that name answer i before answer j.

    What a list leaves out stands after all that it names; of two that it leaves out neither stands before the other.
    A list without any answer ranks nothing and does not count.

    >>> preferences([["b", "a"], ["b"]])[1]
    array([[0., 0.],
           [1., 0.]])
    """
    answers = sorted({answer for guesses in lists for answer in guesses})
    table = np.zeros((len(answers), len(answers)))
    for guesses in lists:
        after = np.ones(len(answers))
        for answer in guesses:
            place = answers.index(answer)
            after[place] = 0
            table[place] += after
    return answers, table / max(1, sum(map(bool, lists)))


def pair_rank(
    table: Floats, start: Floats, *, steps: int = 1000, rate: float = 0.01, as_released: bool = False
) -> Floats:
    """The categorical distribution under which answers drawn without replacement would be ranked as in R = `table`.

    p = softmax(w) after `steps` of gradient descent from `start` on −Σ R_ij log(p_i / (p_i + p_j)), formula 4;
    `as_released` leaves out the logarithm, as the authors' code does. At their 1000 steps of 0.01 it has not converged.
    """
    w = start.astype(float)
    for _ in range(steps):
        before = (1 + np.tanh((w[:, None] - w[None, :]) / 2)) / 2  # p_i / (p_i + p_j)
        pull = table * (before * (1 - before) if as_released else 1 - before)
        w = w + rate * (pull.sum(axis=1) - pull.sum(axis=0))
    weights = np.exp(w - w.max(initial=0.0))
    p: Floats = weights / weights.sum()
    return p

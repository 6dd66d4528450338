"""How much of a score is the wording of the prompt? Questions and wordings are both samples of what could be asked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from doxa.errors import DataError


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """The mean of scores over questions and wordings, and where their variance comes from."""

    mean: float
    low: float
    high: float
    """95 % interval for other questions and other wordings of their kind."""
    wordings: tuple[float, ...]
    """Mean of each wording, over the questions."""
    sd: float
    """Standard deviation of these means: what a change of wording moves the score by, chance included."""
    question: float
    """Variance component of the questions, at least 0 like the others."""
    wording: float
    rest: float
    """Of the two together, and of chance."""
    n: int
    """Questions."""


def sensitivity(scores: ArrayLike) -> Sensitivity:
    """Two-way random effects of (questions, wordings) scores, by the method of moments.

    With mean squares of questions, wordings and rest, each component is the surplus of its mean square over the rest's,
    divided by the number of scores in its means; the grand mean has variance (MS_q + MS_w − MS_e) / scores, with
    Satterthwaite's degrees of freedom. Searle, Casella and McCulloch 1992, Variance Components.

    Raises `DataError` for fewer than two questions or wordings, or a missing score.
    """
    from scipy.special import stdtrit

    table = np.asarray(scores, dtype=np.float64)
    if table.ndim != 2 or min(table.shape) < 2 or not np.isfinite(table).all():
        raise DataError(
            f"scores of shape {table.shape} do not fill a table",
            hint="at least two questions and two wordings, no gaps",
        )
    n, k = table.shape
    by_question, by_wording, mean = table.mean(1), table.mean(0), float(table.mean())
    off = table - by_question[:, None] - by_wording + mean
    freedom = np.array([n - 1, k - 1, (n - 1) * (k - 1)])
    squares = np.array([k * by_question.var() * n, n * by_wording.var() * k, (off**2).sum()]) / freedom
    of_question, of_wording, rest = squares.tolist()
    both = of_question + of_wording - rest
    # The rest is part of both others and is not to make the mean surer than either alone.
    variance = max(both, of_question, of_wording)
    worth = variance**2 / float((squares**2 / freedom).sum()) if variance else 1.0
    half = float(stdtrit(max(1.0, worth), 0.975)) * float(np.sqrt(variance / table.size))
    return Sensitivity(
        mean,
        mean - half,
        mean + half,
        tuple(by_wording.tolist()),
        float(by_wording.std(ddof=1)),
        max(0.0, (of_question - rest) / k),
        max(0.0, (of_wording - rest) / n),
        rest,
        n,
    )

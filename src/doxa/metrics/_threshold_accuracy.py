"""How often is a risk score on the right side of a threshold?"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.maths.cells import Cells, ratio
from doxa.metrics.maths.checks import Floats
from doxa.metrics.maths.rule import Rule


def threshold_accuracy(*, confidence: ArrayLike, correct: ArrayLike, threshold: float | None = 0.5) -> float:
    """Share of outcomes that are true where the score is at least the threshold, and false where it is below.

    Range [0, 1], higher is better. For scores of risk, where the outcome is an event rather than a right answer: then
    the score is `confidence` and the event `correct`. `threshold=None` takes the one that fits these data best, and
    flatters where they are few. Source: Evaluating Language Models as Risk Scores; socialfoundations/folktexts.

    >>> threshold_accuracy(confidence=[0.9, 0.6, 0.6, 0.2], correct=[1, 0, 0, 0])
    0.5
    >>> threshold_accuracy(confidence=[0.9, 0.6, 0.6, 0.2], correct=[1, 0, 0, 0], threshold=None)
    1.0
    """
    return RULE.value(confidence, correct, threshold=threshold)


def kernel(cells: Cells, threshold: float | None = 0.5) -> Floats:
    """Events at or above the threshold and other outcomes below it, over all."""
    if threshold is not None:
        above = (cells.confidence >= threshold).astype(np.float64)
        return ratio(cells.right @ above + cells.wrong @ (1 - above), cells.total)
    below = cells.wrong.sum(-1)
    gained = np.cumsum(cells.right - cells.wrong, axis=-1).max(-1)
    return ratio(below + np.maximum(0.0, gained), cells.total)


RULE = Rule(kernel, better="high")

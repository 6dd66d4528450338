"""How cleanly the least sure answers are wrong."""

from __future__ import annotations

from numpy.typing import ArrayLike

from doxa.metrics.maths.cells import Cells
from doxa.metrics.maths.checks import Floats
from doxa.metrics.maths.ranking import average_precision
from doxa.metrics.maths.rule import Rule
from doxa.types import Scale


def auprc_error(*, confidence: ArrayLike, correct: ArrayLike) -> float:
    """Average precision with the wrong answers as positives and doubt as the score, in [0, 1]; higher is better.

    The view of someone who hunts errors; guessing gives about the error rate. Undefined without wrong answers.
    Source: Hendrycks and Gimpel 2017, arXiv 1610.02136.

    >>> auprc_error(confidence=[0.9, 0.5, 0.1], correct=[1, 0, 0])
    1.0
    """
    return RULE.value(confidence, correct)


def kernel(cells: Cells) -> Floats:
    """Average precision from the side of the errors."""
    return average_precision(cells.as_errors())


RULE = Rule(kernel, better="high", scale=Scale.REAL, undefined="no answer is wrong")

"""Expected calibration error."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.maths.binning import Edges, equal_width
from doxa.metrics.maths.cells import ratio
from doxa.metrics.maths.checks import Floats
from doxa.metrics.maths.kernels import Part, Sums, excess
from doxa.metrics.maths.rule import Rule


def ece(*, confidence: ArrayLike, correct: ArrayLike, bins: int = 10, edges: Edges = "right") -> float:
    """Sum over bins of n_b / n |mean confidence - accuracy|, in [0, 1]; lower is better.

    Bins have equal width and are (a, b], with 0 in the first; `edges="left"` makes them [a, b), with 1 in the last.
    Stated confidences sit on the edges, so the choice matters. Biased upwards on few answers: never rank by it alone.
    Source: Guo, Pleiss, Sun and Weinberger 2017, arXiv 1706.04599.

    >>> ece(confidence=[0.4] * 50 + [0.3] * 50, correct=[1] * 50 + [0] * 50, bins=5)
    0.15
    """
    return RULE.value(confidence, correct, bins=bins, edges=edges)


def parts(confidence: Floats, bins: int = 10, edges: Edges = "right") -> tuple[Part]:
    """The gaps of the bins."""
    return (excess(confidence, equal_width(confidence, bins, edges), bins),)


RULE = Rule(Sums(parts, lambda total, gaps: ratio(np.abs(gaps).sum(-1), total)), better="low", distance=True)

"""Maximum calibration error."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.maths.binning import Edges, equal_width, fold, gap
from doxa.metrics.maths.cells import Cells, ratio
from doxa.metrics.maths.checks import Floats
from doxa.metrics.maths.rule import Rule


def mce(*, confidence: ArrayLike, correct: ArrayLike, bins: int = 10, edges: Edges = "right") -> float:
    """Largest |mean confidence - accuracy| of the bins that hold answers, in [0, 1]; lower is better.

    Bins are those of `ece`. One answer in a bin can decide it: read it with the reliability diagram.
    Source: Naeini, Cooper and Hauskrecht 2015.

    >>> mce(confidence=[1.0, 1.0, 0.25], correct=[1, 1, 0])
    0.25
    """
    return RULE.value(confidence, correct, bins=bins, edges=edges)


def kernel(cells: Cells, bins: int = 10, edges: Edges = "right") -> Floats:
    """The largest mean gap."""
    index = equal_width(cells.confidence, bins, edges)
    gaps = ratio(np.abs(fold(gap(cells), index, bins)), fold(cells.count, index, bins), 0.0)
    return np.asarray(gaps.max(-1))


RULE = Rule(kernel, better="low", distance=True)

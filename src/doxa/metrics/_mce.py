"""Maximum calibration error."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.maths.binning import Edges, equal_width
from doxa.metrics.maths.cells import ratio
from doxa.metrics.maths.checks import Floats
from doxa.metrics.maths.kernels import Part, Sums, count, excess
from doxa.metrics.maths.rule import Rule


def mce(*, confidence: ArrayLike, correct: ArrayLike, bins: int = 10, edges: Edges = "right") -> float:
    """Largest |mean confidence - accuracy| of the bins that hold answers, in [0, 1]; lower is better.

    Bins are those of `ece`. One answer in a bin can decide it: read it with the reliability diagram.
    Source: Naeini, Cooper and Hauskrecht 2015.

    >>> mce(confidence=[1.0, 1.0, 0.25], correct=[1, 1, 0])
    0.25
    """
    return RULE.value(confidence, correct, bins=bins, edges=edges)


def parts(confidence: Floats, bins: int = 10, edges: Edges = "right") -> tuple[Part, Part]:
    """Gaps and counts of the bins."""
    index = equal_width(confidence, bins, edges)
    return excess(confidence, index, bins), count(confidence, index, bins)


def largest(_: Floats, gaps: Floats, counts: Floats) -> Floats:
    """The largest mean gap."""
    return np.asarray(ratio(np.abs(gaps), counts, 0.0).max(-1))


RULE = Rule(Sums(parts, largest), better="low", distance=True)

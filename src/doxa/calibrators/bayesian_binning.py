"""Bayesian binning into quantiles: many binnings, each weighted by how well it explains the outcomes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from doxa.calibrators.maths.hull import cumulated
from doxa.errors import UsageError
from doxa.metrics.maths.binning import locate
from doxa.metrics.maths.cells import group
from doxa.metrics.maths.checks import Floats, Ints, check
from doxa.state import dump, fitted, load, ungrouped
from doxa.types import Scale

BORDER = 0.005
"""Prior means are clipped to [BORDER, 1 - BORDER]."""
NEGLIGIBLE = 1e-17
"""Binnings with a smaller share of the weight than this cannot change a float."""


@dataclass(frozen=True, slots=True)
class BayesianBinning:
    """Mean over binnings of the share of right answers in the bin, for confidences in [0, 1].

    Binnings into B quantiles, ties together, for every B from n^(1/3) / 10 to the lesser of 10 n^(1/3) and n / 5. The
    prior of a bin is a beta distribution about its midpoint, worth `strength` answers, so that the weight of a binning
    is its marginal likelihood (BDeu) and its estimate (right + strength · midpoint) / (count + strength). A binning
    that several B lead to counts once. Bins meet half-way between scores. Not monotone. The authors' code prunes
    binnings of little weight and shrinks the estimates towards another mean than that of the prior.
    Source: Naeini, Cooper and Hauskrecht 2015, Obtaining well calibrated probabilities using Bayesian binning (AAAI).
    """

    scale: ClassVar[Scale] = Scale.UNIT
    implements: ClassVar[tuple[str, ...]] = ()
    strength: float = 2.0
    _edges: tuple[float, ...] | None = None
    """Upper ends of all bins but the last, of all binnings together."""
    _values: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        """Refuse a prior of no strength."""
        if not self.strength > 0:
            raise UsageError(f"strength={self.strength}", hint="strength is above 0, in answers")

    def fit(self, *, confidence: ArrayLike, correct: ArrayLike, by: Any = None) -> Self:
        """Return a fitted copy. Raises `DataError` for bad values."""
        ungrouped(by)
        cells = group(*check(confidence, correct))
        score, right, count = cells.confidence[::-1], cells.right[::-1], cells.count[::-1]
        middles = np.concatenate([[0.0], (score[1:] + score[:-1]) / 2, [1.0]])
        sums = cumulated(right), cumulated(count)
        found = [binned(starts, *sums, middles, self.strength) for starts in quantiles(count)]
        evidence = np.array([each[0] for each in found])
        weights = np.exp(evidence - evidence.max())
        heard = np.flatnonzero(weights > NEGLIGIBLE * weights.sum())
        edges = np.unique(np.concatenate([found[i][1] for i in heard]))
        values = np.zeros(len(edges) + 1)
        for i in heard:
            _, cuts, estimates = found[i]
            values += weights[i] / weights[heard].sum() * estimates[locate(cuts, np.append(edges, 1.0))]
        return replace(self, _edges=tuple(edges.tolist()), _values=tuple(values.tolist()))

    def predict(self, *, confidence: ArrayLike, by: Any = None) -> Floats:
        """Probability of being right."""
        ungrouped(by)
        p = check(confidence, np.zeros(np.shape(confidence)))[0]
        return np.asarray(fitted(self._values), dtype=np.float64)[locate(np.asarray(fitted(self._edges)), p)]

    def to_json(self) -> dict[str, Any]:
        """Knobs and state as JSON-able values."""
        return dump(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The calibrator that `to_json` wrote."""
        return load(cls, data)


def quantiles(count: Floats) -> Iterator[Ints]:
    """The cells at which bins start, for each different binning; a cell is in the bin of its middle answer."""
    n, seen = int(count.sum()), set()
    middle = (2 * np.cumsum(count) - count).astype(np.intp)  # twice the rank, so that it is whole
    root = n ** (1 / 3)
    for bins in range(max(1, math.floor(root / 10)), min(math.ceil(n / 5), math.ceil(10 * root)) + 1):
        least = -(-2 * n * np.arange(bins) // bins)
        starts = np.unique(np.searchsorted(middle, least))
        starts = starts[starts < len(count)]
        if starts.tobytes() not in seen:
            seen.add(starts.tobytes())
            yield starts


def binned(
    starts: Ints, right: Floats, count: Floats, middles: Floats, strength: float
) -> tuple[float, Floats, Floats]:
    """Log marginal likelihood, inner edges and estimates of one binning.

    `right` and `count` are sums over the cells before each, `middles` the edges of the cells.
    """
    from scipy.special import betaln

    ends = np.append(starts, len(count) - 1)
    edges = middles[ends]
    prior = np.clip((edges[1:] + edges[:-1]) / 2, BORDER, 1 - BORDER)
    r, n = np.diff(right[ends]), np.diff(count[ends])
    a, b = strength * prior, strength * (1 - prior)
    evidence = float((betaln(r + a, n - r + b) - betaln(a, b)).sum())
    return evidence, edges[1:-1], (r + a) / (n + strength)

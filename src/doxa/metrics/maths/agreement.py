"""Knows, says, does: do belief, word and deed agree with each other and with the world?

Belief is what the samples show, word what the model states, deed the mean of its acts; all in [0, 1].
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from doxa.errors import DataError
from doxa.metrics.maths.bootstrap import percentiles, row_weights
from doxa.metrics.maths.cells import distinct, ratio
from doxa.metrics.maths.checks import Bools, Floats, Ints, clusters, complete
from doxa.metrics.maths.comparing import Difference, compare
from doxa.metrics.maths.measuring import measure
from doxa.types import Measurement

Optional = Sequence[float | None] | ArrayLike
Acts = Sequence[bool | None] | ArrayLike


@dataclass(frozen=True, slots=True)
class Standing:
    """How one of the three stands to the world."""

    auroc: Measurement
    ece: Measurement
    overconfidence: Measurement
    mean: Measurement


@dataclass(frozen=True, slots=True)
class Agreement:
    """The table: three against the world, three pairs against each other."""

    accuracy: Measurement
    knows: Standing
    says: Standing
    does: Standing
    knows_says: Measurement
    """Spearman's rank correlation of belief and word."""
    knows_does: Measurement
    says_does: Measurement
    gap: Measurement
    """Mean |belief - word|."""
    rational: Measurement
    """Share of acts that are the better ones if the word is taken as a probability."""
    edge: Difference
    """AUROC of the belief minus AUROC of the word, on the same questions."""


def agree(
    *,
    belief: Optional,
    word: Optional,
    deed: Optional,
    correct: Acts,
    cluster: Sequence[Any] | ArrayLike | None = None,
    acts: Sequence[Acts] = (),
    cost: float = 1.0,
    seed: int = 0,
) -> Agreement:
    """Compare belief, word and deed with the outcomes and with one another; `None` is missing, pair by pair.

    `acts` are the single acts (answers, keeps, bets), each true where the model backs its reply; without them the deed
    stands for them. An act is rational if it backs the reply exactly when the word exceeds cost / (1 + cost), where an
    error costs `cost` times what a success gains; at that very value both acts are.
    Intervals are those of `measure`; of the pairs, the cluster bootstrap's.

    Raises `DataError` for bad values or unequal lengths.
    """
    sides = {"belief": belief, "word": word, "deed": deed}
    given = {name: _optional(name, values, correct) for name, values in sides.items()}
    units = clusters(cluster, len(given["word"]))
    backed = np.column_stack([_optional("acts", act, correct) for act in acts]) if acts else given["deed"][:, None]
    names = ("auroc", "ece", "overconfidence", "mean_confidence")
    standings = {
        name: Standing(*measure(confidence=values, correct=correct, cluster=cluster, metrics=names, seed=seed))
        for name, values in sides.items()
    }
    everyone = np.zeros(len(given["word"]))
    order = np.lexsort((*backed.T, *given.values()))  # rows drawn alone are named by their content, not their place
    units = None if units is None else units[order]
    table = _Pairs({name: column[order] for name, column in given.items()}, backed[order], units, seed)
    return Agreement(
        measure(confidence=everyone, correct=correct, cluster=cluster, metrics=["accuracy"], seed=seed)[0],
        standings["belief"],
        standings["word"],
        standings["deed"],
        table.ranks("belief", "word"),
        table.ranks("belief", "deed"),
        table.ranks("word", "deed"),
        table.gap(),
        table.rational(cost / (1 + cost)),
        compare(belief, word, correct=correct, cluster=cluster, seed=seed),
    )


@dataclass(frozen=True, slots=True)
class _Pairs:
    """The columns, missing as NaN, and how to resample their rows."""

    given: dict[str, Floats]
    backed: Floats
    """(rows, acts)"""
    units: Ints | None
    seed: int

    def ranks(self, one: str, other: str) -> Measurement:
        """Rank correlation of two columns."""
        a, b = self.given[one], self.given[other]
        known = np.asarray(np.isfinite(a) & np.isfinite(b))
        left, right = distinct(a[known]), distinct(b[known])
        return self._measure(
            "rank_agreement", known, lambda w: spearman(w, left[1], right[1]), "high", f"{one} or {other} never varies"
        )

    def gap(self) -> Measurement:
        """Mean absolute difference of belief and word."""
        apart = np.abs(self.given["belief"] - self.given["word"])
        known = np.isfinite(apart)
        return self._measure("mean_gap", known, lambda w: ratio(w @ apart[known], w.sum(-1)), "low", "")

    def rational(self, threshold: float) -> Measurement:
        """Share of rational acts."""
        score = rationality(self.given["word"], self.backed, threshold)
        known = np.asarray(np.isfinite(score).any(1))
        good, acts = np.nansum(score[known], 1), (~np.isnan(score[known])).sum(1).astype(np.float64)
        return self._measure("rational", known, lambda w: ratio(w @ good, w @ acts), "high", "")

    def _measure(
        self, name: str, known: Bools, statistic: Callable[[Floats], Floats], better: str, undefined: str
    ) -> Measurement:
        """Value and bootstrap interval of a statistic of row weights over the `known` rows."""
        n, missing = int(known.sum()), int((~known).sum())
        value = float(statistic(np.ones((1, n)))[0]) if n else np.nan
        if np.isnan(value):
            why = f"undefined: {undefined}" if n else "no question has both"
            return Measurement(name, None, None, None, n, missing, better=better, reason=why)
        units = None if self.units is None else clusters(self.units[known], n)
        if (n if units is None else units.max() + 1) < 2:
            return Measurement(
                name, value, None, None, n, missing, better=better, reason="no interval from one cluster"
            )
        drawn = np.concatenate([statistic(w) for w in row_weights(n, units, self.seed)])
        low, high = percentiles(drawn) or (None, None)
        return Measurement(
            name, value, low, high, n, missing, better=better, reason=f"cluster bootstrap, {len(drawn)} replicates"
        )


def spearman(weights: Floats, left: Ints, right: Ints) -> Floats:
    """Spearman's rank correlation of rows weighted by (b, n) counts; columns are given as places of distinct values."""
    a, b = (_centred_ranks(weights, place) for place in (left, right))
    across = (weights * a * b).sum(-1)
    return ratio(across, np.sqrt((weights * a * a).sum(-1) * (weights * b * b).sum(-1)))


def rationality(word: Floats, backed: Floats, threshold: float) -> Floats:
    """How far each act, (n, acts), is the rational one given the word, (n,): 1, 0, a share for a mean of acts."""
    side = np.sign(word - threshold)[:, None]
    score = np.where(side > 0, backed, np.where(side < 0, 1 - backed, 1.0))
    return np.where(np.isnan(word)[:, None] | np.isnan(backed), np.nan, score)


def _centred_ranks(weights: Floats, place: Ints) -> Floats:
    """Mid-ranks of the rows in each replicate, minus their mean."""
    by_value = weights @ (place[:, None] == np.arange(place.max() + 1))
    middle = np.cumsum(by_value, -1) - by_value / 2
    return np.asarray(weights.sum(-1, keepdims=True) / 2 - middle[:, place])


def _optional(name: str, values: Any, correct: Any) -> Floats:
    """The values with NaN for `None`, checked against the outcomes' length and [0, 1]."""
    try:
        floats, _, _, given = complete(values, correct)
    except DataError as error:
        raise DataError(str(error).replace("confidence", name), hint=error.hint) from None
    masked: NDArray[np.float64] = np.where(given, floats, np.nan)
    return masked

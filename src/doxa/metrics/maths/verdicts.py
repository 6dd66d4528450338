"""Two verdicts on the same questions: is the second answer right more often than the first, and on the same ones?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from doxa.errors import DataError
from doxa.metrics.maths.bootstrap import percentiles, row_weights
from doxa.metrics.maths.cells import ratio
from doxa.metrics.maths.checks import Bools, Floats, Ints, clusters, numbers, outcomes
from doxa.metrics.maths.intervals import Interval, Z
from doxa.metrics.maths.measuring import measure
from doxa.types import Measurement

BISECTIONS = 60


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Two columns of verdicts against each other; counts are named first verdict, then second."""

    right_right: int
    right_wrong: int
    wrong_right: int
    wrong_wrong: int
    first: Measurement
    """Accuracy of the first answers."""
    second: Measurement
    difference: Measurement
    """Second accuracy minus first."""
    mcnemar: Measurement
    """Two-sided p of McNemar's exact test; of clusters, of flipping their signs."""
    kappa: Measurement
    """Cohen's kappa: do the two fail on the same questions?"""


def compare_verdicts(
    first: Sequence[bool] | ArrayLike,
    second: Sequence[bool] | ArrayLike,
    *,
    cluster: Sequence[Any] | ArrayLike | None = None,
    missing: int = 0,
    errors: int = 0,
    seed: int = 0,
) -> Verdicts:
    """The two-by-two table of two verdicts on the same questions and what follows from it, with 95 % intervals.

    The interval of the difference is Tango's, in clusters with the design effect; that of kappa are percentiles of the
    cluster bootstrap. Raises `DataError` for bad values, unequal lengths or no rows.
    """
    one, other = outcomes(first, "first"), outcomes(second, "second")
    if len(one) != len(other) or not len(one):
        raise DataError(f"first has {len(one)} and second {len(other)} verdicts", hint="give both of every question")
    n, units = len(one), clusters(cluster, len(one))
    if units is None:  # rows drawn alone are named by their content, not their place
        order = np.lexsort((other, one))
        one, other = one[order], other[order]
    counts = crosstab(one, other, np.ones((1, n)))[0]
    right_right, right_wrong, wrong_right, wrong_wrong = (int(count) for count in counts)
    given = {"missing": missing, "errors": errors}

    def accuracy(name: str, verdicts: Bools) -> Measurement:
        made = measure(confidence=np.ones(n), correct=verdicts, cluster=cluster, metrics=["accuracy"], seed=seed)[0]
        return Measurement(name, made.value, made.low, made.high, n, better="high", reason=made.reason, **given)

    def of_table(name: str, statistic: Callable[[Floats], Floats], ends: Interval | None, better: str) -> Measurement:
        value = float(statistic(counts))
        if np.isnan(value):
            return Measurement(name, None, None, None, n, better=better, reason="undefined: no verdict varies", **given)
        low, high, how = ends or resampled(lambda w: statistic(crosstab(one, other, w)), n, units, seed)
        return Measurement(name, value, low, high, n, better=better, reason=how, **given)

    change = other.astype(np.intp) - one
    score = Interval(
        *tango_clustered(change, units), "Tango's score interval" + ("" if units is None else ", clusters")
    )
    p, how = sign_flip(change, units), "McNemar's exact test" if units is None else "exact test over signs of clusters"
    return Verdicts(
        right_right,
        right_wrong,
        wrong_right,
        wrong_wrong,
        accuracy("accuracy_first", one),
        accuracy("accuracy_second", other),
        of_table("accuracy_difference", gain, score, "high"),
        Measurement("mcnemar", p, None, None, n, better="low", reason=how, **given),
        of_table("kappa", kappa, None, "high"),
    )


def crosstab(first: Bools, second: Bools, weights: Floats) -> Floats:
    """Counts (b, 4) of right-right, right-wrong, wrong-right and wrong-wrong rows, weighted by (b, n) counts."""
    kinds = np.stack([first & second, first & ~second, ~first & second, ~first & ~second], axis=1)
    return np.asarray(weights @ kinds.astype(np.float64))


def gain(table: Floats) -> Floats:
    """Share right of the second answers minus that of the first, of counts (..., 4)."""
    return ratio(table[..., 2] - table[..., 1], table.sum(-1))


def kappa(table: Floats) -> Floats:
    """Cohen's kappa of counts (..., 4): agreement beyond what the two accuracies make by chance.

    Range (-1, 1]; NaN where agreement by chance is certain, all verdicts being alike. Cohen 1960, A Coefficient of
    Agreement for Nominal Scales.
    """
    total = table.sum(-1)
    both, first, second, neither = np.moveaxis(table, -1, 0)
    by_chance = (both + first) * (both + second) + (second + neither) * (first + neither)
    return ratio(total * (both + neither) - by_chance, total**2 - by_chance)


def mcnemar(gained: int, lost: int) -> float:
    """Two-sided p of a split as uneven as `gained` to `lost` if a change were as likely for the better as the worse.

    McNemar 1947 in its exact, binomial form; 1 where nothing changed.
    """
    from scipy.special import bdtr

    return min(1.0, 2 * float(bdtr(min(gained, lost), gained + lost, 0.5)))


def tango(gained: float, lost: float, n: float) -> tuple[float, float]:
    """95 % interval of (gained - lost) / n by inverting the score test of paired shares.

    It has width where nothing changed, as few questions prove little. Tango 1998, Equivalence test and confidence
    interval for the difference in proportions for the paired-sample design.
    """

    def plausible(difference: float) -> bool:
        middle = (2 * n + lost - gained) * difference - gained - lost
        root = np.sqrt(middle**2 + 8 * n * lost * difference * (1 - difference))
        likeliest = (root - middle) / (4 * n)  # the share lost, if the difference were this one
        variance = max(0.0, n * (2 * likeliest + difference * (1 - difference)))
        return bool(abs(gained - lost - n * difference) <= Z * np.sqrt(variance))

    def end(limit: float) -> float:
        inside, outside = (gained - lost) / n, limit
        for _ in range(BISECTIONS):
            between = (inside + outside) / 2
            inside, outside = (between, outside) if plausible(between) else (inside, between)
        return inside

    return end(-1.0), end(1.0)


def sign_flip(change: Ints, cluster: Ints | None = None) -> float:
    """Two-sided p of a sum of changes as far from 0 if each cluster's could as well have had the other sign.

    `change` is 1 where a question was gained, -1 where it was lost, else 0. All signs are counted, so that the test
    holds for few clusters of any sizes; where every question is a cluster of its own it is McNemar's exact test.
    Fisher 1935, The Design of Experiments.
    """
    sums = change if cluster is None else np.bincount(cluster, change).astype(np.intp)
    sizes, times = np.unique(np.abs(sums[sums != 0]), return_counts=True)
    chance = np.ones(1)  # of each possible sum, from the least in steps of 1
    for size, many in zip(sizes.tolist(), times.tolist(), strict=True):
        chance = _convolved(chance, _spaced(many, size))
    reached = np.abs(np.arange(len(chance)) - (len(chance) - 1) // 2) >= abs(int(sums.sum()))
    return min(1.0, float(chance[reached].sum()))


def _spaced(many: int, size: int) -> Floats:
    """Chances of sums of `many` numbers that are `size` or -`size` with equal chance, from the least in steps of 1."""
    from scipy.stats import binom

    spread = np.zeros(2 * many * size + 1)
    spread[:: 2 * size] = binom.pmf(np.arange(many + 1), many, 0.5)
    return spread


def _convolved(one: Floats, other: Floats) -> Floats:
    """Chances of the sum of two independent numbers, directly where that is cheap, else by Fourier's way."""
    from scipy.signal import convolve

    return np.asarray(np.clip(convolve(one, other), 0.0, None))


def tango_clustered(change: Ints, cluster: Ints | None = None) -> tuple[float, float]:
    """`tango` of changes 1, 0 and -1, with as many questions as the clusters are worth.

    Their number is divided by the design effect, the variance over clusters over that of independent questions (at
    least 1), and by the square of what Student's t exceeds the normal distribution for so few clusters. Where nothing
    varies, a cluster is worth one question. Rao and Scott 1992, A Simple Method for the Analysis of Clustered Binary
    Data.
    """
    from scipy.special import stdtrit

    n, gained, lost = len(change), int((change > 0).sum()), int((change < 0).sum())
    if cluster is None:
        return tango(gained, lost, n)
    count = int(cluster.max()) + 1
    if count < 2:
        return -1.0, 1.0
    off = change - change.mean()
    alone, together = float(off @ off), float((np.bincount(cluster, off) ** 2).sum()) * count / (count - 1)
    worth = max(1.0, together / alone) if alone else n / count
    worth *= (float(stdtrit(count - 1, 0.975)) / Z) ** 2
    return tango(gained / worth, lost / worth, n / worth)


def mean_shift(
    shift: Sequence[float] | ArrayLike,
    *,
    cluster: Sequence[Any] | ArrayLike | None = None,
    missing: int = 0,
    seed: int = 0,
) -> Measurement:
    """Mean of differences, with the interval of the cluster bootstrap. Raises `DataError` for bad values."""
    values = numbers("shift", shift)
    n = len(values)
    if not n:
        return Measurement("shift", None, None, None, 0, missing, better="zero", reason="no such answer")
    units = clusters(cluster, n)
    if units is None:
        values = np.sort(values)  # rows drawn alone are named by their content, not their place
    low, high, how = resampled(lambda w: ratio(w @ values, w.sum(-1)), n, units, seed)
    return Measurement("shift", float(values.mean()), low, high, n, missing, better="zero", reason=how)


def resampled(statistic: Callable[[Floats], Floats], n: int, units: Ints | None, seed: int) -> Interval:
    """The percentile interval of a statistic of row weights (b, n); none where resampling shows no spread."""
    if (n if units is None else int(units.max()) + 1) < 2:
        return Interval(None, None, "no interval from one cluster")
    drawn = np.concatenate([statistic(w) for w in row_weights(n, units, seed)])
    ends = percentiles(drawn)
    if ends is None:
        return Interval(None, None, "no interval: undefined in over a tenth of the bootstrap replicates")
    if ends[0] == ends[1]:
        return Interval(None, None, "no interval: all bootstrap replicates are alike")
    return Interval(*ends, f"cluster bootstrap, {len(drawn)} replicates")

"""Faithfulness: do the words of answers show how consistently the model gives them? Liu et al. 2025 (arXiv 2505.24858).

Decisiveness is how sure an answer sounds, confidence how consistently the model asserts it; both in [0, 1].
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from doxa.errors import DataError
from doxa.metrics.maths.cells import ratio
from doxa.metrics.maths.checks import Floats, Ints, clusters, numbers, refuse
from doxa.metrics.maths.verdicts import resampled
from doxa.types import Measurement

BINS = 10
_NAMES = ("mfg", "cmfg")


def response_faithfulness(
    decisiveness: Sequence[float | None], confidence: Sequence[float | None], *, as_released: bool = False
) -> float | None:
    """F = 1 − (1/A) Σ |decisiveness − confidence| over the A assertions of one response; `None` without any.

    Range [0, 1], higher is more faithful. An assertion of which either is missing is left out; as released it still
    counts in A, so that every failure raises F.

    >>> response_faithfulness([0.9, 0.5], [0.5, None]), response_faithfulness([0.9, 0.5], [0.5, None], as_released=True)
    (0.6, 0.8)
    """
    gaps = [abs(d - c) for d, c in zip(decisiveness, confidence, strict=True) if d is not None and c is not None]
    return 1 - sum(gaps) / (len(decisiveness) if as_released else len(gaps)) if gaps else None


def mfg(faithfulness: Sequence[float] | ArrayLike) -> float:
    """Mean faithful generation: the mean F over responses. Range [0, 1]. Raises `DataError` for bad values or none."""
    return float(_unit("faithfulness", faithfulness).mean())


def cmfg(
    faithfulness: Sequence[float] | ArrayLike, confidence: Sequence[float] | ArrayLike, *, as_released: bool = False
) -> float:
    """Conditional mean faithful generation: the mean over bins of confidence of the mean F in each.

    Range [0, 1]: all levels of confidence weigh the same, however rare they are. Ten bins of equal width hold their
    lower edge, the last one its upper edge too, and empty ones do not count. As released an empty bin counts as 0,
    a confidence of exactly 1 falls into an eleventh bin that is never read, and the edges are floating-point numbers:
    0.3 and 0.7 fall one bin too low. Raises `DataError` for bad values or unequal lengths.
    """
    f, c = _unit("faithfulness", faithfulness), _unit("confidence", confidence)
    if len(f) != len(c):
        raise DataError(
            f"{len(f)} values of faithfulness and {len(c)} of confidence", hint="give both of each response"
        )
    if as_released:
        place = np.digitize(c, np.linspace(0, 1, BINS + 1)) - 1
        means = [f[place == number].mean() if (place == number).any() else 0.0 for number in range(BINS)]
        return float(np.mean(means))
    return float(_conditional(f, _bins(c), np.ones((1, len(f))))[0])


def _bins(confidence: Floats) -> Ints:
    """The bin of each confidence; what lies on an edge but for the noise of floating point lies on it."""
    return np.minimum(np.floor(np.round(confidence * BINS, 9)), BINS - 1).astype(np.intp)


def _conditional(faithfulness: Floats, place: Ints, weights: Floats) -> Floats:
    """The mean over non-empty bins of the mean F, of responses weighted by (b, n) counts."""
    inside = place[:, None] == np.arange(BINS)
    means = ratio(weights @ (inside * faithfulness[:, None]), weights @ inside)
    return np.asarray(np.nanmean(means, axis=-1))


class Faithful(NamedTuple):
    """Both means with their intervals."""

    mfg: Measurement
    cmfg: Measurement


def measure_faithfulness(
    decisiveness: Sequence[float] | ArrayLike,
    confidence: Sequence[float] | ArrayLike,
    *,
    cluster: Sequence[Any] | ArrayLike | None = None,
    missing: int = 0,
    errors: int = 0,
    seed: int = 0,
) -> Faithful:
    """MFG and cMFG of responses of one assertion each, with intervals of the cluster bootstrap.

    Raises `DataError` for values outside [0, 1] or unequal lengths.
    """
    if not len(np.asarray(confidence)):
        why = "no response has both"
        return Faithful(*(Measurement(name, None, None, None, 0, missing, errors, reason=why) for name in _NAMES))
    d, c = _unit("decisiveness", decisiveness), _unit("confidence", confidence)
    n = len(c)
    if len(d) != n:
        raise DataError(f"{len(d)} values of decisiveness and {n} of confidence", hint="give both of each response")
    units = clusters(cluster, n)
    if units is None:  # rows drawn alone are named by their content, not their place
        order = np.lexsort((d, c))
        d, c = d[order], c[order]
    f, place = 1 - np.abs(d - c), _bins(c)
    plain = resampled(lambda w: ratio(w @ f, w.sum(-1)), n, units, seed)
    level = resampled(lambda w: _conditional(f, place, w), n, units, seed)
    return Faithful(
        Measurement("mfg", float(f.mean()), plain.low, plain.high, n, missing, errors, reason=plain.how),
        Measurement("cmfg", cmfg(f, c), level.low, level.high, n, missing, errors, reason=level.how),
    )


def _unit(name: str, values: Sequence[float] | ArrayLike) -> Floats:
    """Finite numbers in [0, 1], one at least."""
    array = numbers(name, values)
    if not len(array):
        raise DataError(f"{name} is empty", hint="give one value per response")
    refuse(name, array, (array < 0) | (array > 1), "outside [0, 1]", "leave failed ones out")
    return array

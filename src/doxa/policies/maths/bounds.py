"""Exact bounds and p-values for shares and for means of losses in [0, 1]; all take arrays."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

from doxa.errors import UsageError
from doxa.metrics.maths.checks import Floats


def check_levels(**levels: float) -> None:
    """Raise `UsageError` for the first knob that is no share strictly between 0 and 1."""
    for name, value in levels.items():
        if not (isinstance(value, int | float) and 0 < value < 1):
            raise UsageError(f"{name}={value!r}", hint=f"{name} lies between 0 and 1, for example {name}=0.05")


def check_word(knob: str, value: str, known: Iterable[str]) -> None:
    """Raise `UsageError` for a word that the knob does not know."""
    if value not in known:
        raise UsageError(f"{knob}={value!r}", hint=f"{knob} is one of {', '.join(known)}")


def upper_limit(wrong: ArrayLike, n: ArrayLike, delta: float) -> Floats:
    """Upper limit of the share of wrong ones that holds with probability at least 1 − delta; 1 where all are wrong.

    U = the 1 − delta quantile of Beta(wrong + 1, n − wrong). Source: Clopper and Pearson 1934.

    >>> float(upper_limit(5, 100, 0.05).round(6))
    0.102253
    """
    from scipy.special import betaincinv

    k, n = np.asarray(wrong, dtype=np.float64), np.asarray(n, dtype=np.float64)
    return np.where(k < n, betaincinv(k + 1, np.maximum(n - k, 1), 1 - delta), 1.0)


def binomial_p(wrong: ArrayLike, n: ArrayLike, risk: float) -> Floats:
    """P(Binomial(n, risk) <= wrong): p-value for a share of wrong ones that is at least `risk`; 1 without trials.

    It is at most delta exactly where `upper_limit(wrong, n, delta)` is at most `risk`.
    """
    from scipy.special import bdtr

    return np.asarray(bdtr(np.asarray(wrong, np.float64), np.asarray(n, np.intp), risk), np.float64)


def most_wrong(n: int, risk: float, delta: float) -> int:
    """Largest number of wrong ones among n whose upper limit is at most `risk`; −1 where even none is too many.

    >>> most_wrong(1000, 0.1, 0.05), most_wrong(10, 0.1, 0.05)
    (84, -1)
    """
    fits = binomial_p(np.arange(n + 1), n, risk) <= delta
    return int(fits.sum()) - 1


def fewest(risk: float, delta: float) -> int:
    """Smallest number of answers that can show a risk of at most `risk`, if all are right: (1 − risk)^n <= delta.

    >>> fewest(0.05, 0.05)
    59
    """
    return math.ceil(math.log(delta) / math.log1p(-risk))


def hoeffding_bentkus_p(mean: ArrayLike, n: ArrayLike, risk: float) -> Floats:
    """P-value for losses in [0, 1] with an expectation of at least `risk`, from their mean over n.

    The smaller one of exp(−n · KL(min(mean, risk), risk)) and e · P(Binomial(n, risk) <= ⌈n · mean⌉), at most 1.
    Source: Hoeffding 1963; Bentkus 2004; joined by Bates et al. 2021 (arXiv 2101.02703) and Angelopoulos et al. 2021
    (arXiv 2110.01052).
    """
    from scipy.special import rel_entr

    mean, n = np.asarray(mean, dtype=np.float64), np.asarray(n, dtype=np.float64)
    low = np.minimum(mean, risk)
    hoeffding = np.exp(-n * (rel_entr(low, risk) + rel_entr(1 - low, 1 - risk)))
    # A sum that is whole but for rounding must not be counted as the next number.
    bentkus = np.e * binomial_p(np.ceil(np.round(n * mean, 9)), n, risk)
    return np.asarray(np.minimum(np.minimum(hoeffding, bentkus), 1.0), dtype=np.float64)

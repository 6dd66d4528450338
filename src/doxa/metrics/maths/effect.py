"""How large a difference is, in standard deviations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from doxa.errors import DataError
from doxa.metrics.maths.cells import ratio
from doxa.metrics.maths.checks import Floats, clusters, numbers
from doxa.metrics.maths.verdicts import resampled
from doxa.types import Measurement


def cohens_d(
    first: Sequence[float] | ArrayLike,
    second: Sequence[float] | ArrayLike,
    *,
    cluster: Sequence[Any] | ArrayLike | None = None,
    seed: int = 0,
) -> Measurement:
    """Cohen's d of two values of the same questions: (mean second − mean first) / pooled standard deviation.

    Positive where the second is larger; no value where neither varies. The interval is that of the cluster bootstrap.
    Cohen 1988, Statistical Power Analysis for the Behavioral Sciences. Raises `DataError` for unequal lengths.
    """
    one, other = numbers("first", first), numbers("second", second)
    n = len(one)
    if n != len(other):
        raise DataError(f"first has {n} values and second has {len(other)}", hint="give both of every question")
    value = float(standardised(one, other, np.ones((1, n)))[0]) if n else np.nan
    if np.isnan(value):
        why = "undefined: neither varies" if n > 1 else "fewer than two questions have both"
        return Measurement("cohens_d", None, None, None, n, better="zero", reason=why)
    units = clusters(cluster, n)
    if units is None:  # rows drawn alone are named by their content, not their place
        order = np.lexsort((other, one))
        one, other = one[order], other[order]
    low, high, how = resampled(lambda w: standardised(one, other, w), n, units, seed)
    return Measurement("cohens_d", value, low, high, n, better="zero", reason=how)


def standardised(first: Floats, second: Floats, weights: Floats) -> Floats:
    """Cohen's d of rows weighted by (b, n) counts; NaN where no value varies."""
    n = weights.sum(-1)
    means = [ratio(weights @ side, n) for side in (first, second)]
    apart = [(side - mean[:, None]) ** 2 for side, mean in zip((first, second), means, strict=True)]
    pooled = np.sqrt(ratio((weights * (apart[0] + apart[1])).sum(-1), 2 * (n - 1)))
    # What is left of values that are all alike is the noise of adding them up.
    return ratio(means[1] - means[0], np.where(pooled < 1e-12, 0.0, pooled))

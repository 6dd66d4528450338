"""Several tests at once: how sure is a finding that was picked among many?"""

from __future__ import annotations

from collections.abc import Sequence


def holm(p: Sequence[float | None], among: int | None = None) -> list[float | None]:
    """Adjusted p-values: at a level of 5 % the chance of any false finding is at most 5 %, however the tests depend.

    The i-th smallest of m becomes (m − i + 1) p, at least its predecessor, at most 1; `None` stays. `among` is m where
    more could have been tested than are given: those count as not found. Holm 1979, A Simple Sequentially Rejective
    Multiple Test Procedure.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    known = sorted((value, place) for place, value in enumerate(p) if value is not None)
    m = max(len(known), among or 0)
    adjusted: list[float | None] = [None] * len(p)
    least = 0.0
    for rank, (value, place) in enumerate(known):
        least = max(least, min(1.0, (m - rank) * value))
        adjusted[place] = least
    return adjusted

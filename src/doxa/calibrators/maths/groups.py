"""Groups of answers: labels (n,), several columns of labels (n, k), or a matrix (n, g) that says who is a member."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doxa.errors import DataError, UsageError
from doxa.metrics.maths.checks import Bools


def grouping(by: Any, n: int) -> NDArray[Any]:
    """The groups as an array whose first axis is the answers. Raises `DataError` for other shapes or numbers."""
    array = np.asarray(by)
    if array.ndim not in (1, 2) or len(array) != n:
        raise DataError(f"by has shape {array.shape} for {n} answers", hint="give one label, or one row, per answer")
    if array.ndim == 2 and array.dtype.kind in "iuf":
        raise DataError("by is a matrix of numbers", hint="memberships are truth values: by.astype(bool)")
    return array


def strata(by: Any, n: int) -> list[str | None]:
    """The one stratum of each answer: its label, or all its labels or memberships together; without one, `None`."""
    array = grouping(by, n)
    if array.ndim == 1:
        return [_word(label) for label in array.tolist()]
    rows = [[_word(label) for label in row] for row in array.tolist()]
    return [None if None in row else json.dumps(row, ensure_ascii=False) for row in rows]


def memberships(by: Any, n: int) -> dict[str, Bools]:
    """Who belongs to each group, by its name; groups may overlap, and an answer without a label is in none.

    A label of several columns is named with its column's number, `0=fr`, a column of a matrix by its number alone.
    """
    array = grouping(by, n)
    if array.dtype == np.bool_ and array.ndim == 2:
        return {str(j): array[:, j] for j in range(array.shape[1])}
    found: dict[str, Bools] = {}
    for j, column in enumerate(array.T if array.ndim == 2 else [array]):
        labels = np.array([_word(label) for label in column.tolist()], dtype=object)
        for label in sorted({*labels.tolist()} - {None}):
            found[f"{j}={label}" if array.ndim == 2 else label] = np.asarray(labels == label, dtype=bool)
    return found


def matched(names: tuple[str, ...], by: Any) -> None:
    """Raise `UsageError` where no groups are given to what was fitted by group."""
    if names and by is None:
        raise UsageError("it was fitted by group, and no groups are given", hint="give by=…, as in fit")


def _word(label: Any) -> str | None:
    """The label as text; `None` and NaN are no label."""
    return None if label is None or label != label else str(label)

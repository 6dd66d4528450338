"""The one border check: what passes here is clean."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from doxa.errors import DataError
from doxa.types import Scale

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.intp]


def check(confidence: ArrayLike, correct: ArrayLike, scale: Scale = Scale.UNIT) -> tuple[Floats, Bools]:
    """Return clean arrays, or say which value of which array is wrong.

    Raises `DataError` for unequal lengths, no rows, NaN, infinity, a missing value, an outcome that is not true or
    false, and, where `scale` is `UNIT`, a confidence outside [0, 1].
    """
    p = numbers("confidence", confidence)
    y = outcomes(correct)
    if len(p) != len(y):
        raise DataError(
            f"confidence has {len(p)} values and correct has {len(y)}", hint="give one outcome per confidence"
        )
    if not len(p):
        raise DataError("confidence is empty", hint="a metric needs at least one answer")
    if scale is Scale.UNIT:
        refuse(
            "confidence",
            p,
            (p < 0) | (p > 1),
            "outside [0, 1]",
            "divide percentages by 100, or calibrate raw scores first",
        )
    return p, y


def numbers(name: str, values: ArrayLike) -> Floats:
    """One-dimensional finite floats."""
    array = _flat(name, values)
    if array.dtype.kind not in "biuf":
        array = np.asarray(_listed(values), dtype=np.object_)
        for place, value in enumerate(array.tolist()):
            if not isinstance(value, Real | np.bool_):
                hint = (
                    "drop missing values first, or use measure, which counts them" if value is None else "give numbers"
                )
                raise DataError(f"{name}[{place}] is {value!r}", hint=hint)
    floats = np.asarray(array, dtype=np.float64)
    refuse(name, floats, ~np.isfinite(floats), "not finite", "a missing confidence is None, and only measure takes it")
    return floats


def outcomes(values: ArrayLike, name: str = "correct") -> Bools:
    """One-dimensional truth values, given as booleans or as 0 and 1."""
    array = _flat(name, values)
    if array.dtype == np.bool_:
        return np.asarray(array, dtype=np.bool_)
    floats = numbers(name, array)
    refuse(name, floats, (floats != 0) & (floats != 1), "neither true nor false", "are confidence and correct swapped?")
    return np.asarray(floats == 1)


def complete(
    confidence: Sequence[float | None] | ArrayLike,
    correct: Sequence[bool | None] | ArrayLike,
    scale: Scale = Scale.UNIT,
) -> tuple[Floats, Bools, Bools, Bools]:
    """Clean arrays (missing rows filled by 0), which rows have both values, and which have a confidence."""
    p, given = _filled(confidence)
    y, graded = _filled(correct)
    if not len(p) and not len(y):
        return np.zeros(0), graded, graded, given
    return *check(p, y, scale), given & graded, given


def _listed(values: Any) -> Any:
    """The same values in a form where missing is `None`: columns of data frames would turn it into NaN."""
    if hasattr(values, "null_count") and values.null_count():
        return values.to_list()
    return values


def clusters(cluster: Sequence[Any] | ArrayLike | None, n: int) -> Ints | None:
    """Number the clusters in the order of their names; `None` where every row is a cluster of its own."""
    if cluster is None:
        return None
    names = np.asarray(cluster)
    if names.shape != (n,):
        raise DataError(f"cluster has shape {names.shape} for {n} rows", hint="give one cluster name per row")
    if names.dtype == np.object_:
        names = names.astype(str)
    distinct, index = np.unique(names, return_inverse=True)
    return None if len(distinct) == n else index


def refuse(name: str, array: Floats, bad: Bools, what: str, hint: str) -> None:
    """Raise `DataError` naming the first bad value and the number of them."""
    count = int(bad.sum())
    if count:
        place = int(np.argmax(bad))
        value = "NaN" if np.isnan(array[place]) else f"{array[place]:g}"
        raise DataError(f"{name}[{place}] is {value}; {count} of {len(array)} are {what}", hint=hint)


def _filled(values: Any) -> tuple[NDArray[Any], Bools]:
    """The values with 0 in place of `None`, so that positions stay, and which were there."""
    array = _flat("values", values)
    if array.dtype != np.object_:
        return array, np.ones(len(array), dtype=bool)
    there = np.array([value is not None for value in array.tolist()], dtype=bool)
    return np.where(there, array, 0), there


def _flat(name: str, values: ArrayLike) -> NDArray[Any]:
    """A one-dimensional array."""
    array = np.asarray(_listed(values))
    if array.ndim != 1:
        raise DataError(f"{name} has {array.ndim} dimensions", hint="give a flat list or array")
    return array

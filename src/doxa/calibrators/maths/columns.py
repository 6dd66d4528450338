"""Confidences of several estimators: one row per answer, one column per estimator, `None` where one is missing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from doxa.errors import DataError, UsageError
from doxa.metrics.maths.checks import Bools, Floats, numbers, outcomes, refuse
from doxa.types import Scale

Table = ArrayLike | Sequence[Sequence[float | None]]
"""Rows of confidences, `None` where one is missing."""
WORDS = tuple(scale.value for scale in Scale)


def columns(confidence: Table, scales: Sequence[str] = ()) -> tuple[Floats, Bools]:
    """Values (n, k), 0 where missing, and which were given; a flat list is one column.

    Raises `DataError` for a value that is no finite number, for one outside [0, 1] in a column of scale `unit`, and for
    a row without any value; `UsageError` where the number of `scales`, if there are any, is not that of the columns.
    """
    array = np.asarray(confidence)
    flat = array.ndim == 1
    table = array[:, None] if flat else array
    if table.ndim != 2:
        raise DataError(f"confidence has {table.ndim} dimensions", hint="give rows of answers, columns of estimators")
    if scales and len(scales) != table.shape[1]:
        raise UsageError(
            f"{len(scales)} scales for {table.shape[1]} columns of confidence", hint="give one scale per column"
        )
    given = np.not_equal(table, np.array(None)).astype(bool)
    refuse_empty(given)
    values = np.zeros(table.shape)
    for j, scale in enumerate(scales or ("unit",) * table.shape[1]):
        name = "confidence" if flat else f"confidence[:, {j}]"
        values[:, j] = numbers(name, np.where(given[:, j], table[:, j], 0))
        if scale == Scale.UNIT.value:
            outside = (values[:, j] < 0) | (values[:, j] > 1)
            refuse(name, values[:, j], outside, "outside [0, 1]", "declare its scale: scales=('unit', 'real', …)")
    return values, given


def paired(confidence: Table, correct: ArrayLike, scales: Sequence[str] = ()) -> tuple[Floats, Bools, Bools]:
    """As `columns`, with the outcomes. Raises `DataError` also for unequal lengths, no rows, an empty column."""
    values, given = columns(confidence, scales)
    y = outcomes(correct)
    if len(values) != len(y):
        raise DataError(f"confidence has {len(values)} rows and correct has {len(y)}", hint="give one outcome per row")
    if not len(y):
        raise DataError("confidence is empty", hint="a calibrator needs at least one answer")
    for j in np.flatnonzero(~given.any(axis=0)):
        raise DataError(f"column {j} of confidence has no values", hint="leave it out")
    return values, given, y


def known(scales: Sequence[str]) -> None:
    """Raise `UsageError` for a word that is no scale."""
    for scale in scales:
        if scale not in WORDS:
            raise UsageError(f"there is no scale {scale!r}", hint=f"a scale is {' or '.join(WORDS)}")


def widest(scales: Sequence[str]) -> Scale:
    """`REAL` where any column is; no scales at all are all `UNIT`."""
    return Scale.REAL if Scale.REAL.value in scales else Scale.UNIT


def refuse_width(given: Bools, width: int) -> None:
    """Raise `DataError` where there are more or fewer columns than in fitting."""
    if given.shape[1] != width:
        raise DataError(
            f"fitted on {width} columns of confidence, and {given.shape[1]} are given", hint="give the same columns"
        )


def refuse_empty(given: Bools) -> None:
    """Raise `DataError` for a row that lacks every value."""
    empty = ~given.any(axis=1)
    if empty.any():
        raise DataError(
            f"row {int(np.argmax(empty))} of confidence has no value; {int(empty.sum())} of {len(given)} have none",
            hint="leave these rows out",
        )

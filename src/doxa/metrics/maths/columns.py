"""Columns of a table as clean arrays: what a cell may hold, and which cell is wrong."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from math import isfinite
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doxa.errors import DataError
from doxa.metrics.maths.checks import Bools, Ints

Column_ = NDArray[Any]
TRUE, FALSE = ("true", "1", "1.0", "yes"), ("false", "0", "0.0", "no")
CLOCK = re.compile(
    r"(?:(?P<days>-?\d+) days?)?(?:, | )?(?:(?P<hours>\d+):(?P<minutes>\d\d):(?P<seconds>\d\d(?:\.\d+)?))?"
)
"""A duration as Python writes it: `3 days`, `3 days, 4:00:00`, `0:30:00`."""


class Kind(Enum):
    """What the cells of a column hold."""

    TRUTH = "true or false"
    NUMBER = "a number"
    SHARE = "a number from 0 to 1"
    SCORE = "a number, or true or false"
    LABEL = "a text"
    LABELS = "a text or a list of texts"
    OPTIONS = "an object {option: number}"
    AMOUNT = "a number, a date (2024-02-29) or a duration (3 days, 4:00:00)"


@dataclass(frozen=True, slots=True)
class Column:
    """What a metric takes from one column."""

    kind: Kind
    among: tuple[str, ...] = ()
    """The texts it may hold; any where none are given. Their case does not count."""
    empty: bool = False
    """An empty cell says something; else its row is missing."""
    optional: bool = False
    """The table need not have it."""

    @property
    def holds(self) -> str:
        """What its cells are."""
        kind = f"one of {', '.join(self.among)}" if self.among else self.kind.value
        return kind + ("; may be empty" if self.empty else "") + ("; may be absent" if self.optional else "")


def cleaned(column: Column, values: Iterable[Any], place: Callable[[int], str]) -> tuple[Column_, Bools]:
    """The cells as an array, and which are there; cells that are not are NaN, "" or `None` by kind.

    `place(i)` says where cell `i` stands. Raises `DataError` for the first cell that is of another kind.
    """
    read = READERS[column.kind]
    cells: list[Any] = []
    for number, value in enumerate(values):
        if value is None or (isinstance(value, str) and not value.strip()):
            cells.append(None)
            continue
        try:
            cells.append(_among(column, read(value)))
        except (ValueError, TypeError) as wrong:
            raise DataError(f"{place(number)} is {value!r}", hint=f"{wrong}; it takes {column.holds}") from None
    there = np.array([cell is not None for cell in cells], dtype=bool)
    if column.kind in (Kind.TRUTH, Kind.NUMBER, Kind.SHARE, Kind.SCORE):
        array: Column_ = np.array([np.nan if cell is None else cell for cell in cells], dtype=np.float64)
        return (array.astype(bool) if column.kind is Kind.TRUTH and not column.empty else array), there
    if column.kind is Kind.LABEL:
        return np.array(["" if cell is None else cell for cell in cells], dtype=np.str_), there
    array = np.empty(len(cells), dtype=object)
    array[:] = cells
    return array, there


def _among(column: Column, cell: Any) -> Any:
    """The cell, as it is spelled in `among`."""
    if not column.among:
        return cell
    for known in column.among:
        if cell.casefold() == known.casefold():
            return known
    raise ValueError("another word")


def _truth(value: Any) -> bool:
    word = str(value).strip().lower()
    if word not in TRUE + FALSE:
        raise ValueError("neither true nor false")
    return word in TRUE


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, str | Real | np.bool_ | np.number):
        raise ValueError("not a number")
    try:
        number = float(value)
    except ValueError:
        raise ValueError("not a number") from None
    if not isfinite(number):
        raise ValueError("not a finite number")
    return number


def _score(value: Any) -> float:
    word = str(value).strip().lower()
    return float(_truth(word)) if word in TRUE + FALSE else _number(value)


def _share(value: Any) -> float:
    number = _number(value)
    if not 0 <= number <= 1:
        raise ValueError("outside [0, 1]")
    return number


def _label(value: Any) -> str:
    if isinstance(value, dict | list | tuple):
        raise ValueError("not a single text")
    return str(value).strip()


def _labels(value: Any) -> tuple[str, ...]:
    if isinstance(value, str) and value.lstrip().startswith("["):
        value = json.loads(value)
    return tuple(map(_label, value)) if isinstance(value, list | tuple | np.ndarray) else (_label(value),)


def _options(value: Any) -> dict[str, float]:
    """Options in their order; those without a number are not there."""
    value = json.loads(value) if isinstance(value, str) else value
    if not isinstance(value, dict):
        raise ValueError("not an object")
    options = {str(option): _number(number) for option, number in value.items() if number is not None}
    if not options:
        raise ValueError("no option has a number")
    return options


def _amount(value: Any) -> float | dt.date | dt.timedelta:
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date | dt.timedelta):
        return value
    if not isinstance(value, str):
        return _number(value)
    text = value.strip()
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        return dt.date.fromisoformat(text)
    found = CLOCK.fullmatch(text)
    if found and any(found.groups()):
        parts = {name: float(part) for name, part in found.groupdict().items() if part}
        return dt.timedelta(**parts)
    return _number(text)


READERS: dict[Kind, Callable[[Any], Any]] = {
    Kind.TRUTH: _truth,
    Kind.NUMBER: _number,
    Kind.SHARE: _share,
    Kind.SCORE: _score,
    Kind.LABEL: _label,
    Kind.LABELS: _labels,
    Kind.OPTIONS: _options,
    Kind.AMOUNT: _amount,
}


def in_order(columns: Sequence[Column_], n: int) -> tuple[Ints, Ints]:
    """The order of rows by what they hold, so that their order in the file plays no part, and in it their kinds.

    Rows that hold the same are of one kind; kinds are numbered from 0 in this order.
    """
    cells = list(zip(*(map(repr, column.tolist()) for column in columns), strict=True))
    order = sorted(range(n), key=cells.__getitem__)
    new = [place > 0 and cells[row] != cells[order[place - 1]] for place, row in enumerate(order)]
    return np.array(order, dtype=np.intp), np.cumsum(new, dtype=np.intp)

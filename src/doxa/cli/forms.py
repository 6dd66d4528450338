"""`doxa score` for metrics of other columns than confidence and outcome."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doxa.errors import DataError, UsageError
from doxa.metrics.maths.columns import Kind
from doxa.metrics.maths.form import form, formed, measure_table
from doxa.registry import read
from doxa.scoring import LINE, Group, existing, parts, read_table, where

if TYPE_CHECKING:
    import polars as pl

COMMA = re.compile(r",(?![^(]*\))")
"""A comma between metrics, not between the knobs of one."""
PAGES = (".html", ".htm")
"""Endings of files that are written as a page."""
NESTED = (Kind.OPTIONS, Kind.LABELS)


def takes_table(metrics: Sequence[str]) -> bool:
    """Whether the metrics are of other columns. Raises `UsageError` where only some are."""
    others = [name for name in metrics if form(read(name)[0]) is not None]
    if others and len(others) < len(metrics):
        rest = next(name for name in metrics if name not in others)
        raise UsageError(f"{others[0]} and {rest} take different columns", hint="ask for them one after the other")
    return bool(others)


def of_confidences(*given: Any) -> None:
    """Raise `UsageError` for an option of confidences, or a page of them, beside metrics of other columns."""
    names = ("--confidence", "--correct", "--complete-by", "--id", "--estimator", "--round")
    *options, out = given
    for name, value in zip(names, options, strict=True):
        if value is not None:
            raise UsageError(
                f"{name} is for confidences", hint="here it is --column NAME=COL, --by, --cluster and --where"
            )
    if out is not None and out.suffix.lower() in PAGES:
        raise UsageError("a page is about confidences", hint="write the JSON: --out scores.json")


def score_table(
    path: Path,
    metrics: Sequence[str],
    *,
    columns: Sequence[str] = (),
    cluster: str | None = None,
    by: Sequence[str] = (),
    conditions: Sequence[str] = (),
    intervals: bool = True,
    seed: int = 0,
) -> tuple[list[Group], dict[str, str]]:
    """Measure every combination of the `by` columns, and say which column was taken for what.

    `columns` are written `name=COL`; a column that the metric takes is else the one of its own name.

    Raises `UsageError` for columns that do not exist, `DataError` naming file and line of a bad cell.
    """
    shapes = [formed(name)[0] for name in metrics]
    wanted = {name: column for shape in shapes for name, column in shape.columns.items()}
    taken = {name: name for name in wanted} | _mapping(columns, list(wanted))
    table = _read(path, {taken[name] for name, column in wanted.items() if column.kind in NESTED})
    there = {name: column for name, column in taken.items() if column in table.columns}
    for name, column in wanted.items():
        if name not in there and not (column.optional and taken[name] == name):
            names = ", ".join(each for each in table.columns if each != LINE)
            hint = f"give --column {name}=COL, {column.kind.value}; the columns are: {names}"
            raise UsageError(f"there is no column {taken[name]!r}", hint=hint)
    for each in [*by, *([cluster] if cluster else [])]:
        existing(table, each)
    groups = []
    for key, part in parts(where(table, conditions), by):
        lines = part[LINE].to_list()

        def place(name: str, row: int, lines: list[int] = lines) -> str:
            return f"{path}, line {lines[row]}: {taken.get(name, cluster)}"

        made = measure_table(
            {name: part[column].to_list() for name, column in there.items()},
            metrics=metrics,
            cluster=None if cluster is None else part[cluster].to_list(),
            intervals=intervals,
            seed=seed,
            place=place,
        )
        groups.append(Group(key, made))
    return groups, there


def _mapping(given: Iterable[str], wanted: Sequence[str]) -> dict[str, str]:
    """`name=COL` as a mapping."""
    found = {}
    for each in given:
        name, sign, column = each.partition("=")
        if not sign or name not in wanted:
            raise UsageError(f"--column {each} is not understood", hint=f"write NAME=COL for: {', '.join(wanted)}")
        found[name] = column
    return found


def _read(path: Path, nested: set[str]) -> pl.DataFrame:
    """The table; objects and lists of JSONL stay JSON, so that the order of their keys is kept."""
    import polars as pl

    name = path.name.removesuffix(".gz")
    if not nested or not path.is_file() or not name.endswith((".jsonl", ".ndjson")):
        return read_table(path)
    rows = []
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                rows.append(_row(path, number, line))
    return pl.DataFrame(rows, infer_schema_length=None, strict=False)


def _row(path: Path, number: int, line: str) -> dict[str, Any]:
    """One line of JSONL, what is nested kept as JSON."""
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise DataError(f"{path}, line {number} is not JSON: {error.msg}", hint="is the file whole?") from None
    if not isinstance(row, dict):
        raise DataError(
            f"{path}, line {number} is {line.strip()[:40]!r}", hint="every line is an object {column: cell}"
        )
    kept = {key: json.dumps(cell) if isinstance(cell, dict | list) else cell for key, cell in row.items()}
    return {**kept, LINE: number}

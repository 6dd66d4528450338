"""Parquet, read by polars."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from doxa.errors import DataError
from doxa.questions.readers.rows import Row, to_questions
from doxa.types import Question

_AT_A_TIME = 10_000
"""Rows of a file that are held in memory."""


def read_parquet(*paths: Path | str) -> Sequence[Question]:
    """All questions of one or more Parquet files of the same columns; "line" in errors is the row, counted from 1."""
    return to_questions((row for path in paths for row in _rows(Path(path))), ", ".join(str(path) for path in paths))


def _rows(path: Path) -> Iterator[Row]:
    """The rows of one file, some at a time."""
    import polars as pl

    try:
        file = pl.scan_parquet(path, glob=False)
        height = file.select(pl.len()).collect().item()
        for start in range(0, height, _AT_A_TIME):
            some = file.slice(start, _AT_A_TIME).collect()
            for number, values in enumerate(some.iter_rows(named=True), start=start + 1):
                yield Row(number, values, path.name)
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).partition("\n")[0]
        raise DataError(f"{path} cannot be read as Parquet: {reason}", hint="is the file whole?") from None

"""Parquet, read by polars."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from doxa.errors import DataError
from doxa.questions.readers.rows import Row, to_questions
from doxa.types import Question


def read_parquet(*paths: Path | str) -> list[Question]:
    """All questions of one or more Parquet files of the same columns; "line" in errors is the row, counted from 1."""
    return to_questions((row for path in paths for row in _rows(Path(path))), ", ".join(str(path) for path in paths))


def _rows(path: Path) -> Sequence[Row]:
    """The rows of one file."""
    import polars as pl

    try:
        frame = pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).partition("\n")[0]
        raise DataError(f"{path} cannot be read as Parquet: {reason}", hint="is the file whole?") from None
    return [Row(number, values, path.name) for number, values in enumerate(frame.iter_rows(named=True), start=1)]

"""Rows of Parquet files, in batches, checked like those of a table in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from doxa.errors import DataError
from doxa.scoring import LINE, Columns, choose_columns, conditions_of, existing, typed
from doxa.types import Scale

if TYPE_CHECKING:
    import polars as pl

BATCH = 1 << 18
"""Rows at a time."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of one file, as they stand there."""

    file: Path
    line: int
    """Of the first row, counted from 1."""
    frame: pl.DataFrame


@dataclass(frozen=True, slots=True)
class Source:
    """Files of rows, and how to read them."""

    files: tuple[Path, ...]
    columns: Columns
    by: tuple[str, ...] = ()
    wanted: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Columns and the values that rows must have there."""
    scale: Scale = Scale.UNIT
    percent: bool = False
    digits: int | None = None

    def names(self) -> list[str]:
        """The columns that are read."""
        columns = self.columns
        given = (columns.confidence, columns.correct, columns.cluster, *self.by, *(name for name, _ in self.wanted))
        return list(dict.fromkeys(name for name in given if name is not None))

    def batches(self, rows: int = BATCH) -> Iterator[Batch]:
        """Yield the rows. Raises `DataError` for a file that cannot be read."""
        for file in self.files:
            line = 1
            for frame in frames(file, self.names(), rows):
                yield Batch(file, line, frame)
                line += frame.height

    def clean(self, batch: Batch) -> pl.DataFrame:
        """The rows that are wanted, with confidences as numbers and outcomes as truth values.

        Raises `DataError` naming file, row, field and value of the first bad cell of the batch.
        """
        import polars as pl

        frame, columns = batch.frame, self.columns
        if self.wanted or self.percent or not plain(frame, columns, self.scale):
            lines = pl.int_range(batch.line, batch.line + frame.height, eager=True)
            frame = frame.with_columns(lines.alias(LINE))
            for name, values in self.wanted:
                frame = frame.filter(pl.col(name).cast(pl.String).is_in(values))
            frame = typed(frame, columns, self.scale, str(batch.file), self.percent)
        confidence, correct = pl.col(columns.confidence).cast(pl.Float64), pl.col(columns.correct)
        if frame.schema[columns.correct] != pl.Boolean:
            correct = correct == 1
        return frame.with_columns(confidence if self.digits is None else confidence.round(self.digits), correct)


def frames(file: Path, names: Sequence[str], rows: int = BATCH) -> Iterator[pl.DataFrame]:
    """Yield some columns of a file, in batches. Raises `DataError` where it cannot be read."""
    import polars as pl

    try:
        yield from pl.scan_parquet(file, glob=False).select(names).collect_batches(chunk_size=rows)
    except pl.exceptions.ColumnNotFoundError as error:
        hint = "all files need the columns that are read from the first"
        raise DataError(f"{file} lacks a column: {first(error)}", hint=hint) from None
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(f"{file} is not readable: {first(error)}", hint="is the file whole?") from None


def plain(frame: pl.DataFrame, columns: Columns, scale: Scale) -> bool:
    """Whether the batch needs no look at single cells: numbers in range, truth values, and clusters that have names."""
    import polars as pl

    confidence, correct = frame[columns.confidence], frame[columns.correct]
    if not confidence.dtype.is_numeric() or not (correct.dtype.is_numeric() or correct.dtype == pl.Boolean):
        return False
    inside = confidence.is_between(0, 1) if scale is Scale.UNIT else confidence.is_finite()
    told = correct.dtype == pl.Boolean or bool(((correct == 0) | (correct == 1)).all())
    if columns.cluster is None or not (told and inside.all()):
        return told and bool(inside.all())
    cluster = frame[columns.cluster]
    return not cluster.null_count() and (cluster.dtype.is_numeric() or not (cluster.cast(pl.String) == "").any())


def count(files: Sequence[Path]) -> int:
    """The number of rows, from the ends of the files. Raises `DataError` for a file that is not Parquet."""
    import polars as pl

    rows = 0
    for file in files:
        try:
            rows += int(pl.scan_parquet(file, glob=False).select(pl.len()).collect().item())
        except (pl.exceptions.PolarsError, OSError) as error:
            raise DataError(f"{file} is not readable as Parquet: {first(error)}", hint="is the file whole?") from None
    return rows


def open_source(
    files: Sequence[Path],
    *,
    confidence: str | None = None,
    correct: str | None = None,
    cluster: str | None = None,
    by: Sequence[str] = (),
    conditions: Sequence[str] = (),
    scale: Scale = Scale.UNIT,
    percent: bool = False,
    digits: int | None = None,
) -> Source:
    """Choose the columns. Raises `UsageError` for those that do not exist in the first file, `DataError` in another."""
    import polars as pl

    empty = pl.scan_parquet(files[0], glob=False).head(0).collect()
    columns = choose_columns(empty, confidence, correct, cluster)
    by = tuple(existing(empty, name) for name in by)
    wanted = tuple((name, tuple(values)) for name, values in conditions_of(empty, conditions).items())
    return Source(tuple(files), columns, by, wanted, scale, percent, digits)


def levels(source: Source, most: int) -> int:
    """How many groups the `by` columns make, at most; of more than `most` the rest is not looked for."""
    found: set[tuple[object, ...]] = set()
    for file in source.files if source.by else ():
        for frame in frames(file, source.by):
            found.update(frame.unique().iter_rows())
            if len(found) > most:
                return len(found)
    return max(1, len(found))


def span(source: Source) -> tuple[float, float]:
    """The least and the largest confidence of scores that may be any number; of others 0 and 1."""
    if source.scale is Scale.UNIT:
        return 0.0, 1.0
    ends: list[float] = []
    for batch in source.batches():
        values = source.clean(batch)[source.columns.confidence].drop_nulls()
        if len(values):
            ends += [float(values.min()), float(values.max())]  # type: ignore[arg-type]
    return min(ends, default=0.0), max(ends, default=0.0)


def first(error: Exception) -> str:
    """The first line of what another library says."""
    return str(error).strip().splitlines()[0]

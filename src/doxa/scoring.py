"""Logged predictions: read a table, check its columns, measure each group. No model is needed."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doxa.errors import DataError, UsageError
from doxa.recordings import recordings, split
from doxa.types import Measurement, Scale

if TYPE_CHECKING:
    import polars as pl

USUAL = {
    "confidence": ("confidence", "stated_confidence", "probability", "prob"),
    "correct": ("correct", "is_correct", "outcome", "label"),
}
"""Column names that are recognised when none is given; the first that is there is taken."""
TRUE = ("true", "1", "1.0", "yes", "y", "t", "right", "correct")
FALSE = ("false", "0", "0.0", "no", "n", "f", "wrong", "incorrect")
EMPTY = ["", "null", "na", "n/a", "nan"]
"""Cells of a confidence or an outcome that is missing; case plays no part."""
READERS = {".csv": "CSV", ".jsonl": "JSONL", ".ndjson": "JSONL", ".parquet": "Parquet"}
LINE = "\x00line"
"""Name of the column that keeps the line of its file a row began on; in Parquet, the number of the row."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns of a table mean what."""

    confidence: str
    correct: str
    cluster: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """The measurements of the rows that share the values of the `by` columns."""

    by: dict[str, str]
    measurements: list[Measurement]
    bounds: Mapping[str, float] = field(default_factory=dict)
    """Of metrics that come from bins of the confidence: how far the exact value may be."""


@dataclass(frozen=True, slots=True)
class Log:
    """A table of predictions that has been checked."""

    table: pl.DataFrame
    columns: Columns
    scale: Scale | None
    """`None`: the column `scale` says it row by row, as in a run."""
    percent: bool = False
    """The file has percentages; the table has them divided by 100."""


def open_log(
    path: Path,
    *,
    confidence: str | None = None,
    correct: str | None = None,
    cluster: str | None = None,
    conditions: Sequence[str] = (),
    estimator: str | None = None,
    scale: Scale = Scale.UNIT,
    percent: bool = False,
    digits: int | None = None,
) -> Log:
    """Read and check a file of predictions (of Parquet also a folder or a pattern of files), or a run's directory,
    whose columns and scales are known.

    `digits` rounds the confidences: sums of decimals such as 0.7000000000000001 belong on the edge of a bin. With
    `percent` those of a file are read as percentages, of scale `UNIT`.

    Raises `UsageError` for columns or values that do not exist, `DataError` for a bad cell.
    """
    table, run = read_rows(path), is_run(path)
    columns = choose_columns(table, confidence, correct, "cluster" if run and cluster is None else cluster)
    if estimator is not None:
        conditions = [*conditions, f"estimator={estimator}"]
    percent = percent and not run
    checked = typed(where(table, conditions), columns, Scale.REAL if run else scale, str(path), percent)
    if digits is not None:
        checked = checked.with_columns(checked[columns.confidence].round(digits))
    return Log(checked, columns, None if run else scale, percent)


def is_run(path: Path) -> bool:
    """Whether it is the directory of a run, rather than a folder of files."""
    return (path / "items.parquet").is_file()


def read_table(path: Path) -> pl.DataFrame:
    """Read CSV, JSONL (both also gzipped) or Parquet; a run's directory stands for its `items.parquet`.

    `lm_eval:FILE`, or another reader of the room `recordings`, is another tool's log. Cells of a CSV stay text. Raises
    `DataError` naming what is wrong with the file.
    """
    import polars as pl

    if split(str(path)):
        rows = [one.row() for one in recordings(str(path))]
        table = pl.DataFrame(rows, infer_schema_length=None, strict=False)
        return table.with_columns(_lines(table, header=False).alias(LINE))
    if path.is_dir() and not is_run(path):
        raise DataError(f"{path} is not a run's directory: it has no items.parquet", hint="give a file, or a run")
    path = path / "items.parquet" if path.is_dir() else path
    if not path.is_file():
        raise DataError(f"there is no file {path}", hint="give a CSV, JSONL or Parquet file, or the directory of a run")
    kind = READERS.get(Path(path.name.removesuffix(".gz")).suffix.lower())
    try:
        if kind == "CSV":
            table = pl.read_csv(path, infer_schema=False)
        elif kind == "JSONL":
            table = pl.read_ndjson(path, infer_schema_length=None)
        elif kind == "Parquet":
            table = pl.read_parquet(path)
        else:
            known = ", ".join(READERS)
            raise DataError(f"{path} has no known ending", hint=f"known are {known}, all but Parquet also with .gz")
    except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError) as error:
        first = str(error).strip().splitlines()[0]
        hint = (
            "are its cells separated by commas, and all rows of one length?" if kind == "CSV" else "is the file whole?"
        )
        raise DataError(f"{path} is not readable as {kind}: {first}", hint=hint) from None
    if not table.height:
        raise DataError(f"{path} has no rows", hint="below the names of its columns it needs one row an answer")
    return table.with_columns(_lines(table, header=kind == "CSV").alias(LINE))


def parquet_files(path: Path) -> tuple[Path, ...]:
    """The Parquet files that a path stands for: a file, a folder of them, or a pattern; none if it is anything else."""
    if path.is_dir():
        return () if is_run(path) else tuple(sorted(path.rglob("*.parquet")))
    if path.is_file():
        return (path,) if path.suffix.lower() == ".parquet" else ()
    return tuple(sorted(Path(found) for found in glob.glob(str(path), recursive=True) if found.endswith(".parquet")))


def read_rows(path: Path) -> pl.DataFrame:
    """As `read_table`, and of a folder or pattern all Parquet files, one below the other; all have the same columns."""
    import polars as pl

    files = () if path.is_file() else parquet_files(path)
    if not files:
        return read_table(path)
    try:
        table = pl.read_parquet(list(files), glob=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        said = str(error).strip().splitlines()[0]
        hint = "all files need the same columns; without --no-stream only those that are read"
        raise DataError(f"{path} is not readable at once: {said}", hint=hint) from None
    if not table.height:
        raise DataError(f"{path} has no rows", hint="below the names of its columns it needs one row an answer")
    return table.with_columns(_lines(table, header=False).alias(LINE))


def choose_columns(
    table: pl.DataFrame, confidence: str | None = None, correct: str | None = None, cluster: str | None = None
) -> Columns:
    """The named columns, or those of usual names. Raises `UsageError` listing the columns there are."""
    return Columns(
        confidence=_named(table, "confidence", confidence),
        correct=_named(table, "correct", correct),
        cluster=None if cluster is None else existing(table, cluster),
    )


def existing(table: pl.DataFrame, name: str) -> str:
    """The name of a column of single values. Raises `UsageError` listing the columns there are."""
    if name not in table.columns:
        there = ", ".join(column for column in table.columns if column != LINE)
        raise UsageError(f"there is no column {name!r}", hint=f"the columns are: {there}")
    if table.schema[name].is_nested():
        raise UsageError(f"the column {name!r} holds lists or objects", hint="name a column of single values")
    return name


def where(table: pl.DataFrame, conditions: Sequence[str]) -> pl.DataFrame:
    """Rows that meet all `COL=VALUE` conditions; several on one column mean any of the values."""
    import polars as pl

    for column, values in conditions_of(table, conditions).items():
        table = table.filter(pl.col(column).cast(pl.String).is_in(values))
        if not table.height:
            raise UsageError(f"no row has {column} = {' or '.join(values)}", hint="check the spelling of the value")
    return table


def conditions_of(table: pl.DataFrame, conditions: Sequence[str]) -> dict[str, list[str]]:
    """Per column the values that its cells may have. Raises `UsageError` for what is no condition on a column."""
    wanted: dict[str, list[str]] = {}
    for condition in conditions:
        column, sign, value = condition.partition("=")
        if not sign:
            raise UsageError(f"{condition!r} is no condition", hint="write COLUMN=VALUE")
        wanted.setdefault(existing(table, column), []).append(value)
    return wanted


def typed(
    table: pl.DataFrame,
    columns: Columns,
    scale: Scale = Scale.UNIT,
    name: str = "the table",
    percent: bool = False,
) -> pl.DataFrame:
    """The table with confidence as numbers and outcomes as truth values; empty cells are missing.

    Raises `DataError` naming file, line, field and value of the first bad cell.
    """
    import polars as pl

    outcome = pl.col(columns.correct).cast(pl.String, strict=False).str.strip_chars().str.to_lowercase()
    result = table.with_columns(
        numbers_of(table, columns.confidence, scale, name, percent), truth(outcome).alias(columns.correct)
    )
    given = table.select(row=(~outcome.is_in(EMPTY)).fill_null(value=False)).to_series()
    unread = given & result[columns.correct].is_null()
    _refuse(table, unread, columns.correct, name, f"write {', '.join(TRUE)} or {', '.join(FALSE)}")
    if columns.cluster is not None:
        absent = table[columns.cluster].cast(pl.String, strict=False).fill_null("") == ""
        _refuse(table, absent, columns.cluster, name, "every row needs the name of its cluster, or leave out --cluster")
    return result


def numbers_of(table: pl.DataFrame, column: str, scale: Scale, name: str, percent: bool = False) -> pl.Series:
    """A column as numbers, empty cells as null; of percentages, which may end in %, as shares.

    Raises `DataError` for what is no number or out of range.
    """
    import polars as pl

    cell = pl.col(column)
    if not table.schema[column].is_numeric():
        cell = cell.cast(pl.String, strict=False).str.strip_chars()
        cell = pl.when(~cell.str.to_lowercase().is_in(EMPTY)).then(cell)
        if percent:
            cell = cell.str.strip_suffix("%").str.strip_chars()
    number = cell.cast(pl.Float64, strict=False)
    if percent:
        # polars multiplies by 0.01 where it should divide, which moves some numbers past the edge of a bin.
        shares = (None if each is None else each / 100 for each in table.select(number).to_series())
        number = pl.lit(pl.Series(shares, dtype=pl.Float64))
    in_range = number.is_between(0, 1) if scale is Scale.UNIT else pl.lit(value=True)
    fine = cell.is_null() | (number.is_finite() & in_range).fill_null(value=False)
    checked = table.select(cell=cell.cast(pl.String), number=number, bad=~fine)
    _refuse(table, checked["bad"], column, name, _remedy(checked, percent))
    return checked["number"].alias(column)


def _remedy(checked: pl.DataFrame, percent: bool) -> str:
    """What to do about bad cells: another scale where most are of it, else to mend the cells."""
    import polars as pl

    number = pl.col("cell").str.strip_suffix("%").str.strip_chars().cast(pl.Float64, strict=False)
    told = checked.filter(pl.col("cell").is_not_null()).select(
        percent=pl.col("cell").str.ends_with("%") | (number > 1) & (number <= 100), real=~number.is_between(0, 1)
    )
    most = {kind: int(told[kind].sum()) * 2 > told.height for kind in told.columns}
    if most["percent"] and not percent:
        return "they look like percentages: doxa score and doxa calibrate read them by --scale percent"
    if most["real"] and not percent:
        return "they are no confidences in [0, 1]: doxa score and doxa calibrate take any number by --scale real"
    ends = "0 to 100" if percent else "[0, 1]"
    return f"correct the cell: a confidence lies in {ends}, and the cell is empty where there is none"


def truth(text: pl.Expr) -> pl.Expr:
    """True, false or missing from lower-case words."""
    import polars as pl

    return pl.when(text.is_in(TRUE)).then(statement=True).when(text.is_in(FALSE)).then(statement=False)


def complete_items(table: pl.DataFrame, columns: Columns, across: str, item: str, by: Sequence[str]) -> pl.DataFrame:
    """Rows of items that have confidence and outcome for every value of `across`, within the other `by` columns.

    So what is compared answers the same questions.
    """
    import polars as pl

    within = [column for column in by if column != across]
    usable = table.filter(pl.col(columns.confidence).is_not_null() & pl.col(columns.correct).is_not_null())
    every = pl.col(across).n_unique()
    needed = usable.group_by(within).agg(needed=every) if within else usable.select(needed=every)
    had = usable.group_by([*within, item]).agg(had=every)
    whole = had.join(needed, on=within, nulls_equal=True) if within else had.join(needed, how="cross")
    kept = whole.filter(pl.col("had") == pl.col("needed")).select([*within, item])
    if not kept.height:
        raise UsageError(
            f"no {item} has a row for every {across}", hint=f"is {item} the column that names the questions?"
        )
    return usable.join(kept, on=[*within, item], how="semi", nulls_equal=True)


def score_log(
    log: Log,
    *,
    by: Sequence[str] = (),
    metrics: Iterable[str] | None = None,
    intervals: bool = True,
    seed: int = 0,
) -> list[Group]:
    """Measure every combination of the `by` columns that occurs, in their order; without `by`, the whole table."""
    names = None if metrics is None else list(metrics)
    for column in by:
        existing(log.table, column)
    return [Group(key, _measured(log, part, names, intervals, seed)) for key, part in parts(log.table, by)]


def _measured(log: Log, part: pl.DataFrame, metrics: list[str] | None, intervals: bool, seed: int) -> list[Measurement]:
    """Measure one group; a row without outcome is missing too, and in a run one with a failed call is an error."""
    from doxa.metrics import measure

    columns, scale, failed = log.columns, log.scale, part.clear()
    if scale is None:
        scale = Scale.REAL if (part["scale"] == Scale.REAL.value).any() else Scale.UNIT
        failed = part.filter(part["error"] != "")
        part = part.filter(part["error"] == "")
    return measure(
        confidence=part[columns.confidence],
        correct=part[columns.correct],
        cluster=None if columns.cluster is None else part[columns.cluster].cast(str).to_numpy(),
        metrics=metrics,
        scale=scale,
        missing=int((part[columns.confidence].is_not_null() & part[columns.correct].is_null()).sum()),
        errors=failed.height,
        intervals=intervals,
        seed=seed,
    )


def parts(table: pl.DataFrame, by: Sequence[str]) -> list[tuple[dict[str, str], pl.DataFrame]]:
    """The groups with their values as text, sorted by them."""
    if not by:
        return [({}, table)]
    parts = table.partition_by(list(by), as_dict=True)
    named = [(dict(zip(by, map(str, key), strict=True)), part) for key, part in parts.items()]
    return sorted(named, key=lambda pair: tuple(pair[0].values()))


def usual(table: pl.DataFrame, role: str) -> str | None:
    """The column that has a usual name of this role, in upper or lower case; `None` where there is none."""
    for name in USUAL[role]:
        if name in table.columns:
            return name
        for column in table.columns:
            if column.strip().lower() == name:
                return column
    return None


def _named(table: pl.DataFrame, role: str, name: str | None) -> str:
    """The column given for a role, or the usual one."""
    if name is not None:
        return existing(table, name)
    found = usual(table, role)
    if found is not None:
        return existing(table, found)
    there = ", ".join(column for column in table.columns if column != LINE)
    raise UsageError(f"no column is named {' or '.join(USUAL[role])}", hint=f"give --{role} one of: {there}")


def _lines(table: pl.DataFrame, header: bool) -> pl.Series:
    """The line each row begins on: a quoted cell of a CSV may hold line ends."""
    import polars as pl

    place = pl.int_range(1, pl.len() + 1)
    text = [pl.col(name) for name, kind in table.schema.items() if kind == pl.String]
    if header and text:
        inside = pl.sum_horizontal(column.str.count_matches("\n", literal=True).fill_null(0) for column in text)
        place = place + 1 + inside.cum_sum().shift(1, fill_value=0).cast(pl.Int64)
    return table.select(line=place).to_series()


def _refuse(table: pl.DataFrame, bad: pl.Series, column: str, name: str, hint: str) -> None:
    """Raise `DataError` for the first bad cell."""
    if bad.any():
        at = int(bad.arg_max() or 0)
        value: Any = table[column][at]
        more = int(bad.sum()) - 1
        others = f", and {more} more" if more else ""
        raise DataError(f"{name}, line {table[LINE][at]}: {column} is {value!r}{others}", hint=hint)

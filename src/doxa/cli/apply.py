"""`doxa apply`: adds calibrated probabilities to a file."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import polars as pl

COLUMN = "probability"
HAZARDS = ("=", "+", "-", "@", "\t", "\r")
"""First characters by which a spreadsheet takes a text for a formula."""


def apply(
    calibrator: Annotated[Path, typer.Argument(help="what doxa calibrate wrote")],
    file: Annotated[Path, typer.Argument(help="CSV, JSONL (both also .gz) or Parquet")],
    out: Annotated[Path, typer.Option("-o", "--out", help="a .csv, .jsonl or .parquet file")],
    confidence: Annotated[str | None, typer.Option(metavar="COL", help="column of the confidence [as fitted]")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="only JSON on stdout")] = False,
) -> None:
    """Add calibrated probabilities to a file.

    They are the column `probability`; where the confidence is missing it stays empty.
    """
    import polars as pl

    from doxa.cli.score import chosen
    from doxa.errors import UsageError
    from doxa.scoring import LINE, existing, numbers_of, read_table
    from doxa.state import revive

    content = read_json(calibrator)
    fitted = revive(content)
    table = read_table(file)
    if COLUMN in table.columns:
        raise UsageError(f"{file} already has a column {COLUMN!r}", hint="rename it first; nothing is overwritten")
    column = existing(table, confidence or str(content.get("columns", {}).get("confidence", "confidence")))
    values = numbers_of(table, column, chosen(str(content.get("scale", fitted.scale.value))), str(file))
    given = values.is_not_null()
    found = pl.Series(COLUMN, [None] * table.height, dtype=pl.Float64)
    if given.any():
        found = found.scatter(given.arg_true(), fitted.predict(confidence=values.drop_nulls().to_numpy()))
    write_table(table.drop(LINE).with_columns(found), out)
    summary: dict[str, Any] = {"out": str(out), "rows": table.height, "missing": int((~given).sum())}
    text = f"{out}: {table.height:,} rows, {summary['missing']:,} without a confidence"
    sys.stdout.write((json.dumps(summary, ensure_ascii=False) if as_json else text) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file. Raises `DataError`."""
    from doxa.errors import DataError

    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"there is no file {path}", hint="doxa calibrate FILE --out cal.json writes one") from None
    except (OSError, ValueError) as error:
        raise DataError(f"{path} is not JSON: {error}", hint="doxa calibrate FILE --out cal.json writes one") from None
    if not isinstance(content, dict):
        raise DataError(f"{path} is not a calibrator", hint="doxa calibrate FILE --out cal.json writes one")
    return content


def write_table(table: pl.DataFrame, path: Path) -> None:
    """Write by the ending of the name, whole or not at all; texts in a CSV cannot become formulas."""
    import polars as pl

    from doxa.errors import UsageError
    from doxa.files import write

    content = io.BytesIO()
    try:
        if path.suffix == ".csv":
            disarmed(table).write_csv(content)
        elif path.suffix in (".jsonl", ".ndjson"):
            table.write_ndjson(content)
        elif path.suffix == ".parquet":
            table.write_parquet(content)
        else:
            raise UsageError(f"cannot write {path.name}", hint="the name must end in .csv, .jsonl or .parquet")
    except pl.exceptions.PolarsError as error:
        reason = str(error).partition("\n")[0]
        raise UsageError(
            f"cannot write {path.name}: {reason}", hint="write lists to a .jsonl or .parquet file"
        ) from None
    write(content.getvalue(), path)


def disarmed(table: pl.DataFrame) -> pl.DataFrame:
    """The table with ' before each text, and each column's name, that a spreadsheet would run; numbers stay."""
    import polars as pl

    def hazardous(cell: pl.Expr) -> pl.Expr:
        return pl.any_horizontal(cell.str.starts_with(sign) for sign in HAZARDS)

    for name, kind in table.schema.items():
        cell = pl.col(name)
        if (
            kind != pl.String
            or table.select((cell.cast(pl.Float64, strict=False).is_not_null() | (cell == "")).all()).item()
        ):
            continue
        table = table.with_columns(pl.when(hazardous(cell)).then("'" + cell).otherwise(cell).alias(name))
    return table.rename({name: f"'{name}" for name in table.columns if name.startswith(HAZARDS)})

"""Tables written to files."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

HAZARDS = ("=", "+", "-", "@", "\t", "\r")
"""First characters by which a spreadsheet takes a text for a formula."""


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

"""When `doxa score` reads Parquet in batches, and what it then cannot do."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from doxa.errors import UsageError
from doxa.scoring import Group

ROWS = 20_000_000
"""More rows than these are read in batches."""
SHARE = 10
"""So are files larger than the memory of the machine divided by this: rows take several times the place in memory."""


def files_in_batches(file: Path, stream: bool | None) -> tuple[Path, ...]:
    """The Parquet files to read in batches; none if the file is to be read at once.

    Raises `UsageError` where `--stream` is said of anything else.
    """
    from doxa.scoring import parquet_files
    from doxa.streaming.rows import count

    if stream is False:
        return ()
    files = parquet_files(file)
    if not files:
        if stream:
            raise UsageError(f"{file} is no Parquet", hint="--stream takes a Parquet file, a folder or a pattern")
        return ()
    rows, size = count(files), sum(each.stat().st_size for each in files)
    large = rows > ROWS or (hasattr(os, "sysconf") and size > _memory() // SHARE)  # Windows does not tell
    if not (stream or large or not file.is_file()):
        return ()
    large_as = f"{size / 1e6:,.0f} MB" if size >= 1e6 else f"{size / 1e3:,.0f} kB"
    sys.stderr.write(f"{rows:,} rows, {large_as}: read in batches, rankings from bins of the confidence\n")
    return files


def _memory() -> int:
    """Bytes of memory that the machine has."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def whole_only(options: Mapping[str, Any]) -> None:
    """Refuse options that need all rows at once. Raises `UsageError` naming them."""
    given = [name for name, value in options.items() if value]
    if given:
        raise UsageError(f"{', '.join(given)} cannot be had from batches of rows", hint="--no-stream reads all at once")


def score_files(files: tuple[Path, ...], how: dict[str, Any], **drawn: Any) -> tuple[list[Group], dict[str, Any]]:
    """Measure files in batches; also the columns that were taken."""
    from dataclasses import asdict

    from doxa.streaming.passes import score_source
    from doxa.streaming.rows import open_source

    source = open_source(files, **how)
    return score_source(source, **drawn), asdict(source.columns)

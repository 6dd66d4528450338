"""CSV with a header, in UTF-8, plain or gzipped."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from doxa.errors import DataError
from doxa.questions.readers.jsonl import open_bytes
from doxa.questions.readers.rows import NAMES, Row, to_questions
from doxa.types import Question


def read_csv(path: Path | str) -> Sequence[Question]:
    """All questions of a `.csv` or `.csv.gz` file.

    Cells may span lines within quotes. Several answers or options stand in one cell as a JSON list, or with ``|``
    between them; an empty cell is no value. Raises `DataError`, among others for rows with too few or too many cells.
    """
    return to_questions(_rows(Path(path)), path)


def _rows(path: Path) -> Iterator[Row]:
    """The rows below the header, with the line on which each begins."""
    reader = csv.reader(_text(path), strict=True)
    start = 1
    try:
        header = [name.strip() for name in next(reader, [])]
        _check(header, path.name)
        start = reader.line_num + 1
        for cells in reader:
            if cells and len(cells) != len(header):
                raise DataError(
                    f"{path.name}, line {start}: {len(cells)} cells, but the header has {len(header)}",
                    hint='put cells that hold a comma, a quote or a line break into "quotes"',
                )
            if cells:
                values = {name: _cell(name, cell) for name, cell in zip(header, cells, strict=True)}
                yield Row(start, {name: value for name, value in values.items() if value != ""}, path.name)
            start = reader.line_num + 1
    except csv.Error as error:
        hint = (
            "check the quotes of this row; a cell so long needs a .jsonl file"
            if "limit" in str(error)
            else "check the quotes of this row"
        )
        raise DataError(f"{path.name}, line {start}: {error}", hint=hint) from None


def _text(path: Path) -> io.StringIO:
    """The whole file as text, its line ends as they are."""
    try:
        with open_bytes(path) as file:
            content: bytes = file.read()
        return io.StringIO(content.decode("utf-8-sig"), newline="")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise DataError(f"{path.name}, line {line}: not UTF-8", hint="save the file as UTF-8") from None
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise DataError(f"{path.name}: {error}", hint="the .gz file is damaged: copy it anew") from None
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}", hint="may this user read the file?") from None


def _check(header: list[str], file: str) -> None:
    """Refuse a header with unnamed or repeated columns."""
    if len(header) == 1 and (mark := next((mark for mark in ";\t" if mark in header[0]), "")):
        raise DataError(f"{file}, line 1: one column, {header[0]!r}", hint=f"put commas in the place of {mark!r}")
    for place, name in enumerate(header, start=1):
        if not name or name in header[: place - 1]:
            problem = f"column {place} has no name" if not name else f"two columns are named {name!r}"
            raise DataError(f"{file}, line 1: {problem}", hint="the first line names every column once")


def _cell(name: str, cell: str) -> Any:
    """A cell's value; only the answers' column may hold a list."""
    if name not in NAMES["answers"] or not cell.strip():
        return cell.strip() and cell
    if cell.lstrip().startswith("["):
        try:
            return json.loads(cell)
        except ValueError:
            return cell
    return cell.split("|") if "|" in cell else cell

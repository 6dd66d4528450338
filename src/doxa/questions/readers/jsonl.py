"""JSON Lines: one question a line, in UTF-8, plain or gzipped."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from doxa.errors import DataError
from doxa.files import write
from doxa.questions.readers.rows import Row, to_questions
from doxa.types import Question


def read_jsonl(path: Path | str) -> Sequence[Question]:
    """All questions of a `.jsonl` or `.jsonl.gz` file; blank lines count for line numbers only. Raises `DataError`."""
    return to_questions(_rows(Path(path)), path)


def open_bytes(path: Path) -> Any:
    """Open a file for reading bytes, unzipping `.gz`."""
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")


def _rows(path: Path) -> Iterator[Row]:
    """The rows of a file with their line numbers."""
    number = 0
    try:
        with open_bytes(path) as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip(b"\xef\xbb\xbf \t\r\n" if number == 1 else None):
                    yield _row(line, number, path.name)
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise DataError(
            f"{path.name}, after line {number}: {error}", hint="the .gz file is damaged: copy it anew"
        ) from None
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}", hint="may this user read the file?") from None


def _row(line: bytes, number: int, file: str) -> Row:
    """One line as a row."""
    hint = 'each line is one JSON object in UTF-8: {"question": "…", "answer": "…"}'
    try:
        values = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"), parse_constant=_refuse)
    except UnicodeDecodeError as error:
        raise DataError(f"{file}, line {number}: byte {error.start + 1} is not UTF-8", hint=hint) from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{file}, line {number}: not JSON ({error})", hint=hint) from None
    if not isinstance(values, dict):
        raise DataError(f"{file}, line {number}: {type(values).__name__} instead of an object", hint=hint)
    return Row(number, values, file)


def _refuse(constant: str) -> None:
    """JSON has no NaN and no infinity."""
    raise ValueError(f"{constant} is not a JSON number")


def write_jsonl(questions: Iterable[Question], path: Path | str) -> None:
    """Write questions so that `read_jsonl` gives them back; `.gz` is gzipped. The file appears whole or not at all."""
    path = Path(path)
    text = "".join(json.dumps(_values(question), allow_nan=False) + "\n" for question in questions)
    content = gzip.compress(text.encode(), mtime=0) if path.suffix == ".gz" else text.encode()
    write(content, path, hint="choose another file")


def _values(question: Question) -> dict[str, Any]:
    """A question as a row: fields without a value are left out."""
    values: dict[str, Any] = {"id": question.id, "kind": question.kind}
    if question.messages:
        values["messages"] = [asdict(message) for message in question.messages]
    else:
        values["question"] = question.text
    if question.answers is not None:
        values["answers"] = list(question.answers)
    if question.choices:
        values["choices"] = list(question.choices)
    if question.cluster != question.id:
        values["cluster"] = question.cluster
    optional = {"context": question.context, "tags": dict(question.tags)}
    return values | {name: value for name, value in optional.items() if value} | dict(question.meta)

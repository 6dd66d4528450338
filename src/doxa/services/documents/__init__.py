"""Documents of a folder as passages: text and Markdown by paragraph, JSONL and CSV by row."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple
from unicodedata import normalize

from doxa.errors import DataError, UsageError

SUFFIXES = (".txt", ".md", ".jsonl", ".csv")
_WORD = re.compile(r"[^\W_]+")
_ACCENT = re.compile("[\u0300-\u036f]")
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
"""Kana and Chinese characters, which are written without spaces: each is a word."""


class Piece(NamedTuple):
    """A piece of a file: its text, and its first and last line, counted from 1."""

    text: str
    first: int
    last: int


def words(text: str) -> list[str]:
    """The words of a text in small letters without accents, as the index knows them.

    >>> words("São Tomé's 首都?")
    ['sao', 'tome', 's', '首', '都']
    """
    bare = normalize("NFKC", _ACCENT.sub("", normalize("NFKD", text)))
    return _WORD.findall(_UNSPACED.sub(r" \g<0> ", bare).lower())


def document_paths(folder: Path) -> list[Path]:
    """The documents of a folder and of those below it, hidden ones left out, in the order of their names.

    Raises `UsageError` where there are none.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder", hint=f"name a folder that holds {', '.join(SUFFIXES)} files")
    found = (path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    shown = [path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts)]
    if not shown:
        raise UsageError(f"{folder} holds no documents", hint=f"documents are {', '.join(SUFFIXES)} files")
    return sorted(shown)


def pieces(path: Path, content: bytes, longest: int) -> list[Piece]:
    """The passages of a file with this content, of at most `longest` characters each.

    Raises `DataError` for content that cannot be read as what the file's name says it is.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8: byte {error.start}", hint="save it as UTF-8") from error
    split = {".jsonl": _json_rows, ".csv": _csv_rows}.get(path.suffix.lower())
    whole = _paragraphs(text, longest) if split is None else split(path, text)
    # JSON can spell half a character, which no file and no index can hold.
    return [
        Piece(part.encode(errors="replace").decode(), piece.first, piece.last)
        for piece in whole
        for part in _cut(piece.text, longest)
    ]


def _paragraphs(text: str, longest: int) -> Iterator[Piece]:
    """Lines up to an empty one, or as many as fit; a heading stays with what follows it."""
    kept: list[str] = []
    for number, line in enumerate([*text.split("\n"), None], start=1):
        ends = line is None or (not line.strip() and not all(each.startswith("#") for each in kept if each))
        if kept and (ends or sum(map(len, kept)) + len(kept) + len(line or "") > longest):
            yield Piece("\n".join(kept).rstrip(), number - len(kept), number - 1)
            kept = []
        if line is not None and (kept or line.strip()):
            kept.append(line.rstrip())


def _json_rows(path: Path, text: str) -> Iterator[Piece]:
    """One passage a line: an object as `key: value; …`, anything else as it is written."""
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{path}, line {number} is not JSON", hint="every line is one JSON value") from error
        yield Piece(_row(row.items()) if isinstance(row, dict) else _value(row), number, number)


def _csv_rows(path: Path, text: str) -> Iterator[Piece]:
    """One passage a row below the header: `column: value; …`."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        start = reader.line_num + 1
        for row in reader:
            if row:
                yield Piece(_row(zip(header, row, strict=True)), start, reader.line_num)
            start = reader.line_num + 1
    except (csv.Error, ValueError) as error:
        hint = "every row has as many fields as the header, quoted where they hold commas or lines"
        raise DataError(f"{path}, line {reader.line_num} cannot be read: {error}", hint=hint) from error


def _row(fields: Iterable[tuple[str, object]]) -> str:
    return "; ".join(f"{key}: {_value(value)}" for key, value in fields if value not in (None, ""))


def _value(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _cut(text: str, longest: int) -> Iterator[str]:
    """A text in pieces of at most `longest` characters, cut at a space where there is one."""
    while len(text) > longest:
        place = text.rfind(" ", 1, longest + 1)
        place = longest if place < 0 else place
        yield text[:place].rstrip()
        text = text[place:].lstrip()
    if text.strip():
        yield text

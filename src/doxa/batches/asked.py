"""What was asked by files and has no answer yet: one SQLite table in the run's folder."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from doxa.errors import JournalError
from doxa.types import Failure, Request

NAME = "batch.sqlite"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS asked (key BLOB PRIMARY KEY, model TEXT NOT NULL, request TEXT NOT NULL, body TEXT NOT NULL,
  file INTEGER, failure TEXT)
"""
_PUT = """
INSERT INTO asked VALUES (:key, :model, :request, :body, NULL, NULL)
  ON CONFLICT (key) DO UPDATE SET body = :body, file = NULL, failure = NULL
"""
_encode = msgspec.json.Encoder(order="deterministic").encode


class Row(NamedTuple):
    """A request: who is asked, what the line of the file says, in which file it is, and what came of it so far."""

    key: bytes
    model: str
    request: Request
    body: str
    file: int | None
    """`None` until it is in a file."""
    failure: Failure | None


class Asked:
    """The table of a run's folder; what is changed counts once `commit` has returned."""

    def __init__(self, directory: Path) -> None:
        """Open (and create) the table. All of it raises `JournalError` when the table cannot be used."""
        self._path = directory / NAME
        with self._tried():
            self._rows = sqlite3.connect(self._path)
        self._do("PRAGMA synchronous=FULL")
        self._do(_SCHEMA)

    @property
    def files(self) -> int:
        """How many files were written: what a writer left that was killed before it could commit does not count."""
        return int(self._do("PRAGMA user_version").fetchone()[0])

    @files.setter
    def files(self, number: int) -> None:
        self._do(f"PRAGMA user_version={number}")

    def get(self, key: bytes) -> Row | None:
        """The request under `key`, or `None`."""
        found = self._do("SELECT * FROM asked WHERE key = ?", (key,)).fetchone()
        return _row(found) if found else None

    def put(self, key: bytes, model: str, request: Request, body: str) -> None:
        """Ask in the next file."""
        row = {"key": key, "model": model, "request": _encode(request).decode(), "body": body}
        self._do(_PUT, row)

    def fail(self, key: bytes, failure: Failure) -> None:
        """Note what came instead of an answer."""
        self._do("UPDATE asked SET failure = ? WHERE key = ?", (_encode(failure).decode(), key))

    def forget(self, key: bytes) -> None:
        """Its answer is in the journal."""
        self._do("DELETE FROM asked WHERE key = ?", (key,))

    def failed(self) -> Iterator[Row]:
        """All that came back without an answer."""
        return map(_row, self._do("SELECT * FROM asked WHERE failure IS NOT NULL").fetchall())

    def due(self) -> Iterator[tuple[str, bytes, str]]:
        """Who is to be asked, the key and the body of all that goes into the next files, model by model."""
        return self._do("SELECT model, key, body FROM asked WHERE file IS NULL ORDER BY model, rowid")

    def sent(self, key: bytes, file: int) -> None:
        """Note in which file it is."""
        self._do("UPDATE asked SET file = ? WHERE key = ?", (file, key))

    def commit(self) -> None:
        """Keep the changes."""
        with self._tried():
            self._rows.commit()

    def close(self) -> None:
        """Drop what is not committed."""
        self._rows.close()

    def _do(self, sql: str, values: Any = ()) -> sqlite3.Cursor:
        with self._tried():
            return self._rows.execute(sql, values)

    @contextlib.contextmanager
    def _tried(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            hint = "make room, or choose another --out; then the same command goes on"
            raise JournalError(f"cannot use {self._path}: {error}", hint=hint) from error


def _row(found: tuple[bytes, str, str, str, int | None, str | None]) -> Row:
    key, model, request, body, file, failure = found
    said = None if failure is None else msgspec.json.decode(failure, type=Failure)
    return Row(key, model, msgspec.json.decode(request, type=Request), body, file, said)

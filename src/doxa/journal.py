"""Every answer that was paid for, once.

A journal is a folder's `journal*.sqlite` files, one per writing process. A row is committed before its answer is
handed on, whatever is queued goes into one transaction, and every row carries a checksum. Neither `kill -9` nor a power
cut loses what was handed on.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import queue
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import msgspec

from doxa.errors import JournalError, UsageError
from doxa.types import Reply, Request, Usage

_SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (
  key BLOB PRIMARY KEY, model TEXT NOT NULL, request TEXT NOT NULL, reply TEXT NOT NULL, checksum BLOB NOT NULL)
"""
_VERSION = 1
_INSERT = "INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?, ?)"
_PAID = """
SELECT sum(json_extract(reply, '$.usage.calls')), sum(json_extract(reply, '$.usage.tokens_in')),
  sum(json_extract(reply, '$.usage.tokens_out')), sum(json_extract(reply, '$.usage.tokens_in') IS NULL) FROM answers
"""
_encode = msgspec.json.Encoder(order="deterministic").encode
_decode_reply = msgspec.json.Decoder(Reply).decode
_decode_request = msgspec.json.Decoder(Request).decode


class Row(NamedTuple):
    """One journalled answer as it is stored."""

    key: bytes
    model: str
    request: str
    reply: str
    checksum: bytes

    @property
    def intact(self) -> bool:
        """Whether the row is what was written."""
        try:
            return self.checksum == checksum(self.key, self.model, self.request, self.reply)
        except (AttributeError, TypeError, UnicodeError):
            return False


class Entry(NamedTuple):
    """One journalled answer, decoded."""

    model: str
    request: Request
    reply: Reply


def key_of(model: str, request: Request) -> bytes:
    """Key of an answer: the model's identity (fingerprint and base URL) and the request, nothing else."""
    return hashlib.blake2b(_encode([model, request]), digest_size=16).digest()


def checksum(key: bytes, model: str, request: str, reply: str) -> bytes:
    """BLAKE2 checksum of a row's fields, each with its length so that none can lend bytes to another."""
    digest = hashlib.blake2b(digest_size=16)
    for part in (key, model.encode(), request.encode(), reply.encode()):
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.digest()


def files(directory: Path) -> list[Path]:
    """The journal files of a run's folder."""
    return sorted(directory.glob("journal*.sqlite"))


@contextlib.contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Hold a run's folder for this process alone, until it ends. Raises `JournalError` while another one holds it."""
    try:
        import fcntl
    except ImportError:  # Windows has no such lock
        yield
        return
    handle = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        hint = "wait until it ends, or choose another --out"
        raise JournalError(f"{directory} is in use by another doxa", hint=hint) from error
    finally:
        os.close(handle)


def connect(path: Path, *, readonly: bool = False) -> sqlite3.Connection:
    """Open a journal file. Raises `JournalError` when it cannot be used."""
    try:
        if readonly:
            # Read-only without `immutable`: rows still in the write-ahead log of a killed process must be seen.
            connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, check_same_thread=False)
        else:
            connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
            connection.execute("PRAGMA journal_mode=WAL")
            # On disk before it is handed on; one write serves all that is queued, so it costs little.
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute(_SCHEMA)
            connection.execute(f"PRAGMA user_version={_VERSION}")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.Error as error:
        raise JournalError(f"cannot open {path}: {error}", hint=f"try: doxa journal verify {path.parent}") from error
    if version != _VERSION:
        raise JournalError(f"{path} has journal version {version}, not {_VERSION}", hint="use the doxa that wrote it")
    return connection


@dataclass(frozen=True, slots=True)
class _Write:
    row: Row
    done: asyncio.Future[None]
    loop: asyncio.AbstractEventLoop


class Journal:
    """The journal of one run: reads every file of the folder, writes to this process's own."""

    def __init__(self, directory: Path, worker: str = "") -> None:
        """Open (and create) the journal in `directory`; `worker` names this process's file."""
        self._path = directory / (f"journal-{worker}.sqlite" if worker else "journal.sqlite")
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise JournalError(f"cannot create {directory}: {error.strerror}", hint="choose another --out") from error
        self._writer = connect(self._path)
        self._readers = [connect(path, readonly=True) for path in files(directory)]
        self._queue: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write, name="doxa-journal", daemon=True)
        self._thread.start()

    def reread(self) -> None:
        """Read also the files that others have begun in the folder since it was opened."""
        for reader in self._readers:
            reader.close()
        self._readers = [connect(path, readonly=True) for path in files(self._path.parent)]

    def get(self, key: bytes) -> Reply | None:
        """The answer recorded under `key`, or `None`. A damaged row counts as not recorded."""
        for reader in self._readers:
            try:
                found = reader.execute("SELECT * FROM answers WHERE key = ?", (key,)).fetchone()
            except sqlite3.Error as error:
                hint = f"keep what is intact: doxa journal recover {self._path.parent}"
                raise JournalError(f"cannot read the journal in {self._path.parent}: {error}", hint=hint) from error
            if found is not None and Row(*found).intact:
                return _decode_reply(found[3])
        return None

    async def put(self, key: bytes, model: str, request: Request, reply: Reply) -> None:
        """Record an answer; returns once it is committed. Raises `JournalError` when it cannot be."""
        texts = _encode(request).decode(), _encode(reply).decode()
        row = Row(key, model, *texts, checksum(key, model, *texts))
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        self._queue.put(_Write(row, done, loop))
        await done

    def close(self) -> None:
        """Commit what is queued and release the files."""
        self._queue.put(None)
        self._thread.join()
        # The writer last: the last connection to close folds the write-ahead log into the file, if it may write.
        for connection in (*self._readers, self._writer):
            connection.close()

    def _write(self) -> None:
        """Writer thread: everything that is queued goes into one transaction, again and again."""
        closing = False
        while not closing:
            batch = [self._queue.get()]
            while not self._queue.empty():
                batch.append(self._queue.get())
            closing = None in batch
            writes = [write for write in batch if write is not None]
            error = self._commit([write.row for write in writes])
            # One call a batch: each call writes to the pipe that wakes the loop, which signals need too.
            for loop in {write.loop for write in writes}:
                if not loop.is_closed():
                    loop.call_soon_threadsafe(_settle, [write.done for write in writes if write.loop is loop], error)

    def _commit(self, rows: list[Row]) -> JournalError | None:
        try:
            self._writer.execute("BEGIN IMMEDIATE")
            self._writer.executemany(_INSERT, rows)
            self._writer.execute("COMMIT")
        except sqlite3.Error as error:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            hint = "free some space or choose another --out; then the same command resumes"
            return JournalError(f"cannot write {self._path}: {error}", hint=hint)
        return None


def _settle(waiting: list[asyncio.Future[None]], error: JournalError | None) -> None:
    for done in waiting:
        if done.cancelled():
            continue
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)


def entries(directory: Path) -> Iterator[Entry]:
    """All intact answers of a run, each once: the first complete record wins."""
    seen: set[bytes] = set()
    for path in files(directory):
        connection = connect(path, readonly=True)
        try:
            for found in connection.execute("SELECT * FROM answers"):
                row = Row(*found)
                if row.key not in seen and row.intact:
                    seen.add(row.key)
                    yield Entry(row.model, _decode_request(row.request), _decode_reply(row.reply))
        finally:
            connection.close()


def paid(directory: Path) -> Usage:
    """What the answers of a run cost, over all its sessions, killed ones too; unknown tokens stay unknown.

    Raises `JournalError` when a journal cannot be read.
    """
    total = Usage()
    for path in files(directory):
        connection = connect(path, readonly=True)
        try:
            calls, *tokens, unknown = connection.execute(_PAID).fetchone()
        except sqlite3.Error as error:
            raise JournalError(f"cannot read {path}: {error}", hint=f"try: doxa journal verify {directory}") from error
        finally:
            connection.close()
        total += Usage(calls or 0, *(None if unknown else number or 0 for number in tokens))
    return total


# -- looking after a journal -------------------------------------------------------------------------------------------


class Health(NamedTuple):
    """What `verify` found in one journal file."""

    path: Path
    intact: int
    damaged: int
    error: str = ""
    """Why the file could not be read to its end."""

    @property
    def sound(self) -> bool:
        """Whether every row is what was written."""
        return not self.damaged and not self.error


def verify(directory: Path) -> list[Health]:
    """Check every row of every journal file. Raises `UsageError` when there is no journal."""
    if not files(directory):
        raise UsageError(f"{directory} holds no journal", hint="name a run's folder, for example runs/quickstart")
    return [_health(path) for path in files(directory)]


def _health(path: Path) -> Health:
    intact = damaged = 0
    error = ""
    for row in _salvage(path):
        if isinstance(row, str):
            error = row
        elif row.intact:
            intact += 1
        else:
            damaged += 1
    return Health(path, intact, damaged, error)


def recover(directory: Path, stamp: str) -> list[Health]:
    """Rewrite every damaged file from its intact rows; the original stays beside it as `.corrupt-<stamp>`."""
    found = verify(directory)
    with locked(directory):
        for health in found:
            if not health.sound:
                mended = _write_rows(directory / "mended.sqlite", _intact([health.path]))
                for old in _parts(health.path):
                    old.rename(f"{old}.corrupt-{stamp}")
                mended.rename(health.path)
    return found


def prune(directory: Path) -> int:
    """Merge the workers' files into one, without duplicates and damaged rows; returns how many rows remain."""
    verify(directory)
    with locked(directory):
        paths = files(directory)
        rows = _intact(paths)
        # The merged file is a part of the journal before the others go: killed at any point, nothing is lost.
        merged = _write_rows(directory / "merged.sqlite", rows).replace(directory / "journal-merged.sqlite")
        for path in paths:
            if path != merged:
                for old in _parts(path):
                    old.unlink()
        merged.rename(directory / "journal.sqlite")
    return len(rows)


def _intact(paths: list[Path]) -> list[Row]:
    """The intact rows of some files, each key once: the first wins."""
    rows: dict[bytes, Row] = {}
    for path in paths:
        for row in _salvage(path):
            if isinstance(row, Row) and row.intact:
                rows.setdefault(row.key, row)
    return list(rows.values())


def _parts(path: Path) -> list[Path]:
    """A journal file and what SQLite keeps beside it."""
    return [part for suffix in ("", "-wal", "-shm") if (part := Path(f"{path}{suffix}")).exists()]


def _write_rows(path: Path, rows: list[Row]) -> Path:
    """A new journal file of these rows, whole when it is closed."""
    for stale in _parts(path):
        stale.unlink()
    connection = connect(path)
    connection.execute("BEGIN")
    connection.executemany(_INSERT, rows)
    connection.execute("COMMIT")
    connection.close()
    return path


def _salvage(path: Path) -> Iterator[Row | str]:
    """Every row that can be read, row by row past unreadable places; a text says what could not be."""
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        last = connection.execute("SELECT max(rowid) FROM answers").fetchone()[0] or 0
    except sqlite3.Error as error:
        yield str(error)
        return
    # Damage may fake a gigantic row number; an answer takes more than 64 bytes, so there are fewer than this.
    last, rowid = min(last, sum(part.stat().st_size for part in _parts(path)) // 64), 0
    while rowid < last:
        try:
            found = connection.execute("SELECT rowid, * FROM answers WHERE rowid > ? LIMIT 1", (rowid,)).fetchone()
        except (sqlite3.Error, UnicodeError) as error:
            yield str(error)
            rowid += 1
            continue
        if found is None:
            break
        rowid = found[0]
        yield Row(*found[1:])
    connection.close()

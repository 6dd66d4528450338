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
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import msgspec

from doxa.carving import PAGE
from doxa.errors import JournalError
from doxa.types import Reply, Request, Usage

VERSION = 1
_SCHEMA = f"""
PRAGMA page_size={PAGE};
PRAGMA journal_mode=WAL;
CREATE TABLE answers (
  key BLOB PRIMARY KEY, model TEXT NOT NULL, request TEXT NOT NULL, reply TEXT NOT NULL, checksum BLOB NOT NULL);
PRAGMA user_version={VERSION};
"""
HEADER = b"SQLite format 3\0" + PAGE.to_bytes(2, "big") + bytes((2, 2, 0, 64, 32, 32))
_INSERT = "INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?, ?)"
_SELECT = "SELECT key, model, request, reply, checksum FROM answers"
_PAID = """
SELECT sum(json_extract(reply, '$.usage.calls')), sum(json_extract(reply, '$.usage.tokens_in')),
  sum(json_extract(reply, '$.usage.tokens_out')), sum(json_extract(reply, '$.usage.tokens_in') IS NULL) FROM answers
  WHERE json_valid(reply)
"""
_ROOM = "free some space or choose another --out; then the same command resumes"
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
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            hint = "wait until it ends, or choose another --out"
            raise JournalError(f"{directory} is in use by another doxa", hint=hint) from error
        yield
    finally:
        os.close(handle)


def connect(path: Path, *, readonly: bool = False) -> sqlite3.Connection:
    """Open a journal file. Raises `JournalError` when it cannot be used."""
    mode = "ro" if readonly else "rw"
    if readonly and not os.access(path.parent, os.W_OK) and not Path(f"{path}-wal").exists():
        mode = "ro&immutable=1"  # SQLite makes a log even to read, and nobody can make one there
    try:
        # Else read-only without `immutable`: rows still in the write-ahead log of a killed process must be seen.
        address = f"{path.resolve().as_uri()}?mode={mode}"
        connection = sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False, timeout=30)
        # On disk before it is handed on; one write serves all that is queued, so it costs little.
        connection.execute("PRAGMA synchronous=FULL")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
    except (sqlite3.Error, OSError) as error:
        raise JournalError(f"cannot open {path}: {error}", hint=f"try: doxa journal verify {path.parent}") from error
    if version != VERSION:
        connection.close()
        raise JournalError(f"{path} has journal version {version}, not {VERSION}", hint="use the doxa that wrote it")
    return connection


def _create(path: Path) -> None:
    """Make a journal file; who reads the folder never sees one that is half made."""
    try:
        draft = drafted(path)
        try:
            with contextlib.suppress(FileExistsError):  # another process has made it meanwhile: that one stays
                os.link(draft, path)
        except OSError:  # a file system without links
            draft.rename(path)
        draft.unlink(missing_ok=True)
    except (sqlite3.Error, OSError) as error:
        raise JournalError(f"cannot create {path}: {error}", hint=_ROOM) from error


def drafted(path: Path, rows: Iterable[Row] = ()) -> Path:
    """A journal file of these rows, whole and on disk, under a name that is not a journal's yet."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    for stale in parts(draft):
        stale.unlink()
    try:
        with contextlib.closing(sqlite3.connect(draft, isolation_level=None)) as connection:
            connection.executescript(_SCHEMA)
            connection.execute("BEGIN")
            connection.executemany(_INSERT, rows)
            connection.execute("COMMIT")
    except BaseException:  # half a file on a full disk would take the room that is to be made
        for half in parts(draft):
            half.unlink()
        raise
    return draft


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
        if not self._path.exists():
            _create(self._path)
        self._writer = connect(self._path)
        self._readers = [connect(path, readonly=True) for path in files(directory)]
        self._damaged: set[bytes] = set()
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
                found = reader.execute(f"{_SELECT} WHERE key = ?", (key,)).fetchone()
            except sqlite3.Error as error:
                hint = f"keep what is intact: doxa journal recover {self._path.parent}"
                raise JournalError(f"cannot read the journal in {self._path.parent}: {error}", hint=hint) from error
            if found is not None and Row(*found).intact:
                return _decode_reply(found[3])
            if found is not None:
                self._damaged.add(key)
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
            anew = [(row.key,) for row in rows if row.key in self._damaged]
            self._writer.executemany("DELETE FROM answers WHERE key = ?", anew)
            self._writer.executemany(_INSERT, rows)
            self._writer.execute("COMMIT")
        except sqlite3.Error as error:
            with contextlib.suppress(sqlite3.Error):
                self._writer.execute("ROLLBACK")
            return JournalError(f"cannot write {self._path}: {error}", hint=_ROOM)
        if not self._path.exists():  # what is written to a file without a name is gone with this process
            return JournalError(f"{self._path} was removed", hint="the same command starts anew")
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
    """All intact answers of a run, each once: the first complete record wins.

    Raises `JournalError` when a journal cannot be read.
    """
    seen: set[bytes] = set()
    for path in files(directory):
        for row in rows_of(path):
            if row.key not in seen and row.intact:
                seen.add(row.key)
                yield Entry(row.model, _decode_request(row.request), _decode_reply(row.reply))


def rows_of(path: Path) -> Iterator[Row]:
    """The rows of one journal file, damaged ones too. Raises `JournalError` when it cannot be read to its end."""
    with contextlib.closing(connect(path, readonly=True)) as connection:
        try:
            for found in connection.execute(_SELECT):
                yield Row(*found)
        except (sqlite3.Error, UnicodeError) as error:
            hint = f"keep what is intact: doxa journal recover {path.parent}"
            raise JournalError(f"cannot read {path}: {error}", hint=hint) from error


def paid(directory: Path) -> Usage:
    """What the answers of a run cost, over all its sessions, killed ones too; unknown tokens stay unknown.

    Raises `JournalError` when a journal cannot be read.
    """
    total = Usage()
    for path in files(directory):
        connection = connect(path)  # unlike a reader, it folds the log into the file when it closes
        try:
            calls, *tokens, unknown = connection.execute(_PAID).fetchone()
        except sqlite3.Error as error:
            raise JournalError(f"cannot read {path}: {error}", hint=f"try: doxa journal verify {directory}") from error
        finally:
            connection.close()
        total += Usage(calls or 0, *(None if unknown else number or 0 for number in tokens))
    return total


def parts(path: Path) -> list[Path]:
    """A journal file and what SQLite keeps beside it; the file last, as its log must not outlive it."""
    return [part for suffix in ("-shm", "-wal", "") if (part := Path(f"{path}{suffix}")).exists()]

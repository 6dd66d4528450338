"""Looking after the journal of a run: is every row what was written, and what of it can be kept?"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from doxa.carving import carve
from doxa.errors import JournalError, UsageError
from doxa.journal import HEADER, VERSION, Row, connect, drafted, files, locked, parts, rows_of


class Health(NamedTuple):
    """What `verify` found in one journal file."""

    path: Path
    intact: int
    damaged: int
    unseen: int = 0
    """Answers that are whole in the file but not shown: of a commit that was cut off, or behind a damaged place."""
    error: str = ""
    """Why the file could not be read to its end."""

    @property
    def sound(self) -> bool:
        """Whether every row is what was written, and there to be found."""
        return not (self.damaged or self.unseen or self.error)


def verify(directory: Path) -> list[Health]:
    """Check every row of every journal file. Raises `UsageError` when there is no journal."""
    _expect(directory)
    return [check(path) for path in files(directory)]


def _expect(directory: Path) -> None:
    """Raise `UsageError` when there is no journal."""
    if not files(directory):
        raise UsageError(f"{directory} holds no journal", hint="name a run's folder, for example runs/quickstart")


def check(path: Path) -> Health:
    """Check every row of one journal file."""
    log = Path(f"{path}-wal")  # whoever only reads leaves an empty one
    # Before the rows are read: to a journal in use more may be added meanwhile.
    whole = {row.key for row in _carved(path)} if log.exists() and log.stat().st_size else set()
    intact: set[bytes] = set()
    damaged, error = 0, ""
    try:
        for row in rows_of(path):
            if row.intact:
                intact.add(row.key)
            else:
                damaged += 1
        error = _flaw(path)
    except JournalError as problem:
        error = str(problem)
    if error:
        whole = {row.key for row in _carved(path)}
    return Health(path, len(intact), damaged, len(whole - intact), error)


def _flaw(path: Path) -> str:
    """What is wrong with a file whose rows can all be read: an index that misses one, a header that forbids writing."""
    with path.open("rb") as file:
        if file.read(len(HEADER)) != HEADER:
            return f"{path} has a damaged header"
    with contextlib.closing(connect(path, readonly=True)) as connection:
        try:
            said = str(connection.execute("PRAGMA integrity_check(1)").fetchone()[0])
        except sqlite3.Error as error:
            said = str(error)
    return "" if said == "ok" else f"{path}: {said.splitlines()[-1]}"


def recover(directory: Path, stamp: str) -> list[Health]:
    """Rewrite every damaged file from its intact rows; the original stays beside it as `.corrupt-<stamp>`.

    Returns what was found before. Raises `UsageError` when there is no journal, `JournalError` for a file of another
    version of the journal, which is left as it is.
    """
    _expect(directory)
    with locked(directory):
        found = verify(directory)
        for path in (health.path for health in found if not health.sound):
            mended = path.with_name(f"{path.stem}-mended.sqlite")
            rows = _intact([each for each in (path, mended) if each.exists()])
            if not rows:
                check_version(path)
            # What is mended is a part of the journal before the original goes: killed at any point, nothing is lost.
            put_in_place(drafted(path, rows), mended)
            for old in parts(path):
                old.rename(f"{old}.corrupt-{stamp}")
            mended.rename(path)
    return found


def prune(directory: Path) -> int:
    """Merge the workers' files into one, without duplicates; returns how many rows remain.

    Raises `UsageError` when there is no journal, `JournalError` when a file is damaged.
    """
    _expect(directory)
    with locked(directory):
        found = verify(directory)
        for health in found:
            if not health.sound:
                hint = f"keep what is intact: doxa journal recover {directory}"
                raise JournalError(f"{health.path} is damaged", hint=hint)
        paths = [health.path for health in found]
        rows = _intact(paths)
        # As above: the merged file is a part of the journal before the others go.
        merged = directory / "journal-merged.sqlite"
        put_in_place(drafted(merged, rows), merged)
        for path in paths:
            if path != merged:
                for old in parts(path):
                    old.unlink()
        merged.rename(directory / "journal.sqlite")
    return len(rows)


def put_in_place(draft: Path, target: Path) -> None:
    """Give a whole file its name, which a process that was killed may have used for the same."""
    for side in parts(target):
        if side != target:
            side.unlink()
    draft.replace(target)


def check_version(path: Path) -> None:
    """Raise `JournalError` for a journal of another version, as opposed to a file that is none."""
    with contextlib.suppress(sqlite3.Error):
        with contextlib.closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        if version != VERSION and "answers" in tables:
            raise JournalError(f"{path} has journal version {version}", hint="use the doxa that wrote it")


def _intact(paths: list[Path]) -> list[Row]:
    """The intact rows of some files, each key once: the first wins."""
    rows: dict[bytes, Row] = {}
    for path in paths:
        for row in salvaged(path):
            rows.setdefault(row.key, row)
    return list(rows.values())


def salvaged(path: Path) -> Iterator[Row]:
    """All intact rows of a file, those of damaged places too; a row may come twice."""
    with contextlib.suppress(JournalError):  # carving goes on where reading ends
        for row in rows_of(path):
            if row.intact:
                yield row
    yield from _carved(path)


def _carved(path: Path) -> Iterator[Row]:
    """The intact rows among the raw bytes of a file and its write-ahead log."""
    for key, *texts, check in carve(path):
        with contextlib.suppress(UnicodeError):
            model, request, reply = (text.decode() for text in texts)
            row = Row(key, model, request, reply, check)
            if row.intact:
                yield row

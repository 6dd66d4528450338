"""Several folders' journals made one, by the keys of their answers."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from doxa import runs
from doxa.errors import JournalError, UsageError
from doxa.journal import Row, drafted, files, locked, rows_of
from doxa.upkeep import Health, check, check_version, put_in_place, salvaged

MERGED = "journal-merged.sqlite"


@dataclass(slots=True)
class Merged:
    """What came of merging."""

    answers: int = 0
    """In the folder, now."""
    added: int = 0
    repeated: int = 0
    """Answers that were there already."""
    conflicts: int = 0
    """Those of them whose reply was another: the first is kept."""
    damaged: list[Health] = field(default_factory=list)
    """Files whose intact answers alone were taken."""
    left_out: dict[str, str] = field(default_factory=dict)
    """Files of which nothing was taken, and why."""


def merge(sources: Sequence[Path], out: Path) -> Merged:
    """Add the answers of the journals in `sources` to the journal in `out`: the first complete one of each key wins.

    The sources are only read. Of a damaged file the intact answers are taken, of one of another version of the journal
    none. Where all sources are of one run, `out` becomes a folder of that run. Raises `UsageError` where a source holds
    no journal, `JournalError` while `out` is in use or has no room.
    """
    for source in sources:
        if not files(source):
            raise UsageError(f"{source} holds no journal", hint="name folders of runs or of shards")
    target, merged = out / MERGED, Merged()
    try:
        out.mkdir(parents=True, exist_ok=True)
        with locked(out):
            given = [path for source in sources if source.resolve() != out.resolve() for path in files(source)]
            put_in_place(drafted(target, _union(files(out), given, target, merged)), target)
            _carry(sources, out / runs.INFO)
    except (sqlite3.Error, OSError) as error:
        raise JournalError(f"cannot write {target}: {error}", hint="make room, or choose another --out") from error
    return merged


def _union(here: Sequence[Path], given: Sequence[Path], target: Path, merged: Merged) -> Iterator[Row]:
    """What `target` is to hold: each answer once, of itself and of those that are given, in their order.

    What other files here hold stays there: an answer that stands twice would count as paid twice.
    """
    seen: dict[bytes, bytes] = {}
    for path in (*here, *given):
        for row in _intact(path, merged):
            reply = hashlib.blake2b(row.reply.encode(), digest_size=8).digest()
            first = seen.setdefault(row.key, b"")
            if not first:
                seen[row.key] = reply
                merged.answers += 1
                merged.added += path not in here
                if path == target or path not in here:
                    yield row
            elif path not in here:
                merged.repeated += 1
                merged.conflicts += first != reply


def _intact(path: Path, merged: Merged) -> Iterable[Row]:
    """The intact answers of a file, each once; what is wrong with it goes into `merged`."""
    try:
        check_version(path)
    except JournalError as other:
        merged.left_out[str(path)] = str(other)
        return ()
    health = check(path)
    if health.sound:
        return rows_of(path)
    merged.damaged.append(health)
    return {row.key: row for row in salvaged(path)}.values()


def _carry(sources: Sequence[Path], target: Path) -> None:
    """Make a folder that is of no run yet one of the run that all sources are of."""
    infos = [info for source in sources if (info := _info(source))]
    if target.exists() or len(infos) < len(sources) or len({info["id"] for info in infos}) > 1:
        return
    info = {name: value for name, value in infos[0].items() if name not in ("shard", "asked", "told")}
    runs.write_json(target, {**info, "status": "incomplete"})


def _info(source: Path) -> dict[str, Any]:
    """What a folder says of its run; nothing where that is missing or cannot be read."""
    try:
        info = runs.Run.open(source).info
    except UsageError:
        return {}
    return info if isinstance(info.get("id"), str) else {}

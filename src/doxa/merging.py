"""Several folders' journals made one, by the keys of their answers."""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
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
    missing: list[str] = field(default_factory=list)
    """Shards that are not among the sources, as `2/8`."""
    incomplete: list[str] = field(default_factory=list)
    """Shards among them that stopped early."""


def merge(sources: Sequence[Path], out: Path) -> Merged:
    """Add the answers of the journals in `sources` to the journal in `out`: the first complete one of each key wins.

    The sources are only read. Of a damaged file the intact answers are taken, of one of another version of the journal
    none. Where all sources are of one run, `out` becomes a folder of that run. Raises `UsageError` where a source holds
    no journal or is of another run, `JournalError` while `out` is in use or has no room.
    """
    for source in sources:
        if not files(source):
            raise UsageError(f"{source} holds no journal", hint="name folders of runs or of shards")
    others = [source for source in sources if source.resolve() != out.resolve()]
    if not others:
        raise UsageError(f"there is nothing to merge into {out} but itself", hint="name other folders, or --out")
    infos = {source: info for source in (out, *others) if (info := _info(source))}
    _check_same(infos)
    missing, incomplete = _gaps(infos.values())
    target, merged = out / MERGED, Merged(missing=missing, incomplete=incomplete)
    try:
        out.mkdir(parents=True, exist_ok=True)
        with locked(out):
            given = [path for source in others for path in files(source)]
            put_in_place(drafted(target, _union(files(out), given, target, merged)), target)
            if out not in infos and all(source in infos for source in sources):
                _carry(infos[sources[0]], out / runs.INFO)
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


def _check_same(infos: Mapping[Path, dict[str, Any]]) -> None:
    """Raise `UsageError` where folders are of different runs."""
    (first, info), *others = infos.items() or [(Path(), {})]
    for other, its in others:
        if its["id"] != info["id"]:
            said = f"{first} is of run {info['id']}, {other} of run {its['id']}"
            raise UsageError(said, hint="merge folders of one run; for the other run choose another --out")


def _gaps(infos: Collection[dict[str, Any]]) -> tuple[list[str], list[str]]:
    """The shards that are missing among some, and those that stopped early; none where one folder is all of a run."""
    if any("shard" not in info and info.get("status") == "complete" for info in infos):
        return [], []
    shards = [(str(info.get("shard")), info.get("status")) for info in infos]
    status = {shard: its for shard, its in shards if re.fullmatch(r"\d+/\d+", shard)}
    numbers = sorted({int(shard.partition("/")[2]) for shard in status})
    sets = [[f"{number}/{of}" for number in range(1, of + 1)] for of in numbers]
    whole = any(status.keys() >= set(names) for names in sets)
    missing = [] if whole else [name for names in sets for name in names if name not in status]
    return missing, [shard for shard, its in status.items() if its != "complete"]


def _carry(info: Mapping[str, Any], target: Path) -> None:
    """Make a folder one of the run that its sources are of."""
    info = {name: value for name, value in info.items() if name not in ("shard", "asked", "told")}
    runs.write_json(target, {**info, "status": "incomplete"})


def _info(source: Path) -> dict[str, Any]:
    """What a folder says of its run; nothing where that is missing or cannot be read."""
    try:
        info = runs.Run.open(source).info
    except UsageError:
        return {}
    return info if isinstance(info.get("id"), str) else {}

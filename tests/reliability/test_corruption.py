"""Damaged journals: all damage that matters is seen, what is whole is kept, nothing is forged, nothing crashes."""

import asyncio
import contextlib
import os
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from doxa import upkeep
from doxa.carving import PAGE, carve
from doxa.errors import JournalError
from doxa.journal import Journal, entries, key_of, rows_of
from doxa.types import Message, Reply, Request
from doxa.upkeep import prune, recover, verify

ROWS = 40
LONG = {7: 9_000, 23: 13_000, 31: 4_500}
"""Rows that do not fit into a page, by their number: the length of their replies."""
HEADER = 10
"""Bytes of a short row's record before its columns: its own length, its number, and a code for each column."""


def request(number: int) -> Request:
    return Request((Message("user", f"question {number}"),))


def reply(number: int) -> Reply:
    drawn = random.Random(number)
    return Reply("".join(drawn.choices("abcdefgh, {}\n", k=LONG.get(number, 150))))


def write(directory: Path, numbers: range, *, close: bool = True) -> Journal:
    async def put() -> Journal:
        book = Journal(directory)
        for number in numbers:
            await book.put(key_of("model", request(number)), "model", request(number), reply(number))
        return book

    book = asyncio.run(put())
    if close:
        book.close()
    return book


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in memory, where there is one: thousands of files are put on disk here."""
    memory = Path("/dev/shm")
    folder = memory / f"doxa-{os.getpid()}" if memory.is_dir() else tmp_path_factory.mktemp("journals")
    folder.mkdir(exist_ok=True)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def closed(room: Path) -> Path:
    """A journal of forty rows after its end."""
    write(room / "closed", range(ROWS))
    return room / "closed" / "journal.sqlite"


@pytest.fixture(scope="module")
def open_(room: Path) -> dict[str, bytes]:
    """The same of a process that was killed: most rows are in the write-ahead log."""
    book = write(room / "open", range(ROWS), close=False)
    parts = {name: (room / "open" / f"journal.sqlite{name}").read_bytes() for name in ("", "-wal")}
    book.close()
    return parts


def put(folder: Path, parts: dict[str, bytes]) -> Path:
    """A run's folder with this journal alone."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, content in parts.items():
        (folder / f"journal.sqlite{name}").write_bytes(content)
    return folder


def kept(folder: Path) -> set[int]:
    """The numbers of the answers that can be read; each must be what was written."""
    found = set()
    for entry in entries(folder):
        number = int(entry.request.messages[0].content.split()[1])
        assert entry.reply == reply(number)
        found.add(number)
    return found


def served(folder: Path) -> set[int]:
    """The numbers of the answers that a run is given; a new one can be recorded."""
    book = write(folder, range(ROWS, ROWS + 1), close=False)
    try:
        return {number for number in range(ROWS + 1) if book.get(key_of("model", request(number))) == reply(number)}
    finally:
        book.close()


def places(path: Path) -> dict[int, list[range]]:
    """Where the bytes of every answer of a whole file are: its record, or all pages that it lies on."""
    content, found = path.read_bytes(), {}
    for row in rows_of(path):
        number = int(row.request.split("question ")[1].split('"')[0])
        record = row.key + (row.model + row.request + row.reply).encode() + row.checksum
        pieces = [record[at : at + 40] for at in range(0, len(record) - 40, 20)] if number in LONG else []
        pages = {content.find(piece) // PAGE for piece in pieces} - {-1}
        spans = [range(page * PAGE, (page + 1) * PAGE) for page in sorted(pages)]
        start = 0 if spans else content.index(record)
        found[number] = spans or [range(start - HEADER, start + len(record))]
    return found


def check_damage(folder: Path, parts: dict[str, bytes], expected: set[int], *, all_seen: bool = False) -> bool:
    """Damage is seen wherever it matters, and recovering leaves `expected`; returns whether it was seen."""
    sound = all(health.sound for health in verify(put(folder, parts)))
    if sound:
        assert kept(folder) == set(range(ROWS))
        assert served(folder) == set(range(ROWS + 1))
        assert not all_seen
        return False
    try:
        recover(folder, "now")
    except JournalError as error:
        assert error.hint and (folder / "journal.sqlite").read_bytes() == parts[""]
        return True
    assert (folder / "journal.sqlite.corrupt-now").read_bytes() == parts[""]
    assert all(health.sound for health in verify(folder))
    assert expected <= kept(folder)
    return True


def check_truncated(journal: Path, folder: Path, step: int) -> None:
    where, content = places(journal), journal.read_bytes()
    for length in range(0, len(content), step):
        expected = {number for number, spans in where.items() if all(span.stop <= length for span in spans)}
        assert check_damage(folder, {"": content[:length]}, expected, all_seen=True)


def test_some_truncations_are_seen_and_what_is_whole_is_kept(closed: Path, room: Path) -> None:
    check_truncated(closed, room / "cut", 2999)


@pytest.mark.slow
def test_many_truncations_are_seen_and_what_is_whole_is_kept(closed: Path, room: Path) -> None:
    check_truncated(closed, room / "cut", 97)


@pytest.mark.slow
def test_every_truncation_is_seen_and_what_is_whole_is_found(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("test_corruption.LONG", {})
    write(room / "short", range(ROWS))
    where = places(room / "short" / "journal.sqlite")
    content = (room / "short" / "journal.sqlite").read_bytes()
    for length in range(len(content)):
        folder = put(room / "prefix", {"": content[:length]})
        (health,) = verify(folder)
        expected = {number for number, spans in where.items() if all(span.stop <= length for span in spans)}
        assert not health.sound and health.intact + health.unseen >= len(expected)
    print(f"{len(content)} prefixes")


def check_flipped(journal: Path, folder: Path, flips: int) -> None:
    drawn, seen = random.Random(11), 0
    where, whole = places(journal), journal.read_bytes()
    for _ in range(flips):
        content = bytearray(whole)
        place = drawn.randrange(len(content))
        content[place] ^= drawn.randrange(1, 256)
        expected = {number for number, spans in where.items() if not any(place in span for span in spans)}
        seen += check_damage(folder, {"": bytes(content)}, expected)
    print(f"{flips} flips: {seen} seen, the others change no answer")


def test_some_flipped_bytes_are_seen_or_change_nothing(closed: Path, room: Path) -> None:
    check_flipped(closed, room / "flip", 60)


@pytest.mark.slow
def test_a_thousand_flipped_bytes_are_seen_or_change_nothing(closed: Path, room: Path) -> None:
    check_flipped(closed, room / "flip", 1000)


@pytest.mark.parametrize("flips", [20, pytest.param(500, marks=pytest.mark.slow)])
def test_a_broken_log_is_seen_where_it_hides_an_answer(open_: dict[str, bytes], room: Path, flips: int) -> None:
    drawn, seen = random.Random(12), 0
    for _ in range(flips):
        log = bytearray(open_["-wal"])
        log[drawn.randrange(32, len(log))] ^= drawn.randrange(1, 256)
        folder = put(room / "log", {**open_, "-wal": bytes(log)})
        if all(health.sound for health in verify(folder)):
            # Of the last frames alone no other copy is left: as if the process had died before they were whole.
            assert len(kept(folder)) >= ROWS - 1
            continue
        seen += 1
        recover(folder, "now")
        assert len(kept(folder)) >= ROWS - 1
    assert seen > flips / 2
    print(f"{flips} flips in a log: {seen} seen")


def test_zeros_at_the_end_are_seen(closed: Path, room: Path) -> None:
    where, content = places(closed), closed.read_bytes()
    for zeros in (1, 100, PAGE, 3 * PAGE + 5):
        rest = len(content) - zeros
        expected = {number for number, spans in where.items() if all(span.stop <= rest for span in spans)}
        check_damage(room / "zeros", {"": content[:rest] + bytes(zeros)}, expected, all_seen=zeros >= 100)


def test_another_version_is_left_alone(closed: Path, room: Path) -> None:
    folder = put(room / "version", {})
    with contextlib.closing(sqlite3.connect(folder / "journal.sqlite")) as connection:
        connection.executescript("CREATE TABLE answers (key, text); INSERT INTO answers VALUES (1, 'a')")
        connection.executescript("PRAGMA user_version=2")
    before = (folder / "journal.sqlite").read_bytes()
    assert "version 2" in verify(folder)[0].error
    for touch in (lambda: recover(folder, "now"), lambda: prune(folder), lambda: Journal(folder), lambda: kept(folder)):
        with pytest.raises(JournalError):
            touch()
    assert (folder / "journal.sqlite").read_bytes() == before
    assert [path.name for path in folder.iterdir() if "-" not in path.name] == ["journal.sqlite"]


@pytest.mark.parametrize("content", [b"", b"not a journal\n" * 900, bytes(9000), "sqlite"], ids=str)
def test_a_foreign_file_is_seen_and_kept(room: Path, content: bytes | str) -> None:
    folder = put(room / "foreign", {})
    path = folder / "journal.sqlite"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.executescript("CREATE TABLE other (text); INSERT INTO other VALUES ('a')")
    before = path.read_bytes()
    assert not verify(folder)[0].sound
    with pytest.raises(JournalError):
        Journal(folder)
    assert path.read_bytes() == before
    recover(folder, "now")
    assert (folder / "journal.sqlite.corrupt-now").read_bytes() == before
    assert verify(folder)[0] == (path, 0, 0, 0, "")


def test_noise_is_no_row(room: Path) -> None:
    path = room / "noise.sqlite"
    drawn = random.Random(3)
    for _ in range(20):
        path.write_bytes(drawn.randbytes(20_000))
        assert not list(upkeep._carved(path))
    assert sum(1 for _ in carve(path)) < 20_000


@pytest.mark.parametrize("damage", ["file", "log"])
def test_mending_that_is_killed_loses_nothing(
    open_: dict[str, bytes], room: Path, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = {name: bytearray(content) for name, content in open_.items()}
    parts["" if damage == "file" else "-wal"][60:64] = b"\xff" * 4
    for step in range(1, 9):
        folder = put(room / "mend", {name: bytes(content) for name, content in parts.items()})
        left = step

        def deadly(*arguments: object, done: Callable[..., object], **named: object) -> object:
            nonlocal left
            left -= 1
            if left < 0:
                raise SystemExit
            return done(*arguments, **named)

        with monkeypatch.context() as patched, contextlib.suppress(SystemExit):
            for name in ("rename", "replace", "unlink"):
                patched.setattr(os, name, partial(deadly, done=getattr(os, name)))
            recover(folder, "now")
        if any(not health.sound for health in verify(folder)):
            recover(folder, "later")
        assert kept(folder) == set(range(ROWS))

"""The journal: nothing handed on is lost, nothing is recorded twice, damage is seen and what is intact is kept."""

import asyncio
import os
import random
import signal
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from doxa import journal
from doxa.cli.main import _run
from doxa.errors import JournalError, UsageError
from doxa.journal import Journal, entries, key_of, locked, paid
from doxa.types import Message, Reply, Request, Token, Usage
from doxa.upkeep import prune, recover, verify


def request(text: str, **fields: object) -> Request:
    return Request((Message("user", text),), **fields)  # type: ignore[arg-type]


def fill(directory: Path, texts: list[str], worker: str = "") -> None:
    async def write() -> None:
        book = Journal(directory, worker)
        keys = [(key_of("model", request(text)), request(text)) for text in texts]
        await asyncio.gather(*(book.put(key, "model", r, Reply(f"to {r.messages[0].content}")) for key, r in keys))
        book.close()

    asyncio.run(write())


def test_an_answer_comes_back_as_it_was(tmp_path: Path) -> None:
    reply = Reply(
        "Paris", (Token("Par", -0.5, (("Lon", -1.0),), {"entropy": 0.3}), Token("is")), "length", "m", Usage(1, 2, 3)
    )
    key = key_of("model", request("q"))

    async def write() -> None:
        book = Journal(tmp_path)
        await book.put(key, "model", request("q"), reply)
        assert book.get(key) == reply
        book.close()

    asyncio.run(write())
    again = Journal(tmp_path)
    assert again.get(key) == reply
    assert again.get(key_of("other", request("q"))) is None
    again.close()


@pytest.mark.parametrize(
    "changed",
    [
        {"prefill": "A"},
        {"n": 2},
        {"temperature": 0.5},
        {"top_p": 0.9},
        {"max_tokens": 7},
        {"stop": ("x",)},
        {"seed": 1},
        {"top_logprobs": 0},
        {"statistics": ("entropy",)},
        {"continuation": "B"},
        {"decoding": "cautious"},
        {"tools": ("t",)},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_every_part_of_a_request_and_the_model_is_in_the_key(changed: dict[str, object]) -> None:
    plain = key_of("model", request("q"))
    assert key_of("model", request("q", **changed)) != plain
    assert key_of("another", request("q")) != plain
    assert key_of("model", request("q")) == plain


def test_the_first_record_wins_over_workers_files(tmp_path: Path) -> None:
    fill(tmp_path, ["a", "b"], "one")
    fill(tmp_path, ["b", "c"], "two")
    assert sorted(entry.request.messages[0].content for entry in entries(tmp_path)) == ["a", "b", "c"]
    assert prune(tmp_path) == 3
    assert [path.name for path in journal.files(tmp_path)] == ["journal.sqlite"]
    assert len(list(entries(tmp_path))) == 3


def test_a_changed_row_is_found_dropped_and_never_served(tmp_path: Path) -> None:
    fill(tmp_path, ["a", "b", "c"])
    with sqlite3.connect(tmp_path / "journal.sqlite") as connection:
        connection.execute("UPDATE answers SET reply = replace(reply, 'to b', 'to x')")
    connection.close()
    assert [(health.intact, health.damaged) for health in verify(tmp_path)] == [(2, 1)]
    book = Journal(tmp_path)
    assert book.get(key_of("model", request("b"))) is None
    book.close()
    recover(tmp_path, "now")
    assert [(health.intact, health.damaged) for health in verify(tmp_path)] == [(2, 0)]
    assert (tmp_path / "journal.sqlite.corrupt-now").exists()


@pytest.mark.parametrize("seed", range(20))
def test_random_damage_never_crashes_and_never_forges(tmp_path: Path, seed: int) -> None:
    texts = [f"question {i} " + "x" * 200 for i in range(40)]
    fill(tmp_path, texts)
    with sqlite3.connect(tmp_path / "journal.sqlite") as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    path = tmp_path / "journal.sqlite"
    drawn, content = random.Random(seed), bytearray(path.read_bytes())
    if seed % 2:
        content = content[: drawn.randrange(len(content))]
    else:
        for _ in range(30):
            content[drawn.randrange(len(content))] ^= 1 << drawn.randrange(8)
    path.write_bytes(content)
    try:
        recover(tmp_path, "now")
        found = {entry.request.messages[0].content: entry.reply.text for entry in entries(tmp_path)}
    except JournalError as error:
        assert error.hint
    else:
        assert all(reply == f"to {text}" for text, reply in found.items())


def test_a_closed_journal_is_one_file_that_may_be_copied(tmp_path: Path) -> None:
    fill(tmp_path / "run", ["a", "b"])
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["journal.sqlite"]
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "journal.sqlite").write_bytes((tmp_path / "run" / "journal.sqlite").read_bytes())
    assert sorted(entry.reply.text for entry in entries(tmp_path / "copy")) == ["to a", "to b"]


def test_a_journal_in_use_is_neither_pruned_nor_mended(tmp_path: Path) -> None:
    fill(tmp_path, ["a"])
    with locked(tmp_path):
        for change in (prune, lambda folder: recover(folder, "now")):
            with pytest.raises(JournalError, match="in use"):
                change(tmp_path)
    assert prune(tmp_path) == 1


def test_what_blocks_within_is_not_taken_for_a_folder_in_use(tmp_path: Path) -> None:
    with pytest.raises(BlockingIOError, match="terminal"), locked(tmp_path):
        raise BlockingIOError("the terminal is full")


@pytest.mark.parametrize("step", ["unlink", "rename"])
def test_pruning_that_is_killed_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    fill(tmp_path, ["a", "b"], "one")
    fill(tmp_path, ["b", "c"])

    def die(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patched, pytest.raises(SystemExit):
        patched.setattr(Path, step, die)
        prune(tmp_path)
    assert len(list(entries(tmp_path))) == 3
    assert prune(tmp_path) == 3
    assert [path.name for path in journal.files(tmp_path)] == ["journal.sqlite"]


def test_a_faked_row_number_does_not_take_for_ever(tmp_path: Path) -> None:
    fill(tmp_path, ["a", "b"])
    with sqlite3.connect(tmp_path / "journal.sqlite") as connection:
        connection.execute("UPDATE answers SET rowid = 1 << 60 WHERE rowid = 2")
    connection.close()
    assert [(health.intact, health.damaged) for health in verify(tmp_path)] == [(2, 0)]


def test_a_journal_that_turns_unreadable_is_one_error_with_a_next_step(tmp_path: Path) -> None:
    fill(tmp_path, [f"question {i}" for i in range(200)])
    content = bytearray((tmp_path / "journal.sqlite").read_bytes())
    content[8192:] = b"\xff" * (len(content) - 8192)
    (tmp_path / "journal.sqlite").write_bytes(content)
    book = Journal(tmp_path)
    try:
        with pytest.raises(JournalError, match="cannot read") as caught:
            for i in range(200):
                book.get(key_of("model", request(f"question {i}")))
        assert "recover" in caught.value.hint
    finally:
        book.close()


def test_a_folder_without_a_journal_says_so(tmp_path: Path) -> None:
    for look in (verify, prune, lambda folder: recover(folder, "now")):
        for folder in (tmp_path, tmp_path / "nosuch"):
            with pytest.raises(UsageError, match="holds no journal"):
                look(folder)


def test_a_full_disk_is_one_error_with_a_next_step(tmp_path: Path) -> None:
    async def write() -> None:
        book = Journal(tmp_path)
        book._writer.execute("PRAGMA max_page_count=4")
        try:
            with pytest.raises(JournalError, match="cannot write"):
                for i in range(200):
                    r = request(f"{i} " + "x" * 500)
                    await book.put(key_of("model", r), "model", r, Reply("yes"))
        finally:
            book.close()

    asyncio.run(write())
    assert all(health.sound for health in verify(tmp_path))


def test_nothing_acknowledged_is_lost_when_killed(tmp_path: Path) -> None:
    code = textwrap.dedent("""
        import asyncio, sys
        from pathlib import Path
        from doxa.journal import Journal, key_of
        from doxa.types import Message, Reply, Request
        async def main():
            book = Journal(Path(sys.argv[1]))
            async def one(i):
                r = Request((Message("user", str(i)),))
                await book.put(key_of("m", r), "m", r, Reply("yes"))
                print(i, flush=True)
            for start in range(0, 100_000, 16):
                await asyncio.gather(*(one(i) for i in range(start, start + 16)))
        asyncio.run(main())
    """)
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    acknowledged = {process.stdout.readline().strip() for _ in range(300)}
    os.kill(process.pid, signal.SIGKILL)
    acknowledged |= {line.strip() for line in process.stdout.readlines()[:-1]}
    process.wait()
    process.stdout.close()
    recorded = {entry.request.messages[0].content for entry in entries(tmp_path)}
    assert acknowledged <= recorded


def test_what_was_paid_is_the_sum_over_all_sessions(tmp_path: Path) -> None:
    async def session(texts: list[str], tokens: int | None = 5) -> None:
        book = Journal(tmp_path)
        for text in texts:
            await book.put(key_of("m", request(text)), "m", request(text), Reply("x", usage=Usage(1, tokens, 2)))
        book.close()

    assert paid(tmp_path) == Usage(0, 0, 0)
    asyncio.run(session(["a", "b"]))
    asyncio.run(session(["b", "c"]))
    assert paid(tmp_path) == Usage(3, 15, 6)
    asyncio.run(session(["d"], tokens=None))
    assert paid(tmp_path).calls == 4 and paid(tmp_path).tokens_in is None


def test_the_commands_say_what_was_kept_where_the_original_is_and_no_raw_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(tmp_path, ["a", "b " + "x" * 300])
    path = tmp_path / "journal.sqlite"
    path.write_bytes(path.read_bytes().replace(b"to b ", b"to \xff\x1b"))
    assert _run(["journal", "verify", str(tmp_path)]) == 3
    (line,) = capsys.readouterr().out.splitlines()
    assert "cannot read it" in line
    assert len(line) < len(str(path)) + 150
    assert "xxx" not in line
    assert _run(["journal", "recover", str(tmp_path)]) == 0
    (original,) = tmp_path.glob("journal.sqlite.corrupt-*")
    assert capsys.readouterr().out == f"{path}: 1 answers kept; the original is {original}\n"
    assert _run(["journal", "recover", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"{path}: 1 answers kept, nothing was damaged\n"

"""Several processes write one run's journal at a time: nothing is locked, lost or paid for twice."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from doxa.journal import Journal, files, key_of, rows_of
from doxa.types import Message, Request
from doxa.upkeep import prune, verify

WRITERS = 4
WRITER = textwrap.dedent("""
    import asyncio, sys
    from pathlib import Path
    from doxa.inquiry import Caller
    from doxa.journal import Journal
    from doxa.types import Capabilities, Message, Reply, Request

    folder, worker, first, last, step = Path(sys.argv[1]), sys.argv[2], *map(int, sys.argv[3:])

    class Model:
        name, base_url, fingerprint, capabilities, max_connections = "m", "", "m", Capabilities(), 64
        asked = 0

        async def generate(self, requests):
            self.asked += len(requests)
            return [[Reply(request.messages[0].content)] for request in requests]

    async def main():
        sys.stdin.readline()
        journal, model = Journal(folder, worker), Model()
        caller = Caller(model, journal)
        await asyncio.gather(*(caller.call(Request((Message("user", str(n)),))) for n in range(first, last, step)))
        journal.close()
        print(model.asked)

    asyncio.run(main())
""")


def write(folder: Path, shares: list[tuple[str, int, int, int]]) -> list[int]:
    """How many calls each writer paid for; all start at once, and none says anything else."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(folder), *map(str, share)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for share in shares
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate(timeout=250) for process in processes]
    assert [errors for _, errors in said] == [""] * len(processes)
    return [int(number) for number, _ in said]


def recorded(folder: Path) -> list[bytes]:
    return [row.key for path in files(folder) for row in rows_of(path)]


ITEMS = pytest.mark.parametrize("items", [400, pytest.param(10_000, marks=pytest.mark.slow)])


@ITEMS
def test_shares_in_files_of_their_own(tmp_path: Path, items: int) -> None:
    asked = write(tmp_path, [(f"w{n}", n, items, WRITERS) for n in range(WRITERS)])
    keys = recorded(tmp_path)
    assert sum(asked) == items == len(keys) == len(set(keys))
    assert len(files(tmp_path)) == WRITERS
    assert all(health.sound for health in verify(tmp_path))
    assert write(tmp_path, [(f"v{n}", 0, items, 1) for n in range(2)]) == [0, 0]  # every answer is everybody's
    assert prune(tmp_path) == items
    book = Journal(tmp_path)
    first = Request((Message("user", "0"),))
    assert book.get(key_of("m\n", first)) is not None
    book.close()


@ITEMS
def test_one_file_for_all(tmp_path: Path, items: int) -> None:
    """Not how doxa writes, but nothing goes wrong either."""
    asked = write(tmp_path, [("", n, items, WRITERS) for n in range(WRITERS)])
    assert [path.name for path in tmp_path.iterdir()] == ["journal.sqlite"]
    keys = recorded(tmp_path)
    assert sum(asked) == items == len(keys) == len(set(keys))
    assert all(health.sound for health in verify(tmp_path))

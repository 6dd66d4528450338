"""What the tests of kills, disks and limits share: a server that bills at once, and doxas that may be killed."""

from __future__ import annotations

import asyncio
import json
import os
import random
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

from aiohttp import web

from doxa.journal import entries
from fake_server import FakeServer, serve

HERE = Path(__file__).parent
CONNECTIONS = 16


class DearServer(FakeServer):
    """Bills a request as soon as it arrives, whether or not anybody waits for the answer, and takes its time."""

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        super()._note(await request.json(), 200)
        await asyncio.sleep(random.uniform(0, float(os.environ["SPREAD"])))
        return await super()._chat(request)

    def _note(self, payload: dict[str, Any], fault: Any) -> None:
        """The line is on the bill already."""


@dataclass(frozen=True)
class Server:
    """A running server by its address and its bill."""

    url: str
    bill: Path

    def paid(self) -> int:
        """Complete lines of the bill."""
        return self.bill.read_bytes().count(b"\n") if self.bill.exists() else 0

    def settled(self) -> int:
        """Lines of the bill once what was sent before has arrived."""
        before, now = -1, self.paid()
        while now != before:
            time.sleep(0.02)
            before, now = now, self.paid()
        return now


@contextmanager
def serving(bill: Path, latency: float = 0.0, spread: float = 0.0) -> Iterator[Server]:
    """A dear server in a process of its own: answers after `latency` and up to `spread` seconds more."""
    paths = os.pathsep.join(map(str, (HERE.parent, HERE)))
    environment = {**os.environ, "PYTHONPATH": paths, "SPREAD": str(spread)}
    command = [sys.executable, __file__, str(bill), str(latency)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    with process, process.stdout:
        try:
            yield Server(process.stdout.readline().strip(), bill)
        finally:
            process.terminate()


@dataclass
class Child:
    """A doxa that runs."""

    pid: int
    log: Path
    answers: IO[bytes]
    code: int | None = None

    def send(self, number: int) -> float:
        """Send a signal; returns when."""
        os.kill(self.pid, number)
        return time.monotonic()

    def ended(self, seconds: float = 0.0) -> bool:
        """Whether it has ended, or does so within `seconds`."""
        if self.code is None and select.select([self.answers], [], [], seconds)[0]:
            self.code = int(self.answers.readline())
        return self.code is not None

    def wait(self, seconds: float = 120.0) -> int:
        """How it ended: its exit code, or the negative number of the signal that killed it."""
        if not self.ended(seconds):
            self.send(signal.SIGKILL)
        assert self.ended(seconds) and self.code is not None
        return self.code

    @property
    def said(self) -> str:
        """What it wrote to stdout and stderr."""
        return self.log.read_text()


class Forks:
    """The process that forks doxas, one after another."""

    def __enter__(self) -> Self:
        command = [sys.executable, str(HERE / "nursery.py")]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        self._child: Child | None = None
        return self

    def __exit__(self, *exc: object) -> None:
        with self._process:
            self._stop()

    def fork(self, order: Mapping[str, Any]) -> Child:
        """Start the doxa that is ordered, and end the one before."""
        self._stop()
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write((json.dumps(order) + "\n").encode())
        self._child = Child(int(self._process.stdout.readline()), Path(order["log"]), self._process.stdout)
        return self._child

    def _stop(self) -> None:
        if self._child and not self._child.ended():
            self._child.send(signal.SIGKILL)
            self._child.wait()


@dataclass(frozen=True)
class Nursery:
    """Starts doxas that ask a server; the log of the last one is kept in a folder."""

    forks: Forks
    folder: Path
    server: Server

    def start(
        self,
        arguments: Sequence[str | Path],
        *,
        deadly: int = 0,
        folder: Path | None = None,
        acknowledged: Path | None = None,
        limits: Mapping[str, int] | None = None,
    ) -> Child:
        """Start a doxa; see `nursery.py`."""
        return self.forks.fork(
            {
                "arguments": list(map(str, arguments)),
                "environment": {"OPENAI_BASE_URL": self.server.url, "OPENAI_API_KEY": "test"},
                "log": str(self.folder / "log"),
                "deadly": deadly,
                "folder": str(folder or self.folder),
                "acknowledged": str(acknowledged or ""),
                "limits": dict(limits or {}),
            }
        )

    def run(self, arguments: Sequence[str | Path], **order: Any) -> tuple[int, str]:
        """How a doxa ended and what it said."""
        child = self.start(arguments, **order)
        return child.wait(), child.said


def questions(path: Path, n: int) -> Path:
    """A file of so many questions."""
    rows = ({"id": f"q{i}", "question": f"Which tree is number {i}?", "answer": "amber"} for i in range(n))
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def command(file: Path, out: Path, estimators: str = "perplexity", connections: int = CONNECTIONS) -> list[str]:
    """The command of a run."""
    words = ["run", str(file), "--model", "openai/fake-1", "-M", f"max_connections={connections}"]
    return [*words, "--estimators", estimators, "--out", str(out)]


def recorded(run: Path) -> list[str]:
    """The requests of all answers in a run's journal, each as one text."""
    return [str(entry.request) for entry in entries(run)] if run.exists() else []


if __name__ == "__main__":
    asyncio.run(serve(DearServer(bill=sys.argv[1], latency=float(sys.argv[2]))))

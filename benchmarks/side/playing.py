"""Sides take turns: each is a process that prepares itself, then works once for every line it is sent."""

from __future__ import annotations

import inspect
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from subprocess import PIPE, Popen
from threading import Timer
from typing import IO, Any

from side.environments import Broken, environment, last_line

Work = Callable[[Any], Callable[[], Any]]
SHOWN = ("torch", "transformers", "numpy")
"""Packages whose versions matter to speed, shown of every side that has them loaded."""


@dataclass(frozen=True)
class Side:
    """Who does the work, on what, and what has to be installed for that."""

    name: str
    work: Work
    setup: Any = None
    packages: tuple[str, ...] = ()


@dataclass(frozen=True)
class Turns:
    """What a side did: wall-clock and processor seconds of each round, what it returned, its peak memory in GiB."""

    seconds: tuple[float, ...]
    processor: tuple[float, ...]
    answers: tuple[Any, ...]
    version: str
    memory: float


@dataclass(frozen=True)
class Played(Mapping[str, Turns]):
    """Turns of the sides that could be measured, by name; and why the others could not."""

    turns: Mapping[str, Turns]
    failures: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Turns:
        return self.turns[name]

    def __iter__(self):
        return iter(self.turns)

    def __len__(self) -> int:
        return len(self.turns)

    @property
    def versions(self) -> dict[str, str]:
        return {name: turns.version for name, turns in self.turns.items()}


@dataclass
class Process:
    """A side under way."""

    side: Side
    limit: float
    process: Popen[str]
    said: IO[str]
    version: str = ""
    turns: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def start(cls, side: Side, folder: Path, limit: float) -> Process:
        """Begin; the side prepares itself when it is sent its setup."""
        python = str(environment(side.packages)) if side.packages else sys.executable
        folder.mkdir()
        said = (folder / "said.txt").open("w+")
        surroundings = {k: v for k, v in os.environ.items() if k != "PYTHONPATH" or not side.packages}
        surroundings |= {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "PYTHONWARNINGS": "ignore"}
        command = [python, inspect.getfile(side.work), "--side", side.work.__name__]
        process = Popen(command, stdin=PIPE, stdout=PIPE, stderr=said, text=True, cwd=folder, env=surroundings)
        return cls(side, limit, process, said)

    def ask(self, line: Any) -> dict[str, Any]:
        """Send a line, wait for the answer. Raises `Broken` if none comes."""
        assert self.process.stdin and self.process.stdout
        late = Timer(self.limit, self.process.kill)
        late.start()
        try:
            print(json.dumps(line), file=self.process.stdin, flush=True)
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        finally:
            waited = not late.is_alive()
            late.cancel()
        if not answer:
            self.process.wait()
            self.said.seek(0)
            why = f"takes longer than {self.limit:.0f} s" if waited else f"fails: {last_line(self.said.read())}"
            raise Broken(why)
        found: dict[str, Any] = json.loads(answer)
        return found

    def prepare(self) -> None:
        self.version = self.ask([self.side.setup, [name.split("=")[0] for name in self.side.packages]])["version"]

    def turn(self) -> None:
        self.turns.append(self.ask("turn"))

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        self.said.close()

    def result(self) -> Turns:
        seconds, processor, answers = (tuple(t[k] for t in self.turns) for k in ("seconds", "processor", "answer"))
        return Turns(seconds, processor, answers, self.version, max((t["memory"] for t in self.turns), default=0))


def play(sides: Sequence[Side], rounds: int = 3, limit: float = 600) -> Played:
    """Let the sides take turns, `rounds` times. Raises `Broken` if the first one cannot."""
    failures: dict[str, str] = {}
    under_way: dict[str, Process] = {}

    def tried(side: Side, step: Callable[[], None]) -> None:
        try:
            step()
        except Broken as broken:
            if side is sides[0]:
                raise Broken(f"{side.name} {broken}") from None
            print(f"{side.name} {broken}", file=sys.stderr)
            failures[side.name] = f"{side.name} {broken}"

    with tempfile.TemporaryDirectory() as folder:
        try:
            for i, side in enumerate(sides):

                def begin(side: Side = side, i: int = i) -> None:
                    under_way[side.name] = Process.start(side, Path(folder) / str(i), limit)
                    under_way[side.name].prepare()

                tried(side, begin)
            for _ in range(rounds):
                for side in sides:
                    if side.name not in failures:
                        tried(side, under_way[side.name].turn)
        finally:
            for process in under_way.values():
                process.stop()
    whole = {name: process.result() for name, process in under_way.items() if name not in failures}
    return Played(whole, tuple(failures.values()))


def serve(work: Work) -> None:
    """What a side's process does: prepare, then work once for every line; answers go where nothing else can print."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    setup, packages = json.loads(sys.stdin.readline())
    turn = work(setup)
    print(json.dumps({"version": versions(packages)}), file=out, flush=True)
    for _ in sys.stdin:
        wall, processor = time.perf_counter(), time.process_time()
        answer = turn()
        took = {"seconds": time.perf_counter() - wall, "processor": time.process_time() - processor}
        print(json.dumps({**took, "answer": answer, "memory": memory()}), file=out, flush=True)


def memory() -> float:
    """GiB that this process held at most so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak) / (2**30 if sys.platform == "darwin" else 2**20)


def versions(packages: Sequence[str]) -> str:
    """Python and packages of this process."""
    found = [f"Python {sys.version.split()[0]}"]
    for name in dict.fromkeys((*packages, *(name for name in SHOWN if name in sys.modules))):
        try:
            found.append(f"{name} {version(name.split('[')[0])}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)

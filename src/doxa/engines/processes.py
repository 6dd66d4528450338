"""Several processes of this machine."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import msgspec

from doxa.engines.parts.tally import Tally, decode
from doxa.engines.parts.task import Recipe, Task, check_workers, dealt, recipes
from doxa.errors import DoxaError
from doxa.types import Question

_COMMAND = (sys.executable, "-P", "-m", "doxa.engines.parts.worker")
"""Without the working folder among those of modules: a file there may have the name of one."""
_PATIENCE = 15.0
"""Seconds a worker has to end in order: calls under way may take ten."""
_LONGEST = 2**20


@dataclass(frozen=True)
class Processes:
    """Shares the questions among `workers` processes; one that dies is started again, `restarts` times at most.

    Each loads the model, with its share of the machine's threads and of the server's connections. The limits of calls
    and of cost are split evenly. A worker ends when this process does, however that ends.
    """

    workers: int = 2
    restarts: int = 3

    def __post_init__(self) -> None:
        """Check the number of workers."""
        check_workers(self.workers)

    async def fill(self, task: Task, report: Callable[[Tally], None]) -> Tally:
        """Ask the questions of the task in the workers; what one leaves out that died too often is simply missing."""
        shares = dealt(task.plan.questions, self.workers)
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        work = recipes(task, self.workers, max(1, cores // self.workers))
        standing: dict[int, Tally] = {}

        def told(number: int, tally: Tally) -> None:
            standing[number] = tally
            report(Tally.total(standing.values()))

        try:
            async with asyncio.TaskGroup() as group:
                for number, (recipe, share) in enumerate(zip(work, shares, strict=True)):
                    if share:
                        group.create_task(self._lives(recipe, share, partial(told, number)))
        except* DoxaError as several:
            raise several.exceptions[0] from None
        return Tally.total(standing.values())

    async def _lives(self, recipe: Recipe, share: Sequence[Question], told: Callable[[Tally], None]) -> None:
        """One worker, started again when it dies; its journal knows what it has."""
        for restarts in range(self.restarts + 1):
            if await _live(recipe, share, partial(_again, told, restarts)):
                return


def _again(told: Callable[[Tally], None], restarts: int, tally: Tally) -> None:
    """Tell a tally, and that the worker was started again so many times."""
    told(replace(tally, restarts=restarts))


async def _live(recipe: Recipe, share: Sequence[Question], told: Callable[[Tally], None]) -> bool:
    """One process from start to end: whether that was in order. It stops when its input is closed."""
    # A session of its own: Ctrl-C in a terminal reaches this process alone, which ends the workers in order.
    process = await asyncio.create_subprocess_exec(
        *_COMMAND, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, start_new_session=True, limit=_LONGEST
    )
    assert process.stdin is not None and process.stdout is not None
    ended = False
    try:
        process.stdin.writelines([msgspec.json.encode(each) + b"\n" for each in (recipe, *share)] + [b"\n"])
        async for line in process.stdout:
            if not line.endswith(b"\n"):
                break  # killed while it spoke
            word = decode(line)
            told(word.tally)
            word.check()
            ended = word.last
    finally:
        process.stdin.close()
        going = asyncio.ensure_future(_gone(process))
        try:
            await asyncio.shield(going)
        finally:  # another worker's error may end the waiting, but not the wait
            await going
    return ended


async def _gone(process: asyncio.subprocess.Process) -> None:
    """Wait until the process is gone, with force if it takes too long."""
    try:
        await asyncio.wait_for(process.wait(), _PATIENCE)
    except TimeoutError:
        process.kill()
        await process.wait()

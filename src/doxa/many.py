"""Work on many items at a time, and who watches it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from doxa import runs
from doxa.errors import DoxaError
from doxa.inquiry import Caller
from doxa.types import Question

S = TypeVar("S")
T = TypeVar("T")

AT_ONCE = 256
"""Questions under way at a time: enough to keep any engine's batches full, few enough to hold in memory."""


async def for_all(
    questions: Sequence[Question],
    work: Callable[[Question], Coroutine[Any, Any, T]],
    callers: Mapping[str, Caller],
    *,
    expected: int = 0,
    progress: runs.Progress | None = None,
) -> list[T]:
    """What `work` makes of every question, in their order, many under way at a time."""
    watched = Watched(len(questions), callers, expected, progress)
    return await watched.over(for_each(questions, work, watched.one_more))


async def for_each(
    items: Sequence[S], work: Callable[[S], Coroutine[Any, Any, T]], one_more: Callable[[], None] | None = None
) -> list[T]:
    """What `work` makes of every item, in their order, many under way at a time."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(item: S) -> T:
        async with gate:
            made = await work(item)
        if one_more:
            one_more()
        return made

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(item)) for item in items]
    except* DoxaError as several:
        raise several.exceptions[0] from None
    return [task.result() for task in tasks]


@dataclass(slots=True)
class Watched:
    """Tells `progress` every quarter of a second how far some work is."""

    total: int
    callers: Mapping[str, Caller]
    expected: int = 0
    progress: runs.Progress | None = None
    done: int = 0

    def one_more(self) -> None:
        """Count one more item as done."""
        self.done += 1

    async def over(self, work: Coroutine[Any, Any, T]) -> T:
        """Do the work, and tell of it on the way and at its end."""
        watcher = asyncio.ensure_future(self._watch(self.progress)) if self.progress else None
        try:
            return await work
        finally:
            if watcher and self.progress:
                watcher.cancel()
                self.progress(self._standing())

    async def _watch(self, report: runs.Progress) -> None:
        while True:
            report(self._standing())
            await asyncio.sleep(0.25)

    def _standing(self) -> runs.Standing:
        paid = sum(caller.spent.calls for caller in self.callers.values())
        saved = sum(caller.saved for caller in self.callers.values())
        errors = sum(sum(caller.failures.values()) for caller in self.callers.values())
        return runs.Standing(self.total, self.done, paid, self.expected, saved, errors)

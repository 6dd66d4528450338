"""Work on many items at a time, and who watches it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from doxa import runs
from doxa.errors import DoxaError
from doxa.inquiry import Caller
from doxa.types import Question

S = TypeVar("S")
T = TypeVar("T")

AT_ONCE = 256
"""Questions under way at a time: enough to keep any engine's batches full, few enough to hold in memory."""
AHEAD = 4096
"""Questions that may be done before an earlier one is."""


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
    made: list[T] = []
    await hand_over(items, work, made.append, one_more)
    return made


async def hand_over(
    items: Sequence[S],
    work: Callable[[S], Coroutine[Any, Any, T]],
    take: Callable[[T], None],
    one_more: Callable[[], None] | None = None,
) -> None:
    """Hand what `work` makes of every item to `take`, in their order, many under way at a time.

    At most `AHEAD` items are made and wait for an earlier one, so that memory does not grow with their number.
    """
    numbered, made, room = enumerate(items), dict[int, T](), asyncio.Semaphore(AHEAD)
    taken = 0

    async def worker() -> None:
        nonlocal taken
        while True:
            await room.acquire()
            place, item = next(numbered, (-1, None))
            if place < 0:
                return room.release()
            made[place] = await work(cast(S, item))
            if one_more:
                one_more()
            while taken in made:
                take(made.pop(taken))
                taken += 1
                room.release()

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(AT_ONCE, len(items))):
                group.create_task(worker())
    except* DoxaError as several:
        raise several.exceptions[0] from None


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

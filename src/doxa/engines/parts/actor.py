"""What runs inside an actor of Ray."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from doxa.engines.parts.tally import Tally, Word, encode
from doxa.engines.parts.task import Recipe, Task
from doxa.engines.parts.telling import EVERY, Teller, open_teller
from doxa.errors import DoxaError
from doxa.types import Question


class Actor:
    """Tells batches of questions, several at a time, and says after each how far it is.

    Whoever takes its place when it dies has the same name, hence the same journal.
    """

    def __init__(self, recipe: bytes) -> None:
        """Keep what the task is made from; it is made with the first batch, where an error has somewhere to go."""
        import ray

        self._worker = ray.get_runtime_context().get_actor_id()[:16]
        self._recipe = msgspec.json.decode(recipe, type=Recipe)
        self._teller: Teller | None = None
        self._watcher: asyncio.Future[None] | None = None

    async def __call__(self, batch: dict[str, Sequence[bytes]]) -> dict[str, list[Any]]:
        """Tell a batch of questions."""
        try:
            if self._teller is None:
                task = self._recipe.task()
                self._teller = open_teller(replace(task, name=f"{task.name}-{self._worker}"))
                self._watcher = asyncio.ensure_future(_watch(task))
            decoder = msgspec.json.Decoder(Question)
            await self._teller.tell([decoder.decode(question) for question in batch["question"]])
            word = Word(self._teller.tally)
        except DoxaError as error:
            word = Word.of(error, self._teller.tally if self._teller else Tally())
        return {"worker": [self._worker], "word": [encode(word)]}


def stop_sign(task: Task) -> Path:
    """The file that, once it is there, tells all actors of a session to ask nothing further."""
    return task.out / f".{task.name.partition('-')[0]}.stop"


async def _watch(task: Task) -> None:
    """Heed the sign; what is in flight then arrives, and the batches end for want of further answers."""
    while not stop_sign(task).exists():
        await asyncio.sleep(EVERY)
    task.budget.closed = True

"""What runs inside an actor of Ray."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec

from doxa.engines.parts.tally import Tally, Word, encode
from doxa.engines.parts.task import Recipe
from doxa.engines.parts.telling import Teller, open_teller
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

    async def __call__(self, batch: dict[str, Sequence[bytes]]) -> dict[str, list[Any]]:
        """Tell a batch of questions."""
        try:
            if self._teller is None:
                task = self._recipe.task()
                self._teller = open_teller(replace(task, name=f"{task.name}-{self._worker}"))
            decoder = msgspec.json.Decoder(Question)
            await self._teller.tell([decoder.decode(question) for question in batch["question"]])
            word = Word(self._teller.tally)
        except DoxaError as error:
            word = Word.of(error, self._teller.tally if self._teller else Tally())
        return {"worker": [self._worker], "word": [encode(word)]}

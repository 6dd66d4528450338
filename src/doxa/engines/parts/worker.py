"""A worker process: a recipe and questions come in, words on how far it is go out; it stops when its input ends."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import replace

import msgspec

from doxa.engines.parts.tally import Tally, Word, encode
from doxa.engines.parts.task import Recipe
from doxa.engines.parts.telling import tell_all
from doxa.errors import DoxaError
from doxa.types import Question


def main() -> None:
    """Read the work, do it, say how it went."""
    # Whatever a library prints must not stand among the words.
    words = os.dup(1)
    os.dup2(2, 1)
    recipe = msgspec.json.decode(sys.stdin.buffer.readline(), type=Recipe)
    question = msgspec.json.Decoder(Question).decode
    questions = [question(line) for line in iter(sys.stdin.buffer.readline, b"\n") if line]

    last = Tally()

    def say(word: Word) -> None:
        nonlocal last
        last = word.tally
        os.write(words, encode(word) + b"\n")

    try:
        asyncio.run(_work(recipe, questions, lambda tally: say(Word(tally))))
        say(Word(last, last=True))
    except DoxaError as error:
        say(Word.of(error, last))
    except (asyncio.CancelledError, BrokenPipeError):
        sys.exit(130)


async def _work(recipe: Recipe, questions: list[Question], report: Callable[[Tally], None]) -> None:
    loop, work = asyncio.get_running_loop(), asyncio.current_task()
    assert work is not None
    threading.Thread(target=_stop_at_end, args=(loop, work), name="doxa-input", daemon=True).start()
    task = recipe.task()
    task = replace(task, plan=replace(task.plan, questions=questions))
    try:
        await tell_all(task, report)
    finally:
        for model in filter(None, (task.model, task.plan.judge)):
            await model.close()


def _stop_at_end(loop: asyncio.AbstractEventLoop, work: asyncio.Task[None]) -> None:
    """Whoever started this worker is gone, or wants it to stop: both end its input."""
    while os.read(0, 4096):
        pass
    if not loop.is_closed():
        loop.call_soon_threadsafe(work.cancel)


if __name__ == "__main__":
    main()

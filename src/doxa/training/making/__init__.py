"""From a recipe to a file of training data: asked like a run, so that the same command goes on where it stopped."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from doxa import flow, runs
from doxa.errors import CallFailed, Incomplete, Unavailable, UsageError
from doxa.files import write
from doxa.inquiry import Budget, Caller, Calls
from doxa.journal import Journal
from doxa.many import for_all
from doxa.types import Model, Question

_AGAIN = "the same command goes on; what was answered is kept"


@dataclass(frozen=True, slots=True)
class Made:
    """The rows made of one question, what was counted on the way and, without rows, the reason."""

    rows: Sequence[Mapping[str, Any]] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    reason: str = ""


class Recipe(Protocol):
    """Turns questions into rows of training data."""

    @property
    def calls(self) -> int:
        """Calls for each question."""
        ...

    async def make(self, question: Question, callers: Mapping[str, Calls], *, seed: int) -> Made:
        """The rows of one question. Raises `Unavailable` when an ask cannot be had."""
        ...


async def make_data(
    recipe: Recipe,
    model: Model,
    questions: Sequence[Question],
    out: Path,
    *,
    seed: int = 0,
    budget: Budget | None = None,
    fresh: bool = False,
    progress: runs.Progress | None = None,
) -> dict[str, Any]:
    """Write the rows of all questions to `out` (JSONL), whole or not at all; returns what was counted.

    Every answer is kept in the folder `<out>.answers`; `fresh` forgets what is there. Raises `Incomplete` when calls
    are missing that may succeed later, and `Refused` when the provider refuses for good; nothing is written then.
    """
    if not questions:
        raise UsageError("there are no questions to ask", hint="check the file, --limit and the filters")
    if len({question.id for question in questions}) < len(questions):
        raise UsageError("two questions have the same id", hint="an id names one question")
    if out.is_dir():
        raise UsageError(f"{out} is a folder", hint="name a file, for example pairs.jsonl")
    answers = out.with_name(f"{out.name}.answers")
    with runs.claimed(answers, "", fresh=fresh):
        journal = Journal(answers)
        callers = {"subject": Caller(model, journal, budget=budget)}
        try:
            work = partial(_made, recipe, callers, seed)
            expected = recipe.calls * len(questions)
            made = await for_all(questions, work, callers, expected=expected, progress=progress)
        finally:
            try:
                await flow.drain(callers)
            finally:
                journal.close()
        caller = callers["subject"]
        if caller.unfinished:
            raise Incomplete(f"{caller.unfinished} calls are missing, so {out} is not written", hint=_AGAIN)
        rows = [json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for each in made for row in each.rows]
        write("".join(rows), out, error=Incomplete, hint=_AGAIN)
    counts: Counter[str] = Counter()
    for each in made:
        counts.update(each.counts)
    return {
        "out": str(out),
        "questions": len(questions),
        "with_rows": sum(bool(each.rows) for each in made),
        "rows": len(rows),
        "missing": dict(Counter(each.reason for each in made if not each.rows)),
        "counts": dict(counts),
        "calls": caller.spent.calls,
        "calls_saved": caller.saved,
        "tokens_in": caller.spent.tokens_in,
        "tokens_out": caller.spent.tokens_out,
        "errors": caller.failures,
    }


async def _made(recipe: Recipe, callers: Mapping[str, Calls], seed: int, question: Question) -> Made:
    try:
        return await recipe.make(question, callers, seed=seed)
    except CallFailed:
        return Made(reason="a model call failed")
    except Unavailable as unavailable:
        return Made(reason=str(unavailable))

"""Questions: banks made from facts that packages ship, and readers for files of your own.

A bank is a file of this folder: a frozen dataclass whose fields are its knobs, with `questions()`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any
from urllib.parse import parse_qsl

from doxa.errors import UsageError
from doxa.questions.facts.sampling import limited
from doxa.questions.readers import read, write_jsonl
from doxa.recordings import recordings, split
from doxa.registry import build, find
from doxa.types import Question

__all__ = ["bank", "load", "write_jsonl"]


def bank(name: str, **knobs: Any) -> list[Question]:
    """All questions of a bank, e.g. ``bank("capitals", n=20)``. Raises `UsageError` for an unknown bank or knob."""
    made: list[Question] = build("questions", name, **knobs).questions()
    return made


def load(spec: str, *, limit: int | None = None, seed: int = 0) -> Sequence[Question]:
    """Questions by their address.

    ``bank:capitals``, ``bank:capitals?n=20&seed=1`` (knobs), ``bank:capitals?n=20+elements`` (several, with knobs of
    their own), ``file.jsonl``, ``.csv``, ``.parquet``, ``hf://org/name[:config][@revision][/split]``, or another tool's
    log, ``lm_eval:samples.jsonl``, each of its prompts once.
    `limit` keeps that many, the same number of each bank as far as there are enough, chosen by hash of `seed` and id:
    not by their order in the file.
    Raises `UsageError` for what does not exist and `DataError` for files that are not what they should be.
    """
    if limit is not None and limit < 1:
        raise UsageError(f"limit must be at least 1, got {limit}", hint="leave it out for all questions")
    if split(spec):
        once = {one.question.messages: one.question for one in reversed(recordings(spec))}
        return limited(list(reversed(once.values())), limit, seed)
    if not spec.startswith("bank:"):
        return limited(read(spec), limit, seed)
    parts = [part.partition("?") for part in spec.removeprefix("bank:").split("+")]
    if len({name for name, _, _ in parts}) < len(parts):
        raise UsageError(f"{spec!r} names a bank twice", hint="each bank has its questions once")
    return limited(
        [question for name, _, query in parts for question in bank(name, **_knobs(name, query))], limit, seed
    )


def _knobs(name: str, query: str) -> dict[str, Any]:
    """The knobs of a query, each read as what its bank's default is: a number, a text, or texts with commas between."""
    knobs: dict[str, Any] = {}
    types = {field.name: str(field.type) for field in fields(find("questions", name))}
    for knob, value in parse_qsl(query, keep_blank_values=True):
        kind = types.get(knob, "str")
        try:
            knobs[knob] = int(value) if kind.startswith("int") else value
        except ValueError:
            raise UsageError(f"{knob} must be a whole number, got {value!r}", hint=f"bank:{name}?{knob}=20") from None
        if kind.startswith("tuple"):
            knobs[knob] = tuple(value.split(","))
    return knobs

"""Sides with several jobs: loaded once, each job timed on its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from side.playing import Turns


def timed(jobs: Mapping[str, Callable[[], Any]]) -> Callable[[], dict[str, Any]]:
    """A turn that does every job and returns, of each, its seconds and what it found: a number or a list."""

    def turn() -> dict[str, Any]:
        found = {}
        for name, job in jobs.items():
            start = time.perf_counter()
            value = job()
            took = time.perf_counter() - start
            found[name] = [took, value if isinstance(value, list) else float(value)]
        return found

    return turn


def seconds(turns: Turns) -> dict[str, tuple[float, ...]]:
    """Of each job, its seconds in every round."""
    return {job: tuple(answer[job][0] for answer in turns.answers) for job in turns.answers[0]}


def values(turns: Turns) -> dict[str, Any]:
    """Of each job, what it found in the first round."""
    return {job: value for job, (_, value) in turns.answers[0].items()}


def distance(a: Any, b: Any) -> float:
    """The greatest distance between numbers in the same places."""
    if isinstance(a, list):
        return max(distance(x, y) for x, y in zip(a, b, strict=True))
    return float(abs(a - b))

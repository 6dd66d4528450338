"""When to try again: pure rules, and a clock that tests can replace."""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

LONGEST_WAIT = 120.0
"""Seconds; a server that asks for more is asked again after this long."""


@dataclass(frozen=True)
class Clock:
    """Time and chance, as arguments."""

    now: Callable[[], float] = time.monotonic
    """Seconds that never run backwards: for durations."""
    date: Callable[[], float] = time.time
    """Seconds since 1970: for dates in headers."""
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    random: Callable[[], float] = random.random


def backoff(attempt: int, draw: float, *, first: float = 0.5, longest: float = 30.0) -> float:
    """Seconds to wait after failed attempt 1, 2, …: `draw` in [0, 1) times a doubling cap ("full jitter").

    Spreading over the whole interval keeps clients that failed together from coming back together.
    Source: Brooker 2015, "Exponential Backoff and Jitter" (AWS Architecture Blog).
    """
    return draw * min(longest, first * 2.0 ** min(attempt - 1, 30))


def requested_wait(headers: Mapping[str, str], date: float) -> float | None:
    """The wait a server asks for by `retry-after-ms` or `Retry-After` (seconds or an HTTP date), at most 120 s.

    `None` where there is no such header or it makes no sense (negative, infinite, not a number or date).
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return min(milliseconds / 1000.0, LONGEST_WAIT)
    text = headers.get("Retry-After")
    seconds = _number(text)
    if seconds is None and text is not None:
        seconds = _until(text, date)
    return None if seconds is None else min(seconds, LONGEST_WAIT)


def _number(text: str | None) -> float | None:
    """A finite number that is not negative, or nothing."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


def _until(text: str, date: float) -> float | None:
    """Seconds from `date` to an HTTP date; a past one is 0."""
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - date)
    except (ValueError, OverflowError):
        return None

"""Refusals for a minute: every item gets its answer, the waits are those asked for, and the way back is short (R9).

The client with its limiter and its retries is the real one, in virtual time; behind it stands a function in place of a
server, with answers that take two seconds.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from email.utils import formatdate
from typing import Any

import pytest

import virtual_time
from doxa.models.http.client import Client
from doxa.models.http.faults import read_body
from doxa.models.http.retry import Clock
from doxa.types import Failure

LATENCY, BURST, END = 2.0, 90.0, 150.0
TODAY = 1_700_000_000.0


class Refusing(Client):
    """A client whose server refuses a share of all requests between two moments."""

    def prepare(self, share: float, headers: dict[str, str], start: float = BURST, end: float = END) -> None:
        self.sent: list[tuple[float, Any]] = []
        self._chance, self._share, self._headers, self._span = random.Random(5), share, headers, (start, end)

    async def _attempt(self, session: Any, method: str, path: str, payload: Any, seconds: float) -> Any:
        now = self.clock.now()
        self.sent.append((now, payload["item"]))
        await asyncio.sleep(LATENCY)
        if self._span[0] <= now < self._span[1] and self._chance.random() < self._share:
            return read_body(429, self._headers, b"", self.clock.date())
        return {"choices": []}


def client(share: float, headers: dict[str, str], **span: float) -> Refusing:
    loop, chance = asyncio.get_running_loop(), random.Random(3)
    clock = Clock(loop.time, lambda: TODAY + loop.time(), asyncio.sleep, chance.random)
    made = Refusing("http://127.0.0.1:1/v1", "NO_KEY", timeout=60, max_connections=50, max_attempts=8, clock=clock)
    made.prepare(share, headers, **span)
    return made


async def crowd(share: float, headers: dict[str, str]) -> tuple[list[Any], list[tuple[float, float]], Refusing]:
    """What became of each item, the limit at every change of it, and the client."""
    asked, limits = client(share, headers), []

    async def one(item: int) -> Any:
        answer = await asked.call("POST", "chat", {"item": item})
        limit = asked._link().limiter.limit
        if not limits or limits[-1][1] != limit:
            limits.append((asked.clock.now(), limit))
        return answer

    answers = await asyncio.gather(*(one(item) for item in range(5000)))
    await asked.close()
    return answers, limits, asked


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "2"}, {"retry-after-ms": "300"}])
def test_a_minute_of_refusals_costs_little_and_is_soon_over(headers: dict[str, str]) -> None:
    answers, limits, asked = virtual_time.run(crowd(0.3, headers))
    assert not any(isinstance(answer, Failure) for answer in answers)

    def at(moment: float) -> float:
        return next(limit for when, limit in reversed(limits) if when <= moment)

    cuts = [when for (_, before), (when, after) in itertools.pairwise(limits) if after < before]
    assert at(BURST) == 50
    assert 1 <= len(cuts) <= 60 / 15 + 1  # one for every fifteen seconds of refusals
    assert all(later - earlier >= 14 for earlier, later in itertools.pairwise(cuts))
    assert at(END + 60) >= 0.9 * at(BURST)

    begun = {item: when for when, item in reversed(asked.sent)}
    after = [item for when, item in asked.sent if begun[item] >= END]
    assert len(set(after)) > 500
    assert len(after) <= 1.10 * len(set(after))


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry-after-ms": "1500"}, 1.5),
        ({"Retry-After": "2"}, 2.0),
        ({"Retry-After": formatdate(TODAY + 9, usegmt=True)}, 7.0),
        ({"Retry-After": "3600"}, 120.0),
    ],
)
def test_the_wait_is_the_one_asked_for_up_to_two_minutes(headers: dict[str, str], wait: float) -> None:
    assert virtual_time.run(first_wait(headers)) == wait


@pytest.mark.parametrize("text", ["inf", "-1", "soon", "nan", ""])
def test_a_wait_that_makes_no_sense_is_drawn_instead(text: str) -> None:
    assert 0 <= virtual_time.run(first_wait({"Retry-After": text})) < 0.5


async def first_wait(headers: dict[str, str]) -> float:
    """Seconds between a refusal and the next attempt."""
    asked = client(1.0, headers, start=0.0, end=1.0)
    await asked.call("POST", "chat", {"item": 0})
    await asked.close()
    (first, _), (second, _) = asked.sent
    return second - first - LATENCY

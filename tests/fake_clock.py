"""A clock that jumps where a program would sleep."""

import asyncio
from dataclasses import dataclass, field

from doxa.models.http.retry import Clock


@dataclass
class FakeClock:
    seconds: float = 1000.0
    date: float = 1_700_000_000.0
    draw: float = 0.5
    slept: list[float] = field(default_factory=list)

    def clock(self) -> Clock:
        return Clock(now=lambda: self.seconds, date=lambda: self.date, sleep=self.sleep, random=lambda: self.draw)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds
        await asyncio.sleep(0)

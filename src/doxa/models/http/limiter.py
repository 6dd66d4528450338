"""How many calls are in flight at once: found out from the server, not configured."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

DEBOUNCE = 15.0
"""Seconds after a cut in which further refusals belong to the same burst, and the limit does not grow."""
TOLERATED = 1 / 12
"""Share of refusals that is put up with: some servers refuse a few calls however little they have to do."""
_MEMORY = 64
"""Calls over which that share is taken, the last ones weighing most."""


class Limiter:
    """A semaphore whose size adapts: ×0.8 once per burst of refusals, +10 % per round of successes in quiet times.

    Until the first cut, or the maximum, it doubles every round; that cut takes the last doubling back. Use as
    `async with limiter`; waiters are served in order. One event loop only.
    Sources: Jacobson 1988 (slow start); Chiu & Jain 1989 (additive increase, multiplicative decrease); here the
    increase is a share of the limit, so that the way back takes as many rounds at 10 calls as at 100.
    """

    def __init__(self, *, start: int, maximum: int, now: Callable[[], float]) -> None:
        self.limit = float(min(start, maximum))
        self._maximum = float(maximum)
        self._doubling = self.limit < self._maximum
        self._refused = 0.0
        self._now = now
        self._active = 0
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._last_cut = now() - DEBOUNCE

    def succeeded(self) -> None:
        """Grow, if the limit is what holds calls back and the last burst is over."""
        self._refused -= self._refused / _MEMORY
        held_back = self._active >= int(self.limit)
        if held_back and self._refused <= TOLERATED and self._now() - self._last_cut >= DEBOUNCE:
            self.limit = min(self._maximum, self.limit + (1.0 if self._doubling else 0.1))
            self._doubling = self._doubling and self.limit < self._maximum

    def throttled(self) -> None:
        """Shrink, once per burst."""
        self._refused += (1 - self._refused) / _MEMORY
        if self._refused > TOLERATED and self._now() - self._last_cut >= DEBOUNCE:
            self._last_cut = self._now()
            self.limit = max(1.0, self.limit * (0.5 if self._doubling else 0.8))
            self._doubling = False

    async def __aenter__(self) -> None:
        """Wait for a place."""
        if self._active < int(self.limit) and not self._waiters:
            self._active += 1
            return
        place = asyncio.get_running_loop().create_future()
        self._waiters.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self._leave()  # the place had been handed over already
            raise

    async def __aexit__(self, *exc: object) -> None:
        """Give the place to the next."""
        self._leave()

    def _leave(self) -> None:
        self._active -= 1
        while self._waiters and self._active < int(self.limit):
            place = self._waiters.popleft()
            if not place.done():
                self._active += 1
                place.set_result(None)

"""A request on its way: callers of any event loop wait for it, one worker thread answers it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Hashable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from doxa.types import Request


@dataclass(eq=False)
class Job:
    """One request of one kind; equal requests that are under way at the same time share a job."""

    kind: str
    request: Request
    layers: tuple[int, ...] = ()
    _waiters: list[asyncio.Future[Any]] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)
    _closed: bool = False

    @property
    def key(self) -> Hashable:
        """What makes two jobs the same."""
        return self.kind, self.request, self.layers

    def join(self) -> asyncio.Future[Any] | None:
        """A future of the running event loop for the answer; `None` if the job is over and must be asked anew."""
        with self._lock:
            if self._closed:
                return None
            self._waiters.append(asyncio.get_running_loop().create_future())
            return self._waiters[-1]

    def leave(self, waiter: asyncio.Future[Any]) -> None:
        """A caller goes, answered or cancelled."""
        with self._lock, contextlib.suppress(ValueError):
            self._waiters.remove(waiter)

    def abandoned(self) -> bool:
        """Has every caller gone? Then the job is over."""
        with self._lock:
            self._closed = self._closed or not self._waiters
            return self._closed

    def finish(self, result: Any = None, error: BaseException | None = None) -> None:
        """Hand the answer, or the error, to everybody who waits. Called from the worker thread."""
        with self._lock:
            self._closed = True
            waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            with contextlib.suppress(RuntimeError):  # the loop is closed: whoever waited has gone with it
                waiter.get_loop().call_soon_threadsafe(_settle, waiter, result, error)


def _settle(waiter: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if waiter.done():
        return
    if error is None:
        waiter.set_result(result)
    else:
        waiter.set_exception(error)

"""One JSON call over HTTP: bounded retries under an adaptive limit, a session per event loop."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import msgspec

from doxa.errors import Refused, UsageError
from doxa.models.http.faults import Fault, is_stream, one_line, read_body
from doxa.models.http.limiter import Limiter
from doxa.models.http.reading import JSON
from doxa.models.http.retry import Clock, backoff
from doxa.types import Failure

LARGEST = 1 << 26
"""Bytes of an answer that are read: several times what 10,000 tokens with 20 alternatives each take."""
START = 16
"""Calls in flight before anything is known about the server."""


@dataclass(frozen=True)
class _Link:
    """What belongs to one event loop."""

    session: aiohttp.ClientSession
    limiter: Limiter
    keeper: asyncio.Task[None]
    refusals: list[Refused] = field(default_factory=list)


@dataclass(eq=False)
class Client:
    """Calls to one server. The key is read from the environment at each call and kept nowhere.

    Sessions belong to event loops: each loop gets its own at its first call, and a task that closes it when the loop
    ends or `close` is called; so one client serves any number of `asyncio.run`.
    """

    base_url: str
    key_variable: str
    timeout: float
    """Seconds for one attempt."""
    max_connections: int
    max_attempts: int
    """Tries of one call; twice as many where the server only asks to wait (429)."""
    clock: Clock = field(default_factory=Clock)
    patience: float = 600.0
    """Seconds for one call with all its attempts and waits."""
    _proxy: str | None = field(default=None, init=False, repr=False)
    _links: dict[asyncio.AbstractEventLoop, _Link] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        """Check the address and the limits. Raises `UsageError`."""
        for knob, least in (("max_connections", 1), ("max_attempts", 1), ("timeout", 0), ("patience", 0)):
            value = getattr(self, knob)
            if not (value >= least and value):  # NaN is none either
                hint = "give at least 1" if least else "give more than 0 seconds"
                raise UsageError(f"{knob}={value!r} lets no call through", hint=hint)
        try:
            parts = urlsplit(self.base_url)
            good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            good = False
        if "@" in self.base_url:
            raise UsageError("the base URL holds a user name or password", hint=f"put the key in {self.key_variable}")
        if not good:
            raise UsageError(f"{self.base_url!r} is not the address of a server", hint="http://localhost:8000/v1")
        self.base_url = self.base_url.rstrip("/")
        # Looked up once: aiohttp's own `trust_env` does so in a thread at every request, and reads ~/.netrc for keys.
        self._proxy = None if proxy_bypass(parts.netloc) else getproxies().get(parts.scheme)

    async def call(self, method: str, path: str, payload: JSON | None = None) -> JSON | Failure:
        """The server's JSON object, or the failure that remains after all attempts.

        A call holds its place in the limiter while it waits: a server that refuses thus sees fewer calls, not the
        whole queue in turn. Raises `Refused` where no call can succeed.
        """
        link = self._link()
        refused = len(link.refusals)
        async with link.limiter:
            end = self.clock.now() + self.patience
            attempt = 0
            while True:
                if len(link.refusals) > refused:  # another was, while this one waited
                    raise Refused(str(link.refusals[-1]), hint=link.refusals[-1].hint)
                attempt += 1
                seconds = min(self.timeout, max(0.001, end - self.clock.now()))
                try:
                    answer = await self._attempt(link.session, method, path, payload, seconds)
                except Refused as error:
                    link.refusals.append(error)
                    raise
                if not isinstance(answer, Fault):
                    link.limiter.succeeded()
                    return answer
                if answer.busy:
                    link.limiter.throttled()
                wait = backoff(attempt, self.clock.random()) if answer.wait is None else answer.wait
                # To be asked to wait is no failure yet: where 30 % are refused, one call in 15,000 is eight times over.
                tries = self.max_attempts * (2 if answer.kind == "rate_limited" else 1)
                if not answer.retry or attempt >= tries or self.clock.now() + wait >= end:
                    return Failure(answer.kind, answer.message, answer.retry, attempt)
                await self.clock.sleep(wait)

    async def close(self) -> None:
        """Close the running loop's session; those of other loops close with their loops."""
        link = self._links.get(asyncio.get_running_loop())
        if link is not None:
            link.keeper.cancel()
            await asyncio.gather(link.keeper, return_exceptions=True)

    async def _attempt(
        self, session: aiohttp.ClientSession, method: str, path: str, payload: JSON | None, seconds: float
    ) -> JSON | Fault:
        """One request. A late answer cannot arrive: running out of time closes its connection."""
        key = self._key()
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
        data = None if payload is None else msgspec.json.encode(payload)
        limit = aiohttp.ClientTimeout(total=seconds)
        url = f"{self.base_url}/{path}"
        broken = "connection"
        try:
            async with session.request(
                method, url, data=data, headers=headers, timeout=limit, allow_redirects=False, proxy=self._proxy
            ) as response:
                broken = "truncated_stream" if is_stream(response.headers) else broken
                body = await _whole(response)
        except TimeoutError:
            return Fault("timeout", f"no answer within {seconds:g} s", retry=True)
        except (aiohttp.ClientError, OSError) as error:
            lasting = isinstance(error, aiohttp.ClientConnectorCertificateError)
            return Fault(broken, _broken(error), retry=not lasting)
        if body is None:
            return Fault("too_long", f"the server's answer is longer than {LARGEST >> 20} MB")
        if key and (response.status != 200 or b'"choices"' not in body or b'"error"' in body):
            body = body.replace(key.encode(), b"[key]")  # such a body is quoted in errors only
        return read_body(response.status, response.headers, body, self.clock.date())

    def _key(self) -> str:
        """The key, "" if there is none. Raises `UsageError` for one that no header can carry."""
        key = os.environ.get(self.key_variable, "").strip()
        if not (key.isascii() and key.isprintable()):
            raise UsageError(f"{self.key_variable} holds characters that no key has", hint="copy the key again")
        return key

    def _link(self) -> _Link:
        """The running loop's session and limiter."""
        loop = asyncio.get_running_loop()
        link = self._links.get(loop)
        if link is None:
            session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar()
            )
            limiter = Limiter(start=START, maximum=self.max_connections, now=self.clock.now)
            link = self._links[loop] = _Link(session, limiter, loop.create_task(self._keep(loop, session)))
        return link

    async def _keep(self, loop: asyncio.AbstractEventLoop, session: aiohttp.ClientSession) -> None:
        """Hold the session until this task is cancelled: by `close`, or by the end of its loop."""
        try:
            await loop.create_future()
        finally:
            self._links.pop(loop, None)
            await session.close()


async def _whole(response: aiohttp.ClientResponse) -> bytes | None:
    """The body, or nothing where it is longer than `LARGEST`: streams may have no end, and little unpack to much."""
    pieces, size = list[bytes](), 0
    async for piece in response.content.iter_any():
        size += len(piece)
        if size > LARGEST:
            return None
        pieces.append(piece)
    return b"".join(pieces)


def _broken(error: Exception) -> str:
    """What went wrong with a connection, in words."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"there is no host {error.host}"
    if isinstance(error, aiohttp.ClientConnectorError) and error.os_error.errno:
        return f"cannot connect to {error.host}:{error.port}: {os.strerror(error.os_error.errno)}"
    return one_line(str(error) or type(error).__name__)

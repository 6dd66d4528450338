"""Any server that speaks OpenAI's chat completions: `openai/NAME`."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar
from urllib.parse import urlsplit

from doxa.errors import Refused, UsageError
from doxa.models.http.client import Client
from doxa.models.http.dialect import Dialect, seed_of
from doxa.models.http.parsing import outcomes
from doxa.models.http.reading import JSON
from doxa.models.http.retry import Clock
from doxa.types import Capabilities, Failure, Outcome, Request

HOME = "https://api.openai.com/v1"
KEY = "OPENAI_API_KEY"
USUAL = Capabilities(logprobs=True, top_logprobs=20, seed=True, n=True)
_NO_SUCH_MODEL = re.compile(r"model.*not (exist|found)|no such model", re.I)
_T = TypeVar("_T")


@dataclass(eq=False)
class OpenAI:
    """A model behind an OpenAI-compatible server (OpenAI, vLLM, llama.cpp, Ollama, `transformers serve`, …).

    The address is `base_url`, else `OPENAI_BASE_URL`, else OpenAI's; the key is `OPENAI_API_KEY` and nothing else.
    Requests run together under a limit that adapts to the server, with at most `max_attempts` tries each. Complaints
    that can be met are met and remembered: `max_completion_tokens`, the most `top_logprobs`, no log-probabilities at
    all (replies then have `tokens=None`, as where the server ignores the wish), one choice per call. A stream of events
    is read wherever the server sends one, asked to or not; one that breaks off is a failure, never a short answer.

    Where the server ignores `n`, the other choices are further calls with seeds derived from the request's.

    Teacher forcing, statistics, decoding rules and tools have no place in this protocol: `Failure("unsupported")`.
    Raises `Refused` without a key for OpenAI itself, and where the server refuses key, permission or quota;
    `UsageError` where it has no such model.
    """

    name: str
    base_url: str = field(default_factory=lambda: os.environ.get("OPENAI_BASE_URL") or HOME)
    timeout: float = 120.0
    """Seconds for one attempt."""
    max_connections: int = 100
    max_attempts: int = 8
    patience: float = 600.0
    """Seconds for one call with all its attempts and waits: no run lasts longer than that after its last answer."""
    stream: bool = False
    """Ask for answers as streams of events, for servers that give no others; they are read whole either way."""
    offers: Capabilities = USUAL
    """What to expect of the server; `doxa doctor` finds out. With `prefill` the last message is the assistant's."""
    _clock: Clock = field(default_factory=Clock, repr=False)
    _client: Client = field(init=False, repr=False)
    _dialect: Dialect = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Prepare the client; nothing is sent. Raises `UsageError` for an address, or a limit, that is none."""
        self._client = Client(
            base_url=self.base_url,
            key_variable=KEY,
            timeout=self.timeout,
            max_connections=self.max_connections,
            max_attempts=self.max_attempts,
            patience=self.patience,
            clock=self._clock,
        )
        self.base_url = self._client.base_url
        self._dialect = Dialect(several=self.offers.n, stream=self.stream)

    @property
    def capabilities(self) -> Capabilities:
        """What is offered, as far as known by now."""
        known, top = self._dialect, self.offers.top_logprobs
        logprobs = self.offers.logprobs and known.logprobs
        most = top if known.most_top is None else min(top, known.most_top)
        return replace(self.offers, n=known.several, logprobs=logprobs, top_logprobs=most if logprobs else 0)

    @property
    def fingerprint(self) -> str:
        """The endpoint and the name; what stands behind a name, only the server knows."""
        return f"openai:{self.name}@{self.base_url}"

    async def generate(self, requests: Sequence[Request]) -> list[list[Outcome]]:
        """Answer each request `n` times."""
        if urlsplit(self.base_url).hostname == "api.openai.com" and not os.environ.get(KEY, "").strip():
            raise Refused(f"{KEY} is not set", hint=f"export {KEY}=…, or OPENAI_BASE_URL for a server of your own")
        return await _together(self._answers(request) for request in requests)

    async def score(self, requests: Sequence[Request]) -> list[Outcome]:
        """Teacher forcing is not part of the protocol: every outcome is a failure that says so."""
        return [Failure("unsupported", "a chat server cannot score a given answer") for _ in requests]

    def phrase(self, request: Request) -> JSON | Failure:
        """What a call for one answer would send, or why the protocol cannot carry the request."""
        reason = self._unsupported(request)
        if reason:
            return Failure("unsupported", reason)
        return replace(self._dialect, stream=False).body(self.name, request, n=1, seed=request.seed)

    def heed(self, complaint: Failure, sent: JSON) -> None:
        """Learn from a complaint about what was sent how the server wants its requests."""
        self._dialect.learn(complaint.message.partition(": ")[2], sent)

    async def close(self) -> None:
        """Close the connections of the running event loop."""
        await self._client.close()

    async def _answers(self, request: Request) -> list[Outcome]:
        """`n` outcomes of one request: in one call if the server can, topped up by calls of one."""
        reason = self._unsupported(request)
        if reason:
            return [Failure("unsupported", reason)] * request.n
        found: list[Outcome] = []
        if request.n > 1 and self._dialect.several:
            answer = await self._call(request, request.n, request.seed)
            if isinstance(answer, Failure):
                return [answer] * request.n
            found = answer[: request.n]
            self._dialect.several = self._dialect.several and len(answer) >= request.n
        missing = range(len(found), request.n)
        rest = await _together(self._call(request, 1, seed_of(request.seed, index)) for index in missing)
        return [*found, *(one if isinstance(one, Failure) else one[0] for one in rest)]

    async def _call(self, request: Request, n: int, seed: int | None) -> list[Outcome] | Failure:
        """One call, phrased as the server wants it."""
        body = self._dialect.body(self.name, request, n=n, seed=seed)
        while True:
            answer = await self._client.call("POST", "chat/completions", body)
            if not isinstance(answer, Failure):
                return outcomes(answer)
            if answer.kind == "not_found" and _NO_SUCH_MODEL.search(answer.message):
                raise UsageError(f"no model {self.name!r} at {self.base_url}: {answer.message}", hint="check the name")
            if answer.kind == "bad_request":
                self.heed(answer, body)
            sent, body = body, self._dialect.body(self.name, request, n=n, seed=seed)
            if answer.kind != "bad_request" or body == sent:
                return answer

    def _unsupported(self, request: Request) -> str:
        """Why the protocol cannot carry this request, or ""."""
        if request.prefill and not self.offers.prefill:
            return "the server is not known to continue a started answer (see doxa doctor)"
        asked = {"statistics": request.statistics, "decoding": request.decoding, "tools": request.tools}
        named = ", ".join(name for name, value in asked.items() if value)
        return f"a chat server has no {named}" if named else ""


async def _together(calls: Iterable[Awaitable[_T]]) -> list[_T]:
    """Results of all; the first error, or being cancelled, cancels the others and waits until they are gone."""
    awaited = list(calls)
    if len(awaited) < 2:  # nothing to run side by side, so no task is made: this is the usual case
        return [await call for call in awaited]
    tasks = [asyncio.ensure_future(call) for call in awaited]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

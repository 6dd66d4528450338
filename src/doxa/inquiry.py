"""One question (or one exchange) put to one model: the asks that everything else uses.

An `Inquiry` knows the question as the model sees it, never the accepted answers. Every ask is remembered, so that two
estimators that need the same ten samples cost ten samples once; `for_estimator` gives a view that keeps its own bill of
what an estimator would have cost alone.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, cast

from doxa.errors import CallFailed, DoxaError, Unavailable, UsageError
from doxa.journal import Journal, key_of
from doxa.prices import Price
from doxa.text import encodable
from doxa.types import (
    Capabilities,
    Embedder,
    Entailer,
    Entailment,
    Failure,
    Kind,
    Message,
    Model,
    Options,
    Outcome,
    Passage,
    Reply,
    Request,
    Retriever,
    Token,
    Usage,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NO_ENTAILER = "there is no entailment service: one comes with --entailment judge"
NO_EMBEDDER = "there is no embedding service: one comes with --embedding minilm"
NO_RETRIEVER = "there are no documents: they come with --documents FOLDER"
_SAMPLE_BITS = 10
_UNAVAILABLE_KINDS = frozenset({"unsupported", "not_recorded"})


def derive_seed(*parts: object) -> int:
    """A 31-bit seed from the parts' text; the low ten bits are left free for the number of a sample."""
    digest = hashlib.blake2b("\x1f".join(str(part) for part in parts).encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "little") % (1 << (31 - _SAMPLE_BITS))) << _SAMPLE_BITS


def sample_number(seed: int) -> int:
    """The number of a sample that its seed carries."""
    return seed % (1 << _SAMPLE_BITS)


class Calls(Protocol):
    """Where requests go: a model behind a journal."""

    @property
    def capabilities(self) -> Capabilities:
        """What the model offers."""
        ...

    async def call(self, request: Request) -> Outcome:
        """The answer to one request (`n == 1`), journalled."""
        ...

    async def hidden(self, request: Request, layers: Sequence[int]) -> NDArray[np.float32]:
        """Hidden states (layers, tokens, width) of a request's prompt and continuation; not journalled."""
        ...


@dataclass(slots=True)
class Budget:
    """A hard limit shared by the callers of a run: nothing further is asked once it is reached."""

    max_calls: int | None = None
    max_cost: float | None = None
    calls: int = 0
    cost: float | None = 0.0
    """USD so far; `None` once a server did not say how many tokens it used."""
    closed: bool = False

    def take(self) -> bool:
        """Whether one more call may be made; counts it."""
        if self.closed or (self.max_calls is not None and self.calls >= self.max_calls):
            return False
        if self.max_cost is not None and self.cost is not None and self.cost >= self.max_cost:
            return False
        self.calls += 1
        return True

    def spend(self, cost: float | None) -> None:
        """Add the cost of a call. Raises `UsageError` when it is unknown although cost is limited."""
        if cost is None and self.max_cost is not None:
            raise UsageError("the server does not report tokens, so cost is unknown", hint="limit by --max-calls")
        self.cost = None if cost is None or self.cost is None else self.cost + cost


class Caller:
    """A model behind a journal: asks the journal first, shares what is under way, records what was paid for."""

    def __init__(
        self,
        model: Model,
        journal: Journal | None = None,
        *,
        budget: Budget | None = None,
        price: Price | None = None,
    ) -> None:
        """Put `model` behind `journal`; once `budget` is used up every further call fails as `budget`.

        A call keeps its place among the model's `max_connections`, where it has such, until its answer is recorded:
        that many calls at most are paid for in vain when the process is killed.
        """
        self.model = model
        self.identity = f"{model.fingerprint}\n{model.base_url}"
        self.spent = Usage()
        self.saved = 0
        self.failures: dict[str, int] = {}
        self.unfinished = 0
        self.returned: set[str] = set()
        self._budget = budget or Budget()
        self._price = price
        self._journal = journal
        self._under_way: dict[bytes, asyncio.Task[Outcome]] = {}
        places = getattr(model, "max_connections", None)
        self._places: AbstractAsyncContextManager[Any] = asyncio.Semaphore(places) if places else nullcontext()

    @property
    def capabilities(self) -> Capabilities:
        """What the model offers."""
        return self.model.capabilities

    async def call(self, request: Request) -> Outcome:
        """The answer to one request, from the journal or from the model."""
        key = key_of(self.identity, request)
        recorded = self._journal.get(key) if self._journal else None
        if recorded is not None:
            self.saved += 1
            self.returned.add(recorded.model)
            return recorded
        task = self._under_way.get(key)
        if task is None:
            task = _shared(self._pay(key, request))
            self._under_way[key] = task
            task.add_done_callback(lambda _: self._under_way.pop(key, None))
        return await asyncio.shield(task)

    async def hidden(self, request: Request, layers: Sequence[int]) -> NDArray[np.float32]:
        """Hidden states from the model, which must be one that shows them."""
        states = await cast(Any, self.model).hidden([request], list(layers))
        return cast("NDArray[np.float32]", states[0])

    async def _pay(self, key: bytes, request: Request) -> Outcome:
        async with self._places:
            if not self._budget.take():
                self.unfinished += 1
                return Failure("budget", "the limit of calls or of cost is reached")
            try:
                return await self._bought(key, request)
            except DoxaError:
                # What no request can get, or no journal can keep, is not asked for by those that wait.
                self._budget.closed = True
                raise

    async def _bought(self, key: bytes, request: Request) -> Outcome:
        if request.continuation is None:
            outcome = (await self.model.generate([request]))[0][0]
        else:
            outcome = (await self.model.score([request]))[0]
        if isinstance(outcome, Failure):
            self.failures[outcome.kind] = self.failures.get(outcome.kind, 0) + 1
            self.unfinished += outcome.retryable
            return outcome
        outcome = _encodable(outcome)
        self.spent += outcome.usage
        self.returned.add(outcome.model)
        if self._journal is not None:
            await self._journal.put(key, self.identity, request, outcome)
        if self._price is not None:
            self._budget.spend(self._price.cost(outcome.usage))
        return outcome

    async def drain(self, seconds: float) -> None:
        """Ask nothing further; let the calls under way arrive and be recorded, and cancel what takes longer."""
        self._budget.closed = True
        under_way = list(self._under_way.values())
        if under_way:
            _, late = await asyncio.wait(under_way, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)


@dataclass(frozen=True, slots=True)
class Asking:
    """How a run asks: the settings that all its inquiries share."""

    seed: int = 0
    temperature: float = 0.0
    max_tokens: int = 64
    top_logprobs: int | None = None
    statistics: tuple[str, ...] = ()
    decoding: str | None = None


@dataclass(frozen=True, slots=True)
class Services:
    """What inquiries may use besides models; `None` where there is no such service."""

    entailer: Entailer | None = None
    embedder: Embedder | None = None
    retriever: Retriever | None = None


@dataclass(slots=True)
class Inquiry:
    """The asks an estimator may make about one question. It holds nothing of the accepted answers."""

    id: str
    messages: tuple[Message, ...]
    callers: Mapping[str, Calls]
    kind: Kind = "open"
    choices: tuple[str, ...] = ()
    context: str | None = None
    asking: Asking = Asking()
    services: Services = Services()
    bill: dict[object, Usage] = field(default_factory=dict)
    _memo: dict[object, asyncio.Task[Any]] = field(default_factory=dict)

    @classmethod
    def over(cls, messages: Sequence[Message], reply: Reply, callers: Mapping[str, Calls] | None = None) -> Inquiry:
        """An inquiry about an exchange that already happened: `reply()` is given, all else is asked as usual."""
        inquiry = cls(id="exchange", messages=tuple(messages), callers=callers or {})

        async def given() -> Outcome:
            return reply

        inquiry._memo["reply"] = asyncio.ensure_future(given())
        return inquiry

    def for_estimator(self) -> Inquiry:
        """A view with the same memory and a bill of its own."""
        return replace(self, bill={})

    @property
    def usage(self) -> Usage:
        """What this view's asks would have cost had nothing been shared."""
        return sum(self.bill.values(), Usage())

    # -- the asks ------------------------------------------------------------------------------------------------------

    async def reply(self) -> Reply:
        """The answer under judgement. Raises `CallFailed` when the model gave none."""
        return _arrived(await self.outcome())

    async def outcome(self) -> Outcome:
        """The answer under judgement, or the failure in its place."""
        asking = self.asking
        request = self._request(
            self.messages,
            temperature=asking.temperature,
            top_logprobs=asking.top_logprobs,
            statistics=asking.statistics,
            decoding=asking.decoding,
            seed=derive_seed(asking.seed, self.id, "reply") if asking.temperature > 0 else None,
        )
        return cast(Outcome, await self._once("reply", lambda: self._caller("subject").call(request)))

    async def samples(
        self, n: int, *, temperature: float = 1.0, top_p: float = 1.0, decoding: str | None = None
    ) -> list[Reply]:
        """`n` further answers, independent of `reply()`; the first k of n are the same whatever n is.

        Raises `CallFailed` when any of them failed: a share of fewer samples would be another estimator; `Unavailable`
        where the model has no such decoding; `UsageError` for no samples, or more than have seeds of their own.
        """
        _check_number(n)
        caller = self._caller("subject")
        if decoding is not None and decoding not in caller.capabilities.decodings:
            raise Unavailable(f"the model has no {decoding} decoding")
        seed = derive_seed(self.asking.seed, self.id, "samples")
        top_logprobs = None if self.asking.top_logprobs is None else 0
        common = self._request(
            self.messages,
            temperature=temperature,
            top_p=top_p,
            top_logprobs=top_logprobs,
            decoding=decoding,
            seed=seed,
        )
        requests = [replace(common, seed=seed + number) for number in range(n)]
        outcomes = await asyncio.gather(*(self._once(each, partial(caller.call, each)) for each in requests))
        return [_arrived(outcome) for outcome in outcomes]

    async def draws(
        self, messages: Sequence[Message], n: int, *, temperature: float = 1.0, role: str = "subject", **fields: Any
    ) -> list[Reply]:
        """`n` answers drawn to any messages, as `ask` asks them; the first k of n are the same whatever n is.

        Raises `CallFailed` when any of them failed, `UsageError` as `samples`.
        """
        _check_number(n)
        seed = derive_seed(self.asking.seed, self.id, role, "draws", tuple(messages))
        asked = (self.ask(messages, role=role, temperature=temperature, seed=seed + i, **fields) for i in range(n))
        return list(await asyncio.gather(*asked))

    async def ask(self, messages: Sequence[Message], *, role: str = "subject", **fields: Any) -> Reply:
        """Any follow-up; `fields` are those of `Request` (greedy and 64 tokens unless said otherwise)."""
        request = self._request(tuple(messages), **fields)
        if request.temperature > 0 and request.seed is None:
            request = replace(request, seed=derive_seed(self.asking.seed, self.id, role, request.messages))
        caller = self._caller(role)
        return _arrived(await self._once((role, request), lambda: caller.call(request)))

    async def options(
        self, messages: Sequence[Message], options: Sequence[str], *, prefill: str = "", role: str = "subject"
    ) -> Options:
        """Probability of each option as the start of the assistant's turn, normalised over the options.

        Teacher-forces every option where the model can; otherwise reads single-token options off the likeliest
        alternatives of the first token. `mass` keeps the raw sum.
        """
        caller = self._caller(role)
        if caller.capabilities.score:
            forced = await asyncio.gather(
                *(self.logprobs(messages, option, prefill=prefill, role=role) for option in options)
            )
            return _options(options, [_total(tokens) for tokens in forced], tuple(forced))
        top = caller.capabilities.top_logprobs
        if top == 0:
            raise Unavailable("the model gives neither teacher forcing nor alternatives of a token")
        first = await self.ask(messages, role=role, prefill=prefill, max_tokens=1, top_logprobs=top)
        return _options(options, _first_token(first, options), ())

    async def logprobs(
        self, messages: Sequence[Message], text: str, *, prefill: str = "", role: str = "subject"
    ) -> tuple[Token, ...]:
        """Tokens of `text` with their log-probabilities, teacher-forced as the assistant's turn after `prefill`."""
        caller = self._caller(role)
        if not caller.capabilities.score:
            raise Unavailable("the model does not score a given text")
        request = Request(tuple(messages), prefill=prefill, top_logprobs=0, continuation=text)
        reply = _arrived(await self._once((role, request), lambda: caller.call(request)))
        if reply.tokens is None:
            raise Unavailable("the model gave no log-probabilities")
        return reply.tokens

    async def hidden(
        self, messages: Sequence[Message], layers: Sequence[int], *, text: str = "", last: bool = False
    ) -> NDArray[np.float32]:
        """Hidden states (layers, tokens, width) of the prompt, followed by those of `text` as the assistant's turn.

        White-box models only; never journalled. Texts asked for together share the prompt's computation. With `last`
        the last token alone: what is remembered is then a few kilobytes, whatever the prompt's length.
        """
        caller = self._caller("subject")
        if not caller.capabilities.hidden:
            raise Unavailable("the model does not show its hidden states")
        request = Request(tuple(messages), continuation=text or None)

        async def read() -> NDArray[np.float32]:
            states = await caller.hidden(request, layers)
            return states[:, -1:].copy() if last else states

        return cast("NDArray[np.float32]", await self._once(("hidden", request, tuple(layers), last), read))

    async def entail(self, pairs: Sequence[tuple[str, str]]) -> list[Entailment]:
        """Whether each pair's first text entails its second. Raises `Unavailable` without an entailment service."""
        if self.services.entailer is None:
            raise Unavailable(NO_ENTAILER)
        return await self.services.entailer.entail(self, pairs) if pairs else []

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors (texts, width) of length 1. Raises `Unavailable` without an embedding service."""
        if self.services.embedder is None:
            raise Unavailable(NO_EMBEDDER)
        return await self.services.embedder.embed(texts)

    async def retrieve(self, query: str, k: int = 5) -> list[Passage]:
        """At most `k` passages of the documents that fit `query`. Raises `Unavailable` without documents.

        What was found is in the requests that hold it and so in the journal; looking for it again costs nothing.
        """
        retriever = self.services.retriever
        if retriever is None:
            raise Unavailable(NO_RETRIEVER)
        return cast("list[Passage]", await self._once(("retrieve", query, k), lambda: retriever.retrieve(query, k)))

    # -- behind them ---------------------------------------------------------------------------------------------------

    def _caller(self, role: str) -> Calls:
        if role not in self.callers:
            raise Unavailable(f"no model in the role of {role}")
        return self.callers[role]

    def _request(self, messages: tuple[Message, ...], **fields: Any) -> Request:
        return Request(messages, **{"max_tokens": self.asking.max_tokens, **fields})

    async def _once(self, key: object, work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        """Do `work` unless it was done under `key`; either way it goes on this view's bill."""
        task = self._memo.get(key)
        if task is None:
            task = self._memo[key] = _shared(work())
        result = await asyncio.shield(task)
        if isinstance(result, Reply):
            self.bill[key] = result.usage
        return result


def _check_number(n: int) -> None:
    """Raise `UsageError` for no samples, or more than have seeds of their own."""
    if not 1 <= n <= 1 << _SAMPLE_BITS:
        raise UsageError(f"{n} samples of one question", hint=f"from 1 to {1 << _SAMPLE_BITS}")


def _shared(work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    """A task that several may await, or none after all: its exception then concerns nobody and is not reported."""
    task = asyncio.ensure_future(work)
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    return task


def _encodable(reply: Reply) -> Reply:
    """The reply with lone surrogates written out: a server may cut a token inside a character of JSON's two halves."""
    tokens = reply.tokens and tuple(
        replace(token, text=encodable(token.text), top=tuple((encodable(text), p) for text, p in token.top))
        for token in reply.tokens
    )
    return replace(reply, text=encodable(reply.text), tokens=tokens, model=encodable(reply.model))


def _arrived(outcome: Outcome) -> Reply:
    """The reply, or the exception that says why there is none."""
    if isinstance(outcome, Reply):
        return outcome
    if outcome.kind in _UNAVAILABLE_KINDS:
        raise Unavailable(outcome.message)
    raise CallFailed(f"{outcome.kind}: {outcome.message}")


def _total(tokens: Sequence[Token]) -> float:
    """Sum of log-probabilities. Raises `Unavailable` when one is unknown."""
    values = [token.logprob for token in tokens]
    if any(value is None for value in values):
        raise Unavailable("the model gave no log-probability for a token")
    return math.fsum(cast(list[float], values))


def _first_token(reply: Reply, options: Sequence[str]) -> list[float]:
    """Log-probability of each single-token option among the first token's alternatives; -inf when not among them."""
    top = reply.tokens[0].top if reply.tokens else ()
    mass = {option.strip(): 0.0 for option in options}
    for text, logprob in top:
        if text.strip() in mass:
            mass[text.strip()] += math.exp(logprob)
    return [math.log(value) if value > 0 else -math.inf for value in mass.values()]


def _options(options: Sequence[str], logprobs: list[float], tokens: tuple[tuple[Token, ...], ...]) -> Options:
    """Normalise over the options. Raises `Unavailable` when none of them was seen."""
    best = max(logprobs)
    if best == -math.inf:
        raise Unavailable("none of the options is among the likeliest tokens")
    weights = [math.exp(value - best) for value in logprobs]
    total = math.fsum(weights)
    raw = math.exp(best) * total
    return Options(tuple(options), tuple(logprobs), tuple(w / total for w in weights), raw, tokens)

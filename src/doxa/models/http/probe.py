"""What a server really offers: found out by a handful of tiny calls, not by what it says of itself."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace

from doxa.errors import Incomplete
from doxa.models.http.faults import one_line
from doxa.types import Capabilities, Failure, Message, Model, Outcome, Reply, Request

COUNT = Request((Message("user", "Count from one to ten in words, separated by spaces."),), max_tokens=24)
DRAW = Request((Message("user", "Write down a random number of eight digits."),), temperature=1.0, max_tokens=12)
UNREACHABLE = ("connection", "timeout")


@dataclass(frozen=True)
class Finding:
    """One thing looked at: yes, no or unknown, and what doxa makes of it."""

    name: str
    answer: bool | None
    note: str
    count: int = 0
    """How many, where that matters: alternatives per token."""


@dataclass
class _Timed:
    """A model whose calls are timed."""

    model: Model
    seconds: list[float] = field(default_factory=list)

    async def ask(self, request: Request) -> list[Outcome]:
        started = time.perf_counter()
        outcomes = (await self.model.generate([request]))[0]
        self.seconds.append(time.perf_counter() - started)
        return outcomes

    async def text(self, request: Request) -> str | None:
        """The words of the one answer, `None` for a failure."""
        outcome = (await self.ask(request))[0]
        return outcome.text.strip() if isinstance(outcome, Reply) else None


async def probe(model: Model) -> AsyncIterator[Finding]:
    """Findings about a model behind a server, in the order in which they are made.

    The model must let started answers through (`offers.prefill`), so that the server can be seen to continue them.
    Raises `Incomplete` where the server cannot be reached, `Refused` and `UsageError` as the model does.
    """
    timed = _Timed(model)
    first = (await timed.ask(replace(COUNT, top_logprobs=20)))[0]
    if isinstance(first, Failure) and first.kind in UNREACHABLE:
        yield Finding("reachable", False, first.message)
        raise Incomplete(
            f"{model.base_url} cannot be reached: {first.message}", hint="start the server, or set its URL"
        )
    yield Finding("reachable", True, model.base_url)
    if isinstance(first, Failure):
        yield Finding("answers", False, first.message)
        return
    yield Finding("answers", bool(first.text.strip()), f"“{one_line(first.text, 50)}”")
    yield _name(model.name, first.model)
    for finding in _logprobs(first, refused=not model.capabilities.logprobs):
        yield finding
    yield _usage(first)
    yield await _length(timed, first.text)
    yield await _stop(timed, first.text)
    yield await _prefill(timed, first.text)
    yield await _several(timed)
    yield await _seed(timed)
    middle = sorted(timed.seconds)[len(timed.seconds) // 2]
    yield Finding("latency", True, f"{middle:.2f} s for a short answer (median of {len(timed.seconds)} probes)")


def found_capabilities(findings: Sequence[Finding]) -> Capabilities:
    """What the findings allow to rely on; unknown is no."""
    yes = {finding.name for finding in findings if finding.answer}
    return Capabilities(
        logprobs="logprobs" in yes,
        top_logprobs=sum(finding.count for finding in findings),
        prefill="prefill" in yes,
        seed="seed" in yes,
        n="n" in yes,
    )


def _name(asked: str, returned: str) -> Finding:
    """Whether the server answers under the name it was asked by; an alias may mean another model tomorrow."""
    name = returned.partition("@")[0]
    if not name:
        return Finding("model's name", None, "the server does not say which model answered")
    if name != asked:
        return Finding("model's name", False, f"{returned} answers: use that name for runs that can be repeated")
    return Finding("model's name", True, f"{returned} answers")


def _logprobs(reply: Reply, *, refused: bool) -> list[Finding]:
    tokens = reply.tokens or ()
    if not any(token.logprob is not None for token in tokens):
        how = "refused" if refused else "ignored"
        return [Finding("logprobs", False, f"{how}: estimators that need them are left out")]
    most = max(len(token.top) for token in tokens)
    note = f"up to {most} alternatives per token" if most else "of the chosen tokens only"
    return [Finding("logprobs", True, "of the tokens of a reply"), Finding("top logprobs", most > 0, note, most)]


def _usage(reply: Reply) -> Finding:
    if reply.usage.tokens_in is None or reply.usage.tokens_out is None:
        return Finding("usage", False, "not reported: tokens and cost stay unknown, limit calls with --max-calls")
    return Finding("usage", True, "tokens are reported")


async def _length(timed: _Timed, text: str) -> Finding:
    """Two tokens are asked for where the free answer was longer."""
    outcome = (await timed.ask(replace(COUNT, max_tokens=2)))[0]
    if isinstance(outcome, Failure):
        return Finding("max tokens", None, outcome.message)
    if outcome.finish == "length" or len(outcome.text) < len(text):
        return Finding("max tokens", True, "answers end where asked")
    long = len(text.split()) > 3
    return Finding(
        "max tokens", False if long else None, "ignored: answers may be long and dear" if long else "too short"
    )


async def _stop(timed: _Timed, text: str) -> Finding:
    """A word from the middle of the free answer must not appear when it is a stop."""
    words = text.split()
    if len(words) < 3:
        return Finding("stop", None, "the answer is too short to tell")
    word = words[len(words) // 2]
    again = await timed.text(replace(COUNT, stop=(word,)))
    if again is None:
        return Finding("stop", False, "refused")
    if word in again:
        return Finding("stop", False, "ignored: replies go on to their own end")
    return Finding("stop", True, "answers end before a stop")


async def _prefill(timed: _Timed, text: str) -> Finding:
    """The first half of the free answer, given as started, must be continued by the word that came next."""
    words = text.split()
    if len(words) < 4:
        return Finding("prefill", None, "the answer is too short to tell")
    half = len(words) // 2
    rest = await timed.text(replace(COUNT, prefill=" ".join(words[:half])))
    if rest and rest.split()[0] == words[half]:
        return Finding("prefill", True, "a started answer is continued")
    return Finding("prefill", False, "a started answer is not continued: asks that start the answer are left out")


async def _several(timed: _Timed) -> Finding:
    """Three choices in one call; the model notices what is missing and calls again."""
    outcomes = await timed.ask(replace(DRAW, n=3, seed=7))
    if any(isinstance(outcome, Failure) for outcome in outcomes):
        return Finding("n", None, "sampling failed")
    distinct = len({outcome.text for outcome in outcomes if isinstance(outcome, Reply)})
    if timed.model.capabilities.n:
        return Finding("n", True, f"3 choices in one call, {distinct} distinct")
    return Finding("n", False, f"ignored: doxa repeats calls ({distinct} of 3 distinct)")


async def _seed(timed: _Timed) -> Finding:
    """The same seed twice, then others."""
    first, again, *others = [await timed.text(replace(DRAW, seed=seed)) for seed in (1, 1, 2, 3)]
    if first is None or again is None or None in others:
        return Finding("seed", None, "sampling failed")
    if first != again:
        return Finding("seed", False, "ignored: repeating a run needs its journal")
    if all(other == first for other in others):
        return Finding("seed", None, "all samples are equal: does the server sample at all?")
    return Finding("seed", True, "the same seed gives the same answer, others differ")

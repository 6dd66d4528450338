"""A synthetic model with planted beliefs: what estimators are proven against, and what docs and tests ask."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from types import MappingProxyType
from typing import ClassVar

from doxa.errors import UsageError
from doxa.models.planted.beliefs import uniform
from doxa.models.planted.personas import PERSONAS
from doxa.models.planted.replies import replies
from doxa.models.planted.statistics import STATISTICS
from doxa.models.planted.voice import Distribution
from doxa.types import Capabilities, Failure, Outcome, Reply, Request, Token, Usage

_WORD = re.compile(r"\s*\S+")
_UNLIKELY = math.log(1e-6)
"""Log-probability of a text the mock would not say, and of every text where nothing was asked."""


@dataclass(frozen=True)
class Mock:
    """A model that answers from planted beliefs, which are right about `bank:planted` alone; `name` is a persona.

    It sees messages and emits text and log-probabilities, nothing else. For each question text it holds a probability
    for every answer. It is sure of the answer to `bank:planted` exactly as often as it is right. What it says about
    that depends on the persona: `honest` states what it believes, `overconfident` more, `timid` less, `constant` always
    90 %; `contrarian` abstains, withdraws and passes exactly when its word favours the opposite, `stubborn` never does;
    `silent` is honest without log-probabilities, `paraphrasing` in several wordings; `hasty` prefers what it is
    shown first. Raises `UsageError` for another name.
    """

    targets: ClassVar[Mapping[str, str]] = MappingProxyType({name: each.about for name, each in PERSONAS.items()})
    """What may stand after `mock/`, and what it is."""
    name: str = "honest"
    base_url: str = ""

    def __post_init__(self) -> None:
        """Check the persona."""
        if self.name not in PERSONAS:
            raise UsageError(f"no mock named {self.name!r}", hint=f"there are: {', '.join(PERSONAS)}")

    @property
    def capabilities(self) -> Capabilities:
        """Everything but hidden states; only text when silent."""
        if not PERSONAS[self.name].logprobs:
            return Capabilities(prefill=True, seed=True, n=True)
        return Capabilities(
            logprobs=True, top_logprobs=20, statistics=tuple(STATISTICS), score=True, prefill=True, seed=True, n=True
        )

    @property
    def fingerprint(self) -> str:
        """The persona and the version of the planted beliefs."""
        return f"mock/{self.name}@3"

    async def generate(self, requests: Sequence[Request]) -> list[list[Outcome]]:
        """Answer each request `n` times: the likeliest reply at temperature 0, else drawn by `Request.seed`."""
        return [self._generate(request) for request in requests]

    async def score(self, requests: Sequence[Request]) -> list[Outcome]:
        """Log-probability of each request's `continuation`."""
        return [self._score(request) for request in requests]

    async def close(self) -> None:
        """Nothing is held."""

    def _generate(self, request: Request) -> list[Outcome]:
        if request.decoding:
            return [Failure("unsupported", f"the mock has no decoding {request.decoding!r}")] * request.n
        found = _heated(replies(PERSONAS[self.name], request.messages, request.prefill), request.temperature)
        return [self._reply(request, _draw(found, request, number), found) for number in range(request.n)]

    def _score(self, request: Request) -> Outcome:
        if not self.capabilities.score:
            return Failure("unsupported", "this mock shows no log-probabilities")
        found = replies(PERSONAS[self.name], request.messages, request.prefill)
        known = {text.strip(): p for text, p in found.items()}
        text = request.continuation or ""
        p = known.get(text.strip()) if request.messages else None
        tokens = _tokens(text, _UNLIKELY if p is None else math.log(p), request, found)
        return Reply(text, tuple(tokens), model=f"mock/{self.name}", usage=_usage(request, len(tokens)))

    def _reply(self, request: Request, text: str, found: Distribution) -> Outcome:
        ends = [text.index(stop) for stop in request.stop if stop in text]
        tokens = _tokens(text[: min(ends, default=None)], math.log(found[text]), request, found)
        cut = tokens[: request.max_tokens]
        shown = tuple(cut) if self.capabilities.logprobs and request.top_logprobs is not None else None
        return Reply(
            "".join(token.text for token in cut),
            shown,
            finish="stop" if len(cut) == len(tokens) else "length",
            model=f"mock/{self.name}",
            usage=_usage(request, len(cut)),
        )


def _heated(found: Distribution, temperature: float) -> Distribution:
    """The distribution at a temperature, without what is then too unlikely for a number.

    0 leaves it, as the likeliest is taken anyway.
    """
    if temperature in (0, 1):
        return found
    best = max(found.values())
    weights = {text: (p / best) ** (1 / temperature) for text, p in found.items()}
    total = sum(weights.values())
    return {text: weight / total for text, weight in weights.items() if weight / total > 0}


def _draw(found: Distribution, request: Request, number: int) -> str:
    """One reply: the likeliest at temperature 0, else by inverse transform of the seed's random number."""
    texts = list(found)
    if request.temperature == 0:
        return max(texts, key=found.__getitem__)
    point = uniform("draw", request.seed, number)
    return next((text for text, upto in zip(texts, accumulate(found.values()), strict=True) if point < upto), texts[-1])


def _tokens(text: str, logprob: float, request: Request, found: Distribution) -> list[Token]:
    """Words as tokens; the first one decides the reply and carries its log-probability, the rest follow surely.

    The vocabulary is what may be said at that place: all replies, then the one word that goes on.
    """
    asked = [name for name in request.statistics if name in STATISTICS]
    at_first, later = ({name: STATISTICS[name](p) for name in asked} for p in (tuple(found.values()), (1.0,)))
    first = sorted(((other, math.log(p)) for other, p in found.items()), key=lambda pair: -pair[1])
    tokens = []
    for number, word in enumerate(_WORD.findall(text)):
        value, options = (0.0, [(word, 0.0)]) if number else (logprob, first)
        top = tuple(options[: request.top_logprobs or 0])
        tokens.append(Token(word, value, top, later if number else at_first))
    return tokens


def _usage(request: Request, tokens_out: int) -> Usage:
    """One call; tokens are words."""
    return Usage(1, sum(len(message.content.split()) for message in request.messages), tokens_out)

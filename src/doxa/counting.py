"""Stand-ins that only count: what a run would ask, without asking (the dry run)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from types import MappingProxyType
from typing import TYPE_CHECKING

from doxa.inquiry import Inquiry, sample_number
from doxa.types import Capabilities, Entailment, Kind, Outcome, Reply, Request, Token, Usage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_TAIL = ", which lies near many other well known words of great size"
"""As long as answers of small models are: some methods ask about every token."""
_ANSWERS: Mapping[Kind, tuple[str, ...]] = MappingProxyType(
    {
        "open": tuple(f"Yes, word {number}{_TAIL}" for number in range(50)),
        "choice": tuple(f"{letter}. Yes" for letter in "ABCDEFGHIJ"),
        "boolean": ("Yes", "No"),
        "number": tuple(f"Yes, {number}{_TAIL}" for number in range(50)),
        "date": tuple(f"Yes, {year}-01-01{_TAIL}" for year in range(1950, 2000)),
    }
)
"""Samples that differ as much as they can, so that what is asked about their differences is counted in full; a judge
who is asked for yes or no says yes."""


_ALTERNATIVES = ("A", "B", "Yes", "No", "Maybe", *(f"other{n}" for n in range(15)))
"""As many as servers give at most, options that methods look for among them."""


_MARKER = "Answer:"
"""Whoever is asked to mark the answer at the end of a reasoning by this does so."""


class Counter:
    """A stand-in for a model: counts each distinct request once, and answers with something readable."""

    def __init__(self, capabilities: Capabilities, kind: Kind = "open") -> None:
        """Count as if for a model of these capabilities, asked questions of this kind."""
        self.capabilities = capabilities
        self.spent = Usage()
        self._answers = _ANSWERS[kind]
        self._seen: set[Request] = set()

    def copy(self) -> Counter:
        """A counter that has seen the same and goes its own way."""
        other = copy(self)
        other._seen = set(self._seen)
        return other

    async def call(self, request: Request) -> Outcome:
        """Count the request."""
        if request not in self._seen:
            self._seen.add(request)
            # Four characters a token is the usual rule of thumb for English.
            tokens_in = sum(len(message.content) for message in request.messages) // 4 + 8
            self.spent += Usage(1, tokens_in, request.max_tokens if request.continuation is None else 0)
        number = 0 if request.seed is None else sample_number(request.seed)
        text = request.continuation or self._answers[number % len(self._answers)]
        if request.continuation is None and _MARKER in "".join(each.content for each in request.messages[-1:]):
            text = f"{text}\n{_MARKER} {text}"
        statistics = dict.fromkeys(request.statistics, 0.5)
        first, *rest = text.split(" ")
        top = ((first, -1.0), *((word, -2.0 - n) for n, word in enumerate(_ALTERNATIVES)))[: request.top_logprobs or 0]
        tokens = (Token(first, -1.0, top, statistics), *(Token(f" {word}", -1.0, top, statistics) for word in rest))
        return Reply(text, tokens if self.capabilities.logprobs else None, usage=Usage(1, 8, 8))

    async def hidden(self, _: Request, layers: Sequence[int]) -> NDArray[np.float32]:
        """States that say nothing; they cost no call."""
        import numpy as np

        return np.zeros((len(layers), 1, 8), dtype=np.float32)


class Blank:
    """A stand-in for services on this machine, which cost no calls: no text entails another, all are orthogonal."""

    name = "a stand-in"
    fingerprint = "blank"

    async def entail(self, _: Inquiry, pairs: Sequence[tuple[str, str]]) -> list[Entailment]:
        """Undecided about every pair."""
        return [Entailment(contradiction=0.25, neutral=0.5, entailment=0.25) for _ in pairs]

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One axis for each text."""
        import numpy as np

        return np.eye(len(texts), dtype=np.float32)

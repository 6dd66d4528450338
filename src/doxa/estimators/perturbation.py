"""Perturbation: how much the reply changes when one of its tokens is replaced and the model goes on from there."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from types import MappingProxyType
from typing import ClassVar

from doxa.errors import Unavailable, UsageError
from doxa.estimators.reading import is_control, prefill, token_statistics
from doxa.estimators.similarity import check_similarity
from doxa.estimators.variation import steadiness
from doxa.inquiry import Inquiry
from doxa.types import Access, Confidence, Reply, Scale


def highest(values: Sequence[float]) -> int:
    """Place of the largest value, the first of equals."""
    return max(range(len(values)), key=values.__getitem__)


def lowest(values: Sequence[float]) -> int:
    """Place of the smallest value, the first of equals."""
    return min(range(len(values)), key=values.__getitem__)


def steepest(values: Sequence[float]) -> int:
    """Place after the largest rise from one value to the next; that of the only value, where there is but one.

    >>> steepest([0.1, 0.5, 0.4, 1.9, 2.0])
    3
    """
    rises = [after - before for before, after in pairwise(values)]
    return 1 + highest(rises) if rises else highest(values)


PLACES: Mapping[str, Callable[[Sequence[float]], int]] = MappingProxyType(
    {"max_entropy": highest, "min_entropy": lowest, "entropy_rise": steepest}
)


@dataclass(frozen=True)
class Perturbation:
    """1 − VR of the answers that arise when one token of the reply is replaced by each of the four next likeliest.

    Range [0, 1], higher is surer. The token is the one of the largest entropy, the smallest ("min_entropy") or after
    the largest rise ("entropy_rise"); where the model shows no entropies they are those of the five likeliest tokens,
    and `provenance` says so. Each of the 2nd to 5th likeliest is put in its place and continued greedily, up to the
    reply's own limit of tokens; one that ends the turn ends the answer there. `original=True` compares the answers
    with the reply (1 − VRO) instead of with each other: six measures in all. s is as in `variation_ratio`. Compared are
    whole answers; the authors' code leaves out what stands up to the new token, and so does `as_released=True`. When
    there are too few alternatives to compare there is no number. Huang et al. 2023, Look Before You Leap (arXiv
    2307.10236). Raises `UsageError` for a place or a similarity that does not exist.
    """

    at: str = "max_entropy"
    similarity: str = "rouge1"
    original: bool = False
    as_released: bool = False

    access: ClassVar[Access] = Access.LOGPROBS
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ("entropy",)
    alternatives: ClassVar[int] = 5
    implements: ClassVar[tuple[str, ...]] = ("look-before-you-leap",)
    coverage: ClassVar[str] = (
        "full: with sentence_likelihood, sentence_entropy and variation_ratio all twelve, by words or embeddings"
    )
    spelled: ClassVar[str] = ",".join(
        f"perturbation(at={at},original={original})" for at in PLACES for original in (False, True)
    )
    helps: ClassVar[str] = (
        "Long replies of large models, where one token changes all that follows only if the model is unsure."
    )
    fails: ClassVar[str] = (
        "With short answers it ranks upside down: the alternatives of a sure answer's one loose token differ the most, "
        ".26 on 150 capitals."
    )

    def __post_init__(self) -> None:
        """Check the knobs."""
        check_similarity(self.similarity)
        if self.at not in PLACES:
            raise UsageError(f"no place named {self.at!r}", hint=f"there are: {', '.join(PLACES)}")

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Replace the token, let the model go on, and compare what it says."""
        reply = await inquiry.reply()
        entropies, basis = _entropies(reply, self.alternatives)
        place, tokens = PLACES[self.at](entropies), reply.tokens or ()
        rivals = [text for text, _ in tokens[place].top[1 : self.alternatives]]
        if len(rivals) < (1 if self.original else 2):
            return Confidence(None, self.scale, f"the model shows {len(rivals)} alternatives to the token: too few")
        before = "".join(token.text for token in tokens[:place])
        left = max(1, inquiry.asking.max_tokens - place - 1)
        begun = await asyncio.gather(*(_version(inquiry, before, rival, left) for rival in rivals))
        versions = [Reply(rest if self.as_released else start + rest) for start, rest in begun]
        found = await steadiness(self.similarity, inquiry, versions, reply if self.original else None)
        return replace(found, provenance=found.provenance + basis)


def _entropies(reply: Reply, k: int) -> tuple[list[float], str]:
    """Entropy of the distribution at every token, or of the k likeliest of it where no more is shown, which is told."""
    try:
        return token_statistics(reply, "entropy"), ""
    except Unavailable:
        if not reply.tokens or not all(token.top for token in reply.tokens):
            raise
    shown = [[logprob for _, logprob in token.top[:k] if logprob > -math.inf] for token in reply.tokens]
    return [-math.fsum(math.exp(each) * each for each in logprobs) for logprobs in shown], f", entropy of the top {k}"


async def _version(inquiry: Inquiry, before: str, rival: str, max_tokens: int) -> tuple[str, str]:
    """The answer up to its new token, and how the model goes on after that."""
    if not rival or is_control(rival):
        return before, ""
    start = prefill(inquiry, before + rival)
    if not start:
        raise Unavailable("the model does not continue an answer that was begun for it")
    return start, (await inquiry.ask(inquiry.messages, prefill=start, max_tokens=max_tokens)).text

"""Boosted probability: a token that is one of several good ones is as sure as all of them together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from doxa.errors import Unavailable
from doxa.estimators.reading import token_logprobs
from doxa.estimators.spans import token_parts
from doxa.inquiry import Inquiry
from doxa.types import Access, Confidence, Scale

DROP, LEAST = 0.3, 0.005
"""A drop from one probability to the next that ends the dominant ones: relative and absolute."""


def boosted_probability(probability: float, likeliest: Sequence[float]) -> float:
    """The mass of the dominant tokens if this is one of them, else its own; `likeliest` are probabilities, falling.

    Dominant are all tokens down to the last large drop.

    >>> round(boosted_probability(0.4, [0.45, 0.4, 0.05, 0.04]), 12), boosted_probability(0.05, [0.45, 0.4, 0.05])
    (0.85, 0.05)
    """
    drops = [place for place, (p, q) in enumerate(pairwise(likeliest)) if p - q > max(DROP * p, LEAST)]
    dominant = likeliest[: drops[-1] + 1] if drops else ()
    return min(1.0, math.fsum(dominant)) if dominant and probability >= dominant[-1] else probability


@dataclass(frozen=True)
class BoostedProbability:
    """Mean over the reply's tokens of the mass of the dominant next tokens where the token is one, else of its own.

    Range [0, 1], higher is surer; `parts` holds each token's value. The dominant tokens are those down to the last drop
    by more than 30 % (and 0.005) among the likeliest; seen are 20 of these, or as many as the model shows. Dinh and
    Niehues 2025, Are Generative Models Underconfident? (arXiv 2502.11115).
    """

    access: ClassVar[Access] = Access.LOGPROBS
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    alternatives: ClassVar[int] = 20
    implements: ClassVar[tuple[str, ...]] = ()
    helps: ClassVar[str] = (
        "Several next words are equally right, as in translations and free text: the reply does not lose by having to "
        "choose one."
    )
    fails: ClassVar[str] = (
        "Plain doubt between two answers looks like freedom of wording where both are dominant, and the model must "
        "show its likeliest tokens."
    )

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Read the alternatives of the reply's tokens."""
        reply = await inquiry.reply()
        own = [math.exp(logprob) for logprob in token_logprobs(reply.tokens)]
        tokens = reply.tokens or ()
        tops = [sorted((math.exp(p) for _, p in token.top[: self.alternatives]), reverse=True) for token in tokens]
        if max(map(len, tops)) < 2:
            raise Unavailable("the model gave fewer than two alternatives to its tokens")
        values = [min(1.0, boosted_probability(p, top)) for p, top in zip(own, tops, strict=True)]
        return Confidence(math.fsum(values) / len(values), self.scale, parts=token_parts(tokens, values))

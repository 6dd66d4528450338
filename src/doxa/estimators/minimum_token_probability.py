"""Minimum token probability: a reply is as sure as its least likely token."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from doxa.estimators.reading import token_logprobs
from doxa.inquiry import Inquiry
from doxa.types import Access, Confidence, Scale


def minimum_token_probability(logprobs: Sequence[float]) -> float:
    """Probability of the least likely token.

    >>> round(minimum_token_probability([math.log(0.9), math.log(0.4)]), 12)
    0.4
    """
    return math.exp(min(logprobs))


@dataclass(frozen=True)
class MinimumTokenProbability:
    """Probability of the reply's least likely token: min_t p(y_t | y_<t, question).

    Range [0, 1], higher is surer. One wrong name or number makes a reply wrong, which an average over its many easy
    words hides. The maximum of −log p of Manakul et al. 2023, SelfCheckGPT (arXiv 2303.08896), as a probability.
    """

    access: ClassVar[Access] = Access.LOGPROBS
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ()
    helps: ClassVar[str] = "One wrong name or number makes the reply wrong."
    fails: ClassVar[str] = (
        "A rare but harmless wording has an unlikely token too, and the longer the reply the more chances for one."
    )

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Read the reply's log-probabilities."""
        reply = await inquiry.reply()
        return Confidence(minimum_token_probability(token_logprobs(reply.tokens)), self.scale)

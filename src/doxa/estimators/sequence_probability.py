"""Sequence probability: how likely the model was to say exactly this."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from doxa.estimators.reading import token_logprobs
from doxa.inquiry import Inquiry
from doxa.types import Access, Confidence, Scale


def sequence_probability(logprobs: Sequence[float]) -> float:
    """Probability of the whole: exp Σ log p.

    >>> round(sequence_probability([math.log(0.5), math.log(0.4)]), 12)
    0.2
    """
    return math.exp(math.fsum(logprobs))


@dataclass(frozen=True)
class SequenceProbability:
    """Probability of the reply's tokens: exp Σ log p(y_t | y_<t, question).

    Range [0, 1], higher is surer. It falls with every further token, so it compares replies of one length fairly and
    long with short ones unfairly. The maximum-probability baseline of Fadeeva et al. 2023, LM-Polygraph
    (arXiv 2311.07383).
    """

    access: ClassVar[Access] = Access.LOGPROBS
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ()
    helps: ClassVar[str] = "Replies are short and of one length, such as names: one reply is enough."
    fails: ClassVar[str] = "It falls with every further token, so that long replies look unsure whatever they say."

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Read the reply's log-probabilities."""
        reply = await inquiry.reply()
        return Confidence(sequence_probability(token_logprobs(reply.tokens)), self.scale)

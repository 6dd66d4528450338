"""Perplexity: among how many equally likely tokens the model seemed to choose, on a logarithmic scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from doxa.estimators.reading import token_logprobs
from doxa.inquiry import Inquiry
from doxa.types import Access, Confidence, Scale


def log_perplexity(logprobs: Sequence[float]) -> float:
    """Mean surprisal in nats, −(1/T) Σ log p, whose exponential is the perplexity.

    >>> round(math.exp(log_perplexity([math.log(0.5), math.log(0.125)])), 12)
    4.0
    """
    return 0.0 - math.fsum(logprobs) / len(logprobs)


@dataclass(frozen=True)
class Perplexity:
    """Minus the logarithm of the reply's perplexity: (1/T) Σ log p(y_t | y_<t, question).

    Range (−∞, 0], higher is surer; a ranking score, not a probability. It ranks replies as `normalized_probability`
    does, but tells apart replies too unlikely for a probability, and its mean over questions is a cross-entropy. The
    length-normalised log-probability of Fomicheva et al. 2020 (arXiv 2005.10608), called perplexity by Fadeeva et al.
    2023, LM-Polygraph (arXiv 2311.07383).
    """

    access: ClassVar[Access] = Access.LOGPROBS
    scale: ClassVar[Scale] = Scale.REAL
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ()
    helps: ClassVar[str] = "Mean log-probability is wanted for long replies whose probability is too small to compare."
    fails: ClassVar[str] = "It ranks just as normalized_probability does and shares its faults."

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Read the reply's log-probabilities."""
        reply = await inquiry.reply()
        return Confidence(0.0 - log_perplexity(token_logprobs(reply.tokens)), self.scale)

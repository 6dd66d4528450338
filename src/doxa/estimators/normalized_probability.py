"""Length-normalised probability: how likely the model was to say each token of this, on (geometric) average."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from doxa.estimators.reading import token_logprobs
from doxa.inquiry import Inquiry
from doxa.types import Access, Confidence, Scale


def normalized_probability(logprobs: Sequence[float]) -> float:
    """Geometric mean of the token probabilities: exp of the mean log p, the inverse of perplexity.

    >>> round(normalized_probability([math.log(0.9), math.log(0.4)]), 12)
    0.6
    """
    return math.exp(math.fsum(logprobs) / len(logprobs))


@dataclass(frozen=True)
class NormalizedProbability:
    """Length-normalised probability of the reply: exp((1/T) Σ log p(y_t | y_<t, question)).

    Range [0, 1], higher is surer; the inverse of perplexity. Normalising by length follows Malinin and Gales 2021,
    Uncertainty Estimation in Autoregressive Structured Prediction (arXiv 2002.07650).
    """

    access: ClassVar[Access] = Access.LOGPROBS
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ()
    helps: ClassVar[str] = (
        "Log-probabilities are shown and replies differ in length: it is nearly free and hard to beat."
    )
    fails: ClassVar[str] = (
        "Sure wording hides an unsure fact, and training on preferences makes probabilities too high."
    )

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Read the reply's log-probabilities."""
        reply = await inquiry.reply()
        return Confidence(normalized_probability(token_logprobs(reply.tokens)), self.scale)

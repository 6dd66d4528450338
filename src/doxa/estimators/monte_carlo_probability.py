"""Monte-Carlo probability: how likely the model finds its own samples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from doxa.estimators.reading import token_logprobs
from doxa.inquiry import Inquiry
from doxa.types import Access, Confidence, Scale


def monte_carlo_probability(samples: Sequence[Sequence[float]]) -> float:
    """Mean over the samples of the geometric mean of their token probabilities.

    >>> round(monte_carlo_probability([[math.log(0.9), math.log(0.4)], [math.log(0.2)]]), 12)
    0.4
    """
    return math.fsum(math.exp(math.fsum(sample) / len(sample)) for sample in samples) / len(samples)


@dataclass(frozen=True)
class MonteCarloProbability:
    """Mean length-normalised probability of n sampled replies: (1/n) Σ_i exp((1/T_i) Σ_t log p(y_i,t)).

    Range [0, 1], higher is surer. What is sampled is likely where little is possible. `as_released=True` counts the
    reply under judgement as one more sample, as uqlm's code does other than its definition. Bouchard and Chauhan 2025,
    Uncertainty Quantification for Language Models (arXiv 2504.19254), after the predictive entropy of Kuhn et al. 2023
    (arXiv 2302.09664).
    """

    samples: int = 10
    temperature: float = 1.0
    as_released: bool = False

    access: ClassVar[Access] = Access.LOGPROBS
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ()
    helps: ClassVar[str] = (
        "It is the question that should be judged, whether it leaves much room, rather than one reply to it."
    )
    fails: ClassVar[str] = "The reply plays no part in it, so that two replies to a question cannot be told apart."

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Read the samples' log-probabilities."""
        samples = await inquiry.samples(self.samples, temperature=self.temperature)
        if self.as_released:
            samples = [await inquiry.reply(), *samples]
        return Confidence(monte_carlo_probability([token_logprobs(sample.tokens) for sample in samples]), self.scale)

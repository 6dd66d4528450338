"""Monte-Carlo sequence entropy: how surprising the model finds its own samples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from doxa.estimators.reading import token_logprobs
from doxa.inquiry import Inquiry
from doxa.types import Access, Confidence, Scale


def monte_carlo_sequence_entropy(samples: Sequence[Sequence[float]], *, length_normalised: bool = False) -> float:
    """Mean over the samples of −Σ log p of their tokens, each over its length if `length_normalised`.

    >>> drawn = [[math.log(0.5), math.log(0.5)], [math.log(0.25)]]
    >>> round(monte_carlo_sequence_entropy(drawn) / math.log(2), 12)
    2.0
    >>> round(monte_carlo_sequence_entropy(drawn, length_normalised=True) / math.log(2), 12)
    1.5
    """
    lengths = [len(sample) if length_normalised else 1 for sample in samples]
    surprisals = [math.fsum(sample) / length for sample, length in zip(samples, lengths, strict=True)]
    return 0.0 - math.fsum(surprisals) / len(samples)


@dataclass(frozen=True)
class MonteCarloSequenceEntropy:
    """Minus the entropy of the distribution over whole replies, estimated from n of them: (1/n) Σ_i log p(y_i).

    Range (−∞, 0], higher is surer; a ranking score, not a probability. log p(y) = Σ_t log p(y_t | y_<t, question);
    `length_normalised=True` divides each by its number of tokens. Meanings are not told apart: two wordings of one
    answer count as two answers. Malinin and Gales 2021, Uncertainty Estimation in Autoregressive Structured Prediction
    (arXiv 2002.07650); predictive entropy in Kuhn et al. 2023 (arXiv 2302.09664).
    """

    samples: int = 10
    temperature: float = 1.0
    length_normalised: bool = False

    access: ClassVar[Access] = Access.LOGPROBS
    scale: ClassVar[Scale] = Scale.REAL
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ()
    helps: ClassVar[str] = "A baseline is wanted that needs nobody to say what means the same."
    fails: ClassVar[str] = (
        "Every wording counts as another answer and long answers as more uncertain ones: .60 on 150 capitals."
    )

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Read the samples' log-probabilities."""
        samples = await inquiry.samples(self.samples, temperature=self.temperature)
        logprobs = [token_logprobs(sample.tokens) for sample in samples]
        entropy = monte_carlo_sequence_entropy(logprobs, length_normalised=self.length_normalised)
        return Confidence(0.0 - entropy, self.scale)

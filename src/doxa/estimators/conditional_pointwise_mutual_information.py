"""Conditional pointwise mutual information: what was said too readily counts less where the model was undecided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from doxa.estimators.reading import logprobs_alone, token_logprobs, token_statistics
from doxa.estimators.spans import mean_over_tokens
from doxa.inquiry import Inquiry
from doxa.types import Access, Confidence, Scale


def conditional_pointwise_mutual_information(
    given: Sequence[float], alone: Sequence[float], entropies: Sequence[float], *, weight: float, threshold: float
) -> list[float]:
    """Of each token, log p given the question, minus `weight` · log p without it where the entropy reaches `threshold`.

    >>> conditional_pointwise_mutual_information([-1.0, -1.0], [-4.0, -4.0], [0.5, 3.0], weight=0.25, threshold=3.0)
    [-1.0, 0.0]
    """
    kept = [weight if entropy >= threshold else 0.0 for entropy in entropies]
    return [with_it - share * without for with_it, without, share in zip(given, alone, kept, strict=True)]


@dataclass(frozen=True)
class ConditionalPointwiseMutualInformation:
    """Mean over the reply's tokens of log p(y_t | y_<t, question) − λ [H_t ≥ τ] log p(y_t | y_<t), in nats.

    Range (−∞, ∞), higher is surer; a ranking score, not a probability. H_t is the entropy of the next-token
    distribution; `weight` is λ and `threshold` is τ, as the authors chose them for BART (LM-Polygraph has the two
    numbers exchanged). `parts` holds each token's share. The model must score a given text; when the text alone falls
    into other tokens than the reply did, there is no number. Van der Poel, Cotterell and Meister 2022, Mutual
    Information Alleviates Hallucinations in Abstractive Summarization (arXiv 2210.13210), as a measure of given text.
    """

    weight: float = 0.065602
    threshold: float = 3.5987

    access: ClassVar[Access] = Access.LOGPROBS
    scale: ClassVar[Scale] = Scale.REAL
    statistics: ClassVar[tuple[str, ...]] = ("entropy",)
    implements: ClassVar[tuple[str, ...]] = ()
    helps: ClassVar[str] = (
        "The reply holds frequent words that say little of the question, at which the model was undecided."
    )
    fails: ClassVar[str] = (
        "Its two constants were fitted to another model and task, and replies whose text falls into other tokens by "
        "itself have no number."
    )

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Score the reply's text once more, without the question."""
        reply = await inquiry.reply()
        given, entropies = token_logprobs(reply.tokens), token_statistics(reply, "entropy")
        alone = await logprobs_alone(inquiry, reply)
        values = conditional_pointwise_mutual_information(
            given, alone, entropies, weight=self.weight, threshold=self.threshold
        )
        return mean_over_tokens(reply.tokens or (), values)

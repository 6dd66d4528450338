"""Pointwise mutual information: how much likelier the question made what was said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from doxa.estimators.reading import logprobs_alone, token_logprobs
from doxa.estimators.spans import mean_over_tokens
from doxa.inquiry import Inquiry
from doxa.types import Access, Confidence, Scale


def pointwise_mutual_information(given: Sequence[float], alone: Sequence[float]) -> list[float]:
    """Of each token, log p given the question minus log p without it.

    >>> pointwise_mutual_information([-0.5, -1.0], [-2.5, -1.0])
    [2.0, 0.0]
    """
    return [with_it - without for with_it, without in zip(given, alone, strict=True)]


@dataclass(frozen=True)
class PointwiseMutualInformation:
    """Mean over the reply's tokens of log p(y_t | y_<t, question) − log p(y_t | y_<t), in nats.

    Range (−∞, ∞), higher is surer; a ranking score, not a probability. Words that are frequent everywhere count little,
    words that only the question brings up count much; `parts` holds each token's share. The second term is the text by
    itself after the start token, teacher-forced, so the model must score a given text; when the text alone falls into
    other tokens than the reply did, there is no number. Van der Poel, Cotterell and Meister 2022, Mutual Information
    Alleviates Hallucinations in Abstractive Summarization (arXiv 2210.13210), as a measure of given text.
    """

    access: ClassVar[Access] = Access.LOGPROBS
    scale: ClassVar[Scale] = Scale.REAL
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ()
    helps: ClassVar[str] = "Frequent answers should not look sure for being frequent."
    fails: ClassVar[str] = (
        "Rare words look sure for being rare, and replies whose text falls into other tokens by itself have no number."
    )

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Score the reply's text once more, without the question."""
        reply = await inquiry.reply()
        given, alone = token_logprobs(reply.tokens), await logprobs_alone(inquiry, reply)
        return mean_over_tokens(reply.tokens or (), pointwise_mutual_information(given, alone))

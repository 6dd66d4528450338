"""Sentence SAR: how likely the samples were, each supported by the others that mean alike."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from doxa.estimators.reading import token_logprobs
from doxa.estimators.relevance import alike_matrix, check_drawn, each_two, readable, supported_logprob
from doxa.estimators.relevance.likeness import check_service, likeness, rests_on
from doxa.inquiry import Inquiry
from doxa.types import Access, Confidence, Scale


@dataclass(frozen=True)
class SentenceSar:
    """Mean over samples of log(p(s_j) + (1/t) Σ_{k≠j} g(s_j, s_k) p(s_k)): agreement makes an answer more likely.

    Range (−∞, log(1 + (n − 1)/t)], higher is surer; a ranking score, not a probability. p(s) is the probability of the
    whole sample and t the authors' 0.001; g is the cosine of embeddings or the mean entailment both ways
    (`similarity`; "auto" takes embeddings where there are any), where the authors use a cross-encoder. When no sample
    holds a readable answer there is no number. Duan et al. 2023, Shifting Attention to Relevance (arXiv 2307.01379).
    Raises `UsageError` for fewer than two samples, a t of 0 or less, or an unknown similarity.
    """

    samples: int = 10
    temperature: float = 0.5
    t: float = 0.001
    similarity: str = "auto"

    access: ClassVar[Access] = Access.LOGPROBS
    scale: ClassVar[Scale] = Scale.REAL
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ()
    helps: ClassVar[str] = (
        "Samples are cheap and an encoder is at hand: likely samples that others are like count most."
    )
    fails: ClassVar[str] = (
        "It judges the question rather than the reply, and probabilities of whole samples make long ones count for "
        "nothing."
    )

    def __post_init__(self) -> None:
        """Check the knobs."""
        check_service(self.similarity)
        check_drawn(self.samples, self.t)

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Compare the samples with each other and weigh them by their probabilities."""
        basis = rests_on(self.similarity, inquiry)
        replies = await readable(inquiry, self.samples, self.temperature)
        logprobs = [math.fsum(token_logprobs(reply.tokens)) for reply in replies]
        alike, _ = await likeness(self.similarity, inquiry, each_two(replies))
        value = supported_logprob(logprobs, alike_matrix(alike, len(replies)), self.t)
        return Confidence(value, self.scale, provenance=basis)

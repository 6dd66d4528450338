"""CoCoA: how unlikely the reply is times how little the samples resemble it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from doxa.errors import UsageError
from doxa.estimators.reading import answered, check_samples, token_logprobs, token_statistics
from doxa.estimators.similarity import check_similarity, compared
from doxa.inquiry import Inquiry
from doxa.types import Access, Confidence, Reply, Scale


def cocoa(uncertainty: float, similarities: Sequence[float]) -> float:
    """The uncertainty of a reply times the mean of 1 − its similarity to each sample.

    >>> cocoa(2.0, [1.0, 0.5, 0.0])
    1.0
    """
    return uncertainty * math.fsum(1 - alike for alike in similarities) / len(similarities)


def _surprise(reply: Reply) -> float:
    return -math.fsum(token_logprobs(reply.tokens))


def _mean_surprise(reply: Reply) -> float:
    logprobs = token_logprobs(reply.tokens)
    return -math.fsum(logprobs) / len(logprobs)


def _mean_entropy(reply: Reply) -> float:
    entropies = token_statistics(reply, "entropy")
    return math.fsum(entropies) / len(entropies)


UNCERTAINTIES: Mapping[str, Callable[[Reply], float]] = MappingProxyType(
    {"msp": _surprise, "ppl": _mean_surprise, "mte": _mean_entropy}
)


@dataclass(frozen=True)
class Cocoa:
    """Minus u(reply) · (1/n) Σ_i (1 − s(reply, sample_i)): confidence and consistency multiplied.

    Range (−∞, 0], higher is surer; a ranking score, not a probability. u is −log p(reply) (`form="msp"`), that per
    token ("ppl") or the mean entropy of its tokens ("mte"). s ("auto") is the cosine of embeddings where there is such
    a service, else rougeL; the paper uses a cross-encoder. `similarity` may also be rouge1, rouge2, jaccard,
    entailment, contradiction or graded. A reply without a readable answer has no confidence. Vashurin et al. 2025,
    CoCoA (arXiv 2502.04964).
    """

    samples: int = 10
    temperature: float = 1.0
    form: str = "msp"
    similarity: str = "auto"

    access: ClassVar[Access] = Access.LOGPROBS
    scale: ClassVar[Scale] = Scale.REAL
    statistics: ClassVar[tuple[str, ...]] = ("entropy",)
    implements: ClassVar[tuple[str, ...]] = ()
    helps: ClassVar[str] = (
        "Replies should be both likely and agreed with by samples, each of which covers for the other."
    )
    fails: ClassVar[str] = (
        "Long and short replies are not compared fairly, as it multiplies by the log-probability of the whole reply."
    )

    def __post_init__(self) -> None:
        """Check the knobs."""
        check_similarity(self.similarity)
        if self.form not in UNCERTAINTIES:
            raise UsageError(f"no form named {self.form!r}", hint=f"there are: {', '.join(UNCERTAINTIES)}")
        check_samples(self.samples)

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Compare the reply with the samples and weigh that by its tokens."""
        reply, _ = await answered(inquiry)
        uncertainty = UNCERTAINTIES[self.form](reply)
        samples = await inquiry.samples(self.samples, temperature=self.temperature)
        alike, rests_on = await compared(self.similarity, inquiry, [reply, *samples], ("embedding", "rougeL"))
        return Confidence(-cocoa(uncertainty, alike[0, 1:].tolist()), self.scale, provenance=rests_on)

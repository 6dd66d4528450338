"""Degree: how alike the sampled answers are on average."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from doxa.estimators.graph import steady
from doxa.estimators.similarity import check_similarity, compared
from doxa.inquiry import Inquiry
from doxa.types import Access, Confidence, Scale

if TYPE_CHECKING:
    from doxa.types import Floats


def degree_similarity(similarities: Floats) -> Floats:
    """Trace of the degree matrix over m², the mean of all entries; of a stack (…, m, m), one number per matrix."""
    mean: Floats = similarities.mean(axis=(-2, -1))
    return mean


@dataclass(frozen=True)
class DegreeSimilarity:
    """Mean similarity of the sampled answers, each also compared with itself: tr(D) / m², D_jj = Σ_i w_ji.

    Range (0, 1], higher is surer; m answers without a word in common have 1/m. This is 1 minus the uncertainty
    tr(mI − D) / m² of Lin et al. 2023, Generating with Confidence (arXiv 2305.19187), "Deg". `similarity` is one
    of theirs, entailment, contradiction (1 − its probability) or jaccard, or rouge1, rouge2, rougeL, graded, embedding;
    "auto" is entailment where there is such a service, else jaccard. When no sample has a readable answer there is no
    number.
    """

    samples: int = 10
    temperature: float = 1.0
    similarity: str = "auto"

    access: ClassVar[Access] = Access.TEXT
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ()
    helps: ClassVar[str] = "Answers are sentences that agree more or less, with no clear line between same and other."
    fails: ClassVar[str] = (
        "The reply plays no part in it, and by words in common alone two names with a shared surname count as alike."
    )

    def __post_init__(self) -> None:
        """Check the similarity."""
        check_similarity(self.similarity)

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Compare the samples with each other."""
        samples = await inquiry.samples(self.samples, temperature=self.temperature)
        alike, rests_on = await compared(self.similarity, inquiry, samples, ("entailment", "jaccard"))
        return Confidence(steady(degree_similarity(alike)), self.scale, provenance=rests_on)

"""Embedding consistency: how close the samples lie to the reply."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from doxa.estimators.meaning.services import cosines_to, provenance
from doxa.estimators.reading import answered, check_samples
from doxa.inquiry import Inquiry
from doxa.types import Access, Confidence, Scale

if TYPE_CHECKING:
    from doxa.types import Floats


def embedding_consistency(cosines: Floats) -> float:
    """Mean of (1 + cosine) / 2."""
    return float((1 + cosines.mean()) / 2)


@dataclass(frozen=True)
class EmbeddingConsistency:
    """Mean over n samples of (1 + cos(reply, sample)) / 2 of their embeddings.

    Range [0, 1], higher is surer; unrelated texts have about 1/2. A sample without a readable answer counts 0, and a
    reply without one has no confidence. Needs an embedding service. So defined, with all-MiniLM-L6-v2, by Bouchard and
    Chauhan 2025, Uncertainty Quantification for Language Models (arXiv 2504.19254), as normalised cosine similarity.
    """

    samples: int = 10
    temperature: float = 1.0

    access: ClassVar[Access] = Access.TEXT
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ()
    helps: ClassVar[str] = "Replies are sentences or longer, and a local encoder is at hand that costs no calls."
    fails: ClassVar[str] = (
        "Embeddings of short names are near whenever the topic is, so that wrong answers of the right kind count as "
        "agreement."
    )

    def __post_init__(self) -> None:
        """Check the number of samples."""
        check_samples(self.samples)

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Embed the reply and the samples."""
        rests_on = provenance("embedding", inquiry)
        reply, _ = await answered(inquiry)
        samples = await inquiry.samples(self.samples, temperature=self.temperature)
        cosines = await cosines_to(inquiry, reply.text, [sample.text for sample in samples])
        return Confidence(embedding_consistency(cosines), self.scale, provenance=rests_on)

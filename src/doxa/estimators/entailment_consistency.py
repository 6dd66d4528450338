"""Entailment consistency: how far the samples and the reply entail each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from doxa.estimators.meaning.services import ENTAILMENT, provenance, verdicts_on
from doxa.estimators.reading import answered, check_samples
from doxa.inquiry import Inquiry
from doxa.types import Access, Confidence, Scale

if TYPE_CHECKING:
    from doxa.types import Floats


def entailment_consistency(verdicts: Floats) -> float:
    """Mean probability of entailment, of verdicts (…, 3)."""
    return float(verdicts[..., ENTAILMENT].mean())


@dataclass(frozen=True)
class EntailmentConsistency:
    """Mean over n samples of (P(reply entails sample) + P(sample entails reply)) / 2.

    Range [0, 1], higher is surer. Both texts are judged after the question, which says what an answer of a word is
    about; equal texts entail each other, and a sample without a readable answer counts 0. A reply without a readable
    answer has no confidence. Needs an entailment service. So defined by Bouchard and Chauhan 2025, Uncertainty
    Quantification for Language Models (arXiv 2504.19254), who leave the question out.
    """

    samples: int = 10
    temperature: float = 1.0

    access: ClassVar[Access] = Access.TEXT
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ()
    helps: ClassVar[str] = (
        "Replies are sentences that agree in meaning but not in words, and a good judge of entailment is at hand."
    )
    fails: ClassVar[str] = (
        "A weak judge, such as a small model that says No to nearly every pair, turns agreement into noise."
    )

    def __post_init__(self) -> None:
        """Check the number of samples."""
        check_samples(self.samples)

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Have the reply and the samples judged."""
        rests_on = provenance("entailment", inquiry)
        reply, _ = await answered(inquiry)
        samples = await inquiry.samples(self.samples, temperature=self.temperature)
        verdicts = await verdicts_on(inquiry, reply.text, [sample.text for sample in samples])
        return Confidence(entailment_consistency(verdicts), self.scale, provenance=rests_on)

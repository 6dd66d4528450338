"""Noncontradiction: how little the samples and the reply contradict each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from doxa.estimators.meaning.services import CONTRADICTION, provenance, verdicts_on
from doxa.estimators.reading import answered, check_samples
from doxa.inquiry import Inquiry
from doxa.types import Access, Confidence, Scale

if TYPE_CHECKING:
    from doxa.types import Floats


def noncontradiction(verdicts: Floats) -> float:
    """1 − the mean probability of contradiction, of verdicts (…, 3)."""
    return float(1 - verdicts[..., CONTRADICTION].mean())


@dataclass(frozen=True)
class Noncontradiction:
    """1 − mean over n samples of (P(reply contradicts sample) + P(sample contradicts reply)) / 2.

    Range [0, 1], higher is surer. Both texts are judged after the question, which says what an answer of a word is
    about; equal texts do not contradict each other, and a sample without a readable answer counts 0. A reply without a
    readable answer has no confidence. Needs an entailment service. Chen and Mueller 2023, Quantifying Uncertainty in
    Answers from any Language Model (arXiv 2308.16175), whose observed consistency it is without its share of equal
    answers.
    """

    samples: int = 10
    temperature: float = 1.0

    access: ClassVar[Access] = Access.TEXT
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ()
    helps: ClassVar[str] = (
        "Replies are long and samples may leave things out, as only what contradicts counts against a reply."
    )
    fails: ClassVar[str] = (
        "Unrelated answers do not contradict each other, and neither does anything for a judge that never says so."
    )

    def __post_init__(self) -> None:
        """Check the number of samples."""
        check_samples(self.samples)

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Have the reply and the samples judged."""
        rests_on = provenance("contradiction", inquiry)
        reply, _ = await answered(inquiry)
        samples = await inquiry.samples(self.samples, temperature=self.temperature)
        verdicts = await verdicts_on(inquiry, reply.text, [sample.text for sample in samples])
        return Confidence(noncontradiction(verdicts), self.scale, provenance=rests_on)

"""Semantic sets: how many different things the sampled answers say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from doxa.estimators.meaning import check_equivalence, classes, equivalence
from doxa.inquiry import Inquiry
from doxa.types import Access, Confidence, Scale


@dataclass(frozen=True)
class SemanticSets:
    """Minus the number of classes of meaning among n sampled answers.

    Range [−n, −1], higher is surer; a ranking score, not a probability. Samples without a readable answer are one
    class; when all are, there is no number. Lin et al. 2023, Generating with Confidence (arXiv 2305.19187), "NumSet".
    `equivalence` is that of `semantic_entropy`. Others report (n − number) / (n − 1), which ranks alike.
    """

    samples: int = 10
    temperature: float = 1.0
    equivalence: str = "auto"

    access: ClassVar[Access] = Access.TEXT
    scale: ClassVar[Scale] = Scale.REAL
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ()
    helps: ClassVar[str] = "The number of different meanings is wanted as such, from text alone."
    fails: ClassVar[str] = "It forgets how often each meaning came, so that nine to one counts as five to five."

    def __post_init__(self) -> None:
        """Check the equivalence."""
        check_equivalence(self.equivalence)

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Sort the samples into classes and count these."""
        rests_on = equivalence(self.equivalence, inquiry)
        samples = await inquiry.samples(self.samples, temperature=self.temperature)
        meanings = await classes(self.equivalence, inquiry, samples)
        if not any(meanings):
            return Confidence(None, self.scale, "no sample holds a readable answer")
        return Confidence(-float(len(set(meanings))), self.scale, provenance=rests_on)

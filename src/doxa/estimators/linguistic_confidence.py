"""Linguistic confidence: the answer in a sentence, and how sure that sentence sounds to people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from doxa.errors import UsageError
from doxa.estimators.hedging import PLAIN, heard
from doxa.estimators.hedging.asking import check_prompt, own_sentence
from doxa.estimators.hedging.ratings import mapper_of
from doxa.inquiry import Inquiry
from doxa.types import Access, Confidence, Scale


@dataclass(frozen=True)
class LinguisticConfidence:
    """How sure the sentence sounds in which the model gives its own answer.

    Range [0, 1], higher is surer. `prompt` asks for a short sentence ("plain"), for one that hedges exactly as its
    certainty deserves, after three examples ("plus"), or for the same after a metacognitive system message ("reflect",
    "sensitivity", "sensitivity_hedges", four variants each). A hedge is worth what people understand by it on average
    in the survey of 123 people; where nothing hedges the sentence is worth 0.96, half-way between the surest phrase
    asked about and certainty. `ratings` names a CSV file of rated sentences (columns sentence and rating, a rating
    being `out_of` 1 or 100; a relative path starts where the command runs), from which a regression learns to correct
    that. An answer that declines to answer has no confidence. Tao et al. 2025, Can Large Language Models Express
    Uncertainty Like Human? (arXiv 2509.24202); the metacognitive styles are those of MetaFaith (arXiv 2505.24858).
    """

    prompt: str = "plus"
    variant: int = 0
    ratings: str = ""
    out_of: int = 1

    access: ClassVar[Access] = Access.TEXT
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ("linguistic-confidence",)
    coverage: ClassVar[str] = (
        "partial: plain and hedged prompts, a mapper from human averages or learnt from ratings; without fine-tuning"
    )
    helps: ClassVar[str] = "Where readers see the words alone, and with models that hedge of their own accord."
    fails: ClassVar[str] = "Models that sound sure whatever they know, as the smallest do: all are worth the same."

    def __post_init__(self) -> None:
        """Check the prompt, and read the ratings before anything is asked."""
        check_prompt(self.prompt, self.variant)
        if self.out_of not in (1, 100):
            raise UsageError(f"ratings out of {self.out_of}", hint="they are out of 1 or out of 100")
        if self.ratings:
            mapper_of(self.ratings, self.out_of)

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Ask for the sentence and hear how sure it is."""
        said = await own_sentence(inquiry, self.prompt, self.variant)
        if said.answer is None:
            return Confidence(None, self.scale, "its own answer declines to answer", answer=said.text)
        if self.ratings:
            learnt = mapper_of(self.ratings, self.out_of)(said.text)
            return Confidence(learnt, self.scale, answer=said.claim, provenance=f"ratings of {self.ratings}")
        value = heard(said.text).value
        return Confidence(PLAIN if value is None else value, self.scale, answer=said.claim)

"""Words of certainty in one turn: an answer and a phrase, and people say what the phrase means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from doxa.estimators.lexicon import RELEASED, SURVEY
from doxa.estimators.lexicon.asking import answer_in_words
from doxa.inquiry import Inquiry
from doxa.types import Access, Confidence, Scale


@dataclass(frozen=True)
class CertaintyWordsOneTurn:
    """The probability that people understand by the phrase the model gives along with an answer.

    Range [0.02, 0.95], higher is surer. The number is about the method's own answer: the question is asked anew for an
    answer and a phrase from a fixed list, after three examples; a phrase is worth its mean in a survey of 123 people.
    `as_released` reads as LM-Polygraph: of the phrases, capitalised and in the order of its list, the first that occurs
    counts, in just these letters, so that "Probably Not" is "Probably"; and it takes that list's rounded numbers. Tian
    et al. 2023, Just Ask for Calibration (arXiv 2305.14975), "Ling. 1S-human"; wording and examples are ours.
    """

    as_released: bool = False

    access: ClassVar[Access] = Access.TEXT
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ("just-ask-calibration",)
    coverage: ClassVar[str] = "partial: Ling. 1S-human"
    helps: ClassVar[str] = "Only one call can be spent, and the model is better with words than with figures."
    fails: ClassVar[str] = "Small models say the same phrase of an example to every question."

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Ask for both and look the phrase up."""
        answer, phrase, reason = await answer_in_words(inquiry, as_released=self.as_released)
        meaning = RELEASED if self.as_released else SURVEY
        return Confidence(None if phrase is None else meaning[phrase], self.scale, reason, answer=answer)

"""Words of certainty: the model picks a phrase, and people say what the phrase means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from doxa import prompts
from doxa.estimators.lexicon import SURVEY, certainty
from doxa.estimators.reading import prefill
from doxa.inquiry import Inquiry
from doxa.types import Access, Confidence, Scale


@dataclass(frozen=True)
class CertaintyWords:
    """The probability that people understand by the phrase the model picks for its reply.

    Range [0.0651, 0.9204], higher is surer. The model is asked after its reply to choose from a fixed list ("almost
    certain" … "almost no chance"); a phrase is worth its mean in a survey of 123 people. The longest phrase wins, in
    any case of letters; several different ones are ambiguous. Tian et al. 2023, Just Ask for Calibration
    (arXiv 2305.14975), "Ling. 1S-human"; asked here in a turn of its own, so that it is about the reply.
    """

    access: ClassVar[Access] = Access.TEXT
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ("just-ask-calibration",)
    coverage: ClassVar[str] = "partial: Ling. 1S-human in a turn of its own"
    helps: ClassVar[str] = "Only text can be had and a model is better with words than with figures."
    fails: ClassVar[str] = (
        "Small models nearly always pick the same phrase: on 150 capitals the embedded one ranked hardly better than "
        "chance."
    )

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Ask for a phrase and look it up."""
        reply = await inquiry.reply()
        ask = prompts.follow_up(inquiry.messages, reply.text, prompts.certainty(list(SURVEY)))
        value, reason = certainty((await inquiry.ask(ask, prefill=prefill(inquiry, "It is"), max_tokens=8)).text)
        return Confidence(value, self.scale, reason)

"""Stated confidence after reasoning: the model thinks and answers, and is then asked how sure it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from doxa import prompts
from doxa.estimators.chains import chain
from doxa.estimators.reading import prefill
from doxa.estimators.stating import NO_CHAIN, chain_length
from doxa.inquiry import Inquiry
from doxa.prompts import words
from doxa.text import stated_percent
from doxa.types import Access, Confidence, Scale


@dataclass(frozen=True)
class StatedAfterReasoning:
    """The percentage the model states in the next turn for the answer its steps led to, divided by 100.

    Range [0, 1], higher is surer. The number is about the method's own answer, that of the likeliest chain of steps,
    which other methods that reason share; worked examples show both turns. Only the second turn is read. `details`
    holds the tokens of the first. Tian et al. 2023, Just Ask for Calibration (arXiv 2305.14975), "Verb. 2S CoT".
    """

    access: ClassVar[Access] = Access.TEXT
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ("just-ask-calibration",)
    coverage: ClassVar[str] = "partial: Verb. 2S CoT"
    helps: ClassVar[str] = "The question takes several steps and the model is large enough to reason."
    fails: ClassVar[str] = (
        "Reasons make a model surer of wrong answers too, and small ones lose their way in the steps."
    )

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Reason, then ask for a percentage and read it."""
        steps = await chain(inquiry)
        details = {"tokens": chain_length(steps.reply)}
        if steps.answer is None:
            return Confidence(None, self.scale, NO_CHAIN, details=details)
        messages = words.state(inquiry.messages, inquiry.kind, steps.text)
        said = await inquiry.ask(messages, prefill=prefill(inquiry, words.PROBABILITY), max_tokens=12)
        value, reason = stated_percent(said.text, question=prompts.transcript(inquiry.messages))
        return Confidence(value, self.scale, reason, answer=steps.answer, details=details)

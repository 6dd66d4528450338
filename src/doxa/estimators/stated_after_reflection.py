"""Stated confidence after reflection: the model answers with its reasons, criticises them, and says how sure it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from doxa import prompts
from doxa.estimators.chains import chain, room
from doxa.estimators.reading import prefill
from doxa.estimators.stating import NO_CHAIN, NOT_ATTEMPTED, attempted, chain_length, last_probability
from doxa.inquiry import Inquiry
from doxa.prompts import words
from doxa.types import Access, Confidence, Scale


@dataclass(frozen=True)
class StatedAfterReflection:
    """The probability from 0 to 1 that the model states after it has looked for mistakes in its steps and its answer.

    Range [0, 1], higher is surer. The number is about the method's own answer, that of the likeliest chain of steps,
    which other methods that reason share. The second turn asks for criticism and then for the probability, which is
    read after its last marker; worked examples show both. `details` holds the tokens of the chain and of the
    reflection. "I don't know" and a refusal have no number. Zeng et al. 2025, Thinking Out Loud (arXiv 2504.06564),
    two-turn self-reflection; wordings are ours.
    """

    access: ClassVar[Access] = Access.TEXT
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ("thinking-out-loud",)
    coverage: ClassVar[str] = "partial: two-turn self-reflection"
    helps: ClassVar[str] = "A model that was trained to reason can find the mistakes in what it wrote."
    fails: ClassVar[str] = "Small models write the same criticism whatever they are shown."

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Reason, reflect, and read what is stated at the end."""
        steps = await chain(inquiry)
        details = {"tokens": chain_length(steps.reply)}
        if steps.answer is None:
            return Confidence(None, self.scale, NO_CHAIN, details=details)
        if not attempted(steps.answer):
            return Confidence(None, self.scale, NOT_ATTEMPTED, details=details)
        messages = words.reflect(inquiry.messages, inquiry.kind, steps.text)
        begin = prefill(inquiry, words.CHECK)
        said = await inquiry.ask(messages, prefill=begin, max_tokens=room(inquiry))
        value, reason = last_probability(said.text, prompts.transcript(inquiry.messages))
        details["reflection_tokens"] = chain_length(said)
        return Confidence(value, self.scale, reason, answer=steps.answer, details=details)

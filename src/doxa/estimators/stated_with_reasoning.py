"""Stated confidence with reasoning: steps, an answer and its probability in one reply."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from doxa.estimators.chains import room
from doxa.estimators.reading import prefill
from doxa.estimators.stating import NOT_ATTEMPTED, attempted, chain_length, read
from doxa.inquiry import Inquiry
from doxa.prompts import reasoning, words
from doxa.types import Access, Confidence, Scale


@dataclass(frozen=True)
class StatedWithReasoning:
    """The probability from 0 to 1 that the model states at the end of a reply that reasons and answers.

    Range [0, 1], higher is surer. The number is about the method's own answer, that of the same reply; worked examples
    show the form, and the probability is read only after the answer's marker. `details` holds the reply's tokens: the
    authors find that models are surer where they reason less. As they count attempted answers only, "I don't know" and
    a refusal have no number, and how many there are is told with the reasons. Zeng et al. 2025, Thinking Out Loud
    (arXiv 2504.06564), chain of thought with a probability; wordings are ours, and the likeliest reply is taken in
    place of one at temperature 0.6.
    """

    access: ClassVar[Access] = Access.TEXT
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ("thinking-out-loud",)
    coverage: ClassVar[str] = "full"
    spelled: ClassVar[str] = "stated_with_reasoning,stated_after_reflection"
    helps: ClassVar[str] = "A model that was trained to reason takes its doubts on the way into its last word."
    fails: ClassVar[str] = "Small models copy the probability of an example."

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Ask for all three and read them."""
        begin = prefill(inquiry, reasoning.BEGIN)
        messages = words.reason_and_state(inquiry.messages, inquiry.kind)
        said = await inquiry.ask(messages, prefill=begin, max_tokens=room(inquiry))
        answer, value, reason = read(begin + said.text, scale=1)
        details = {"tokens": chain_length(said)}
        if answer is not None and not attempted(answer):
            return Confidence(None, self.scale, NOT_ATTEMPTED, details=details)
        return Confidence(value, self.scale, reason, answer=answer, details=details)

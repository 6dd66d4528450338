"""Stated confidence in one turn: an answer and how sure the model is of it, in one reply."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from doxa import prompts
from doxa.estimators.reading import prefill
from doxa.estimators.stating import BEGIN, read
from doxa.inquiry import Inquiry
from doxa.types import Access, Confidence, Scale


@dataclass(frozen=True)
class StatedOneTurn:
    """The percentage the model states along with an answer, divided by 100.

    Range [0, 1], higher is surer. The question is asked anew with a request for both, so the number is about the
    method's own answer; two example exchanges show the form. The percentage is read only after the answer's marker in
    that reply. Xiong et al. 2023, Can LLMs Express Their Uncertainty? (arXiv 2306.13063), vanilla prompt; the one-stage
    verbalised confidence of Tian et al. 2023 (arXiv 2305.14975). `as_released` reads the first number with a decimal
    point as a fraction and nothing else, as LM-Polygraph does.
    """

    as_released: bool = False

    access: ClassVar[Access] = Access.TEXT
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ()
    helps: ClassVar[str] = "Only one call can be spent on a large model that follows a form."
    fails: ClassVar[str] = "Small models copy a number from the form: on 150 capitals its word was worth nothing (.52)."

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Ask for both and read them."""
        begin = prefill(inquiry, BEGIN)
        said = await inquiry.ask(prompts.one_turn(inquiry.messages), prefill=begin, max_tokens=24)
        answer, value, reason = read(begin + said.text, as_released=self.as_released)
        return Confidence(value, self.scale, reason, answer=answer)

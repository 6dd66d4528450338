"""Stated confidence in one turn: an answer and how sure the model is of it, in one reply."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from doxa import prompts
from doxa.estimators.reading import prefill
from doxa.inquiry import Inquiry
from doxa.text import stated_percent
from doxa.types import Access, Confidence, Scale

_BEGIN = "Answer:"
_INSIDE = r"(?:(?!\n\W*answer\W*[:=]).)*"
"""Anything up to the next line that begins an answer."""
_FORM = re.compile(
    rf"(?:^|\n)\W*answer\W*[:=](?P<answer>{_INSIDE}?)\b(?:confidence|probability)\b(?P<said>{_INSIDE})",
    re.IGNORECASE | re.DOTALL,
)


class Stated(NamedTuple):
    """An answer with its stated confidence, or the reason why there is none."""

    answer: str | None
    value: float | None
    reason: str = ""


def read(text: str) -> Stated:
    """The answer after its last marker, and the confidence after that; nothing before the marker counts.

    >>> read("Answer: Paris. Confidence: 80%")
    Stated(answer='Paris', value=0.8, reason='')
    """
    form = max(_FORM.finditer(text), key=re.Match.start, default=None)
    answer = form["answer"].strip(" \n\t*.,;(") if form else ""
    if form is None or not answer:
        return Stated(None, None, "the reply is not in the form of an answer and a confidence")
    value, reason = stated_percent(f"Confidence{form['said']}")
    return Stated(answer, value, reason)


@dataclass(frozen=True)
class StatedOneTurn:
    """The percentage the model states along with an answer, divided by 100.

    Range [0, 1], higher is surer. The question is asked anew with a request for both, so the number is about the
    method's own answer; two example exchanges show the form. The percentage is read only after the answer's marker in
    that reply. Xiong et al. 2023, Can LLMs Express Their Uncertainty? (arXiv 2306.13063), vanilla prompt; the one-stage
    verbalised confidence of Tian et al. 2023 (arXiv 2305.14975).
    """

    access: ClassVar[Access] = Access.TEXT
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ()
    helps: ClassVar[str] = "Only one call can be spent on a large model that follows a form."
    fails: ClassVar[str] = "Small models copy a number from the form: on 150 capitals its word was worth nothing (.52)."

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Ask for both and read them."""
        begin = prefill(inquiry, _BEGIN)
        said = await inquiry.ask(prompts.one_turn(inquiry.messages), prefill=begin, max_tokens=24)
        answer, value, reason = read(begin + said.text)
        return Confidence(value, self.scale, reason, answer=answer)

"""An answer and a confidence in one reply, as its text puts them."""

from __future__ import annotations

import re
from typing import NamedTuple

from doxa.text import first_decimal, is_refusal, says_unknown, stated_percent
from doxa.types import Reply

BEGIN = "Answer:"
_INSIDE = r"(?:(?!\n\W*answer\W*[:=]).)*"
"""Anything up to the next line that begins an answer."""
_FORM = re.compile(
    rf"(?:^|\n)\W*answer\W*[:=](?P<answer>{_INSIDE}?)\b(?:confidence|probability)\b(?P<said>{_INSIDE})",
    re.IGNORECASE | re.DOTALL,
)
NO_FORM = "the reply is not in the form of an answer and a confidence"


class Stated(NamedTuple):
    """An answer with its stated confidence, or the reason why there is none."""

    answer: str | None
    value: float | None
    reason: str = ""


def answer_and_word(text: str) -> tuple[str, str] | None:
    """The answer after its last marker and what follows it as the confidence; nothing before that marker counts.

    >>> answer_and_word("Answer: Paris. Confidence: 80%"), answer_and_word("Paris, 80%")
    (('Paris', ': 80%'), None)
    """
    form = max(_FORM.finditer(text), key=re.Match.start, default=None)
    answer = form["answer"].strip(" \n\t*.,;(") if form else ""
    return (answer, form["said"]) if form and answer else None


def read(text: str, *, scale: int = 100, as_released: bool = False) -> Stated:
    """An answer with the figure stated after it: as `stated_percent` reads it, or as LM-Polygraph does.

    >>> read("Answer: Paris. Confidence: 80%"), read("Answer: Paris. Confidence: 80%", as_released=True).value
    (Stated(answer='Paris', value=0.8, reason=''), None)
    """
    found = answer_and_word(text)
    if found is None:
        return Stated(None, None, NO_FORM)
    answer, said = found
    value, reason = first_decimal(said) if as_released else stated_percent(f"Confidence{said}", scale=scale)
    return Stated(answer, value, reason)


NO_CHAIN = "the reasoning ends in no answer"
NOT_ATTEMPTED = "no answer is attempted"
_LAST = re.compile(r".*\bprobability\b[^\n\d.−-]{0,3}", re.IGNORECASE | re.DOTALL)


def last_probability(text: str, question: str = "") -> tuple[float | None, str]:
    """The probability from 0 to 1 that is stated after the last marker of one; without a marker there is none.

    >>> last_probability("There are 2 doubts.\\nProbability: 0.7")[0], last_probability("0.7")
    (0.7, (None, 'no line states a probability'))
    """
    found = _LAST.match(text)
    if found is None:
        return None, "no line states a probability"
    return stated_percent(f"Probability: {text[found.end() :]}", scale=1, question=question)


def chain_length(reply: Reply) -> float | None:
    """Tokens of a reply; `None` where the server does not say."""
    return None if reply.usage.tokens_out is None else float(reply.usage.tokens_out)


def attempted(answer: str) -> bool:
    """Whether an answer is one: not "I don't know", and no refusal."""
    return not (says_unknown(answer) or is_refusal(answer))

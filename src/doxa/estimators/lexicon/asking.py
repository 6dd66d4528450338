"""An answer and a phrase of certainty, asked for in one reply."""

from __future__ import annotations

from doxa.estimators.lexicon import RELEASED, SURVEY, phrase
from doxa.estimators.reading import prefill
from doxa.estimators.stating import BEGIN, NO_FORM, answer_and_word
from doxa.inquiry import Inquiry
from doxa.prompts import words


async def answer_in_words(inquiry: Inquiry, *, as_released: bool = False) -> tuple[str | None, str | None, str]:
    """The answer, the phrase that goes with it, and why there is no phrase."""
    begin, known = prefill(inquiry, BEGIN), list(RELEASED if as_released else SURVEY)
    said = await inquiry.ask(words.phrased(inquiry.messages, known), prefill=begin, max_tokens=24)
    found = answer_and_word(begin + said.text)
    if found is None:
        return None, None, NO_FORM
    answer, word = found
    return answer, *phrase(word, as_released=as_released)

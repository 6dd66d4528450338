"""When two replies say the same: equality of one canonical form, so that clusters of replies are a partition."""

from __future__ import annotations

import re
from collections.abc import Sequence

from doxa.text.days import dates
from doxa.text.figures import number_word, numbers
from doxa.text.replies import answer_sentence, choice_letter, is_refusal, says_unknown, short_answer, yes_no
from doxa.text.words import normalise, plain

_POINTED = re.compile(r"\\boxed|answer", re.IGNORECASE)
_STARTS = re.compile(r"\W{0,3}\d[\d.,]*(?:e[+-]?\d+)?(?![\d.,]| ?(?:[-+*/×÷x^]|(?:and|plus|minus|times|divided)\b))")
_RESULT = re.compile(r"[=≈]\s?[^=≈]*$")


def number_in(text: str) -> float | None:
    """The number a reply gives as its answer, units ignored; `None` if it gives none.

    A boxed or labelled answer first; else what follows the last "="; else, in the short answer, the number it starts
    with unless a sum follows, or its last one; else a number in English words.

    >>> number_in("To add them: 12 + 30 = 42."), number_in("It is 365 days from 1 May."), number_in("forty-two")
    (42.0, 365.0, 42.0)
    """
    answer = short_answer(text)
    result = _RESULT.search(answer)
    if result is None and not _POINTED.search(text):
        result = _RESULT.search(plain(text[-4000:]).strip())
    if result and (found := numbers(result[0])):
        return found[0]
    found = numbers(answer) or numbers(answer_sentence(text))
    if not found:
        return number_word(answer)
    return found[0] if _STARTS.match(answer) else found[-1]


def canonical(text: str, kind: str, choices: Sequence[str] = ()) -> str | None:
    """One form for all replies that give the same answer; `None` for refusals, "I don't know" and the unreadable.

    >>> canonical("It is 1,000 km.", "number"), canonical("It's **Paris**!", "open"), canonical("No idea", "open")
    ('1000', 'paris', None)
    """
    if kind == "choice":
        index = choice_letter(text, choices)
        if index is not None:
            return str(index)
    if not normalise(short_answer(text)) or says_unknown(text) or is_refusal(text) or kind == "choice":
        return None
    if kind == "number":
        value = number_in(text)
        return None if value is None else f"{value + 0.0:.12g}"
    if kind == "date":
        found = dates(short_answer(text)) or dates(answer_sentence(text)) or dates(text[:2000])
        return found[0].isoformat() if found else None
    if kind == "boolean":
        said = yes_no(text)
        return None if said is None else ("yes" if said else "no")
    return normalise(short_answer(text))


def same_answer(a: str, b: str, kind: str, choices: Sequence[str] = ()) -> bool:
    """Whether two replies give the same answer: both readable, and equal in canonical form."""
    form = canonical(a, kind, choices)
    return form is not None and form == canonical(b, kind, choices)

"""Several guesses at one answer with a probability each, stated in one reply or in the next."""

from __future__ import annotations

import re
from collections.abc import Mapping

from doxa import prompts
from doxa.errors import UsageError
from doxa.estimators.reading import prefill
from doxa.inquiry import Inquiry
from doxa.prompts import words
from doxa.text import stated_percent

_GUESS = re.compile(r"\bG(\d+)\W*:((?:(?!\bG\d).)*?)\bP\1\W*:(.*?)(?=\n|\bG\d|$)", re.IGNORECASE | re.DOTALL)
_ALONE = re.compile(r"\bG(\d+)\W*:[^\S\n]*(.*?)[^\S\n]*(?=\n|\bG\d|$)", re.IGNORECASE)
_STATED = re.compile(r"\bP(\d+)\W*:(.*?)(?=\n|\bP\d|$)", re.IGNORECASE)
NONE = "no guess with a readable probability"


def check_guesses(k: int, turns: int) -> None:
    """Raise `UsageError` for more guesses than are shown by example, or for turns that are not one or two."""
    if not 1 <= k <= prompts.MOST_GUESSES:
        raise UsageError(f"cannot ask for {k} guesses", hint=f"k is 1 to {prompts.MOST_GUESSES}")
    if turns not in (1, 2):
        raise UsageError(f"cannot ask in {turns} turns", hint="turns is 1 or 2")


def guesses(text: str) -> dict[str, float]:
    """Guesses with their probabilities in the order given; those that cannot be read are left out.

    Of two guesses with one number the later counts, of two that are equal the earlier.

    >>> guesses("G1: Oslo\\nP1: 60%\\nG2: Bergen\\nP2: 30%")
    {'Oslo': 0.6, 'Bergen': 0.3}
    """
    return _readable({number: (guess.strip(), said) for number, guess, said in _GUESS.findall(text)})


def paired(listed: str, stated: str) -> dict[str, float]:
    """Guesses of one turn with the probabilities of the next, by their numbers; else as `guesses`.

    >>> paired("G1: Oslo\\nG2: Bergen", "P1: 60%\\nP2: 30%")
    {'Oslo': 0.6, 'Bergen': 0.3}
    """
    given = dict(_STATED.findall(stated))
    return _readable({number: (guess, given.get(number, "")) for number, guess in _ALONE.findall(listed)})


def _readable(numbered: Mapping[str, tuple[str, str]]) -> dict[str, float]:
    found: dict[str, float] = {}
    for guess, said in numbered.values():
        value = stated_percent(said).value
        if guess and value is not None:
            found.setdefault(guess, value)
    return found


async def stated_guesses(inquiry: Inquiry, k: int, turns: int) -> dict[str, float]:
    """The `k` guesses the model makes with the probabilities it states, in one turn or in two."""
    begin, enough = prefill(inquiry, "G1:"), f"G{k + 1}"
    if turns == 1:
        messages = prompts.top_k(inquiry.messages, k)
        return guesses(begin + (await inquiry.ask(messages, prefill=begin, max_tokens=16 * k, stop=(enough,))).text)
    messages = words.guesses(inquiry.messages, k)
    listed = begin + (await inquiry.ask(messages, prefill=begin, max_tokens=12 * k, stop=(enough,))).text
    messages, begin = prompts.follow_up(messages, listed, words.PROBABILITIES), prefill(inquiry, "P1:")
    said = await inquiry.ask(messages, prefill=begin, max_tokens=8 * k, stop=(f"P{k + 1}",))
    return paired(listed, begin + said.text)


def best(found: Mapping[str, float]) -> str:
    """The most probable guess; of equals the first."""
    return max(found, key=found.__getitem__)

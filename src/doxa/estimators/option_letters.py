"""Option probability by letter: how much of the probability over the letters the chosen one has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from doxa import prompts
from doxa.errors import Unavailable
from doxa.inquiry import Inquiry
from doxa.text import canonical
from doxa.types import Access, Confidence, Scale

_YES_NO = {"Yes": "yes", "yes": "yes", "No": "no", "no": "no"}


def option_probability(chosen: str, meanings: Sequence[str], probabilities: Sequence[float]) -> float:
    """Sum of the probabilities of the options that mean `chosen`.

    >>> option_probability("no", ["yes", "yes", "no"], [0.5, 0.25, 0.25])
    0.25
    """
    return sum(p for meaning, p in zip(meanings, probabilities, strict=True) if meaning == chosen)


@dataclass(frozen=True)
class OptionLetters:
    """Probability of the letter the reply chose, over the letters of all options; for yes-or-no questions, of the word.

    Range [0, 1], higher is surer; for choice and boolean questions only. Kadavath et al. 2022 (arXiv 2207.05221),
    section 2. Small models favour a letter whatever stands behind it; `option_likelihood` is free of that.
    """

    access: ClassVar[Access] = Access.LOGPROBS
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ()

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Read the probabilities of the letters at the place of the reply."""
        if inquiry.kind not in ("choice", "boolean"):
            raise Unavailable("the question has no options")
        reply = await inquiry.reply()
        chosen = canonical(reply.text, inquiry.kind, inquiry.choices)
        if chosen is None:
            return Confidence(None, self.scale, "the reply names no option")
        letters = {letter: str(number) for number, letter in enumerate(prompts.letters(len(inquiry.choices)))}
        meanings = letters if inquiry.kind == "choice" else _YES_NO
        options = await inquiry.options(inquiry.messages, list(meanings))
        value = option_probability(chosen, list(meanings.values()), options.probabilities)
        return Confidence(value, self.scale)

"""Option probability by letter: how much of the probability over the letters the chosen one has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from doxa.errors import Unavailable
from doxa.estimators.reading import by_meaning, option_meanings
from doxa.inquiry import Inquiry
from doxa.text import canonical
from doxa.types import Access, Confidence, Scale


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
    helps: ClassVar[str] = "Multiple choice with a model that is at home with letters."
    fails: ClassVar[str] = (
        "Small models favour a letter whatever stands behind it, and there is no number for open questions."
    )

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Read the probabilities of the letters at the place of the reply."""
        if inquiry.kind not in ("choice", "boolean"):
            raise Unavailable("the question has no options")
        reply = await inquiry.reply()
        chosen = canonical(reply.text, inquiry.kind, inquiry.choices)
        if chosen is None:
            return Confidence(None, self.scale, "the reply names no option")
        meanings = option_meanings(inquiry.kind, len(inquiry.choices))
        options = await inquiry.options(inquiry.messages, list(meanings))
        return Confidence(by_meaning(list(meanings.values()), options.probabilities).get(chosen, 0.0), self.scale)

"""Option probability by letter: how much of the probability over the letters the chosen one has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from doxa.errors import Unavailable, UsageError
from doxa.estimators.reading import by_meaning, option_meanings
from doxa.inquiry import Inquiry
from doxa.prompts.labels import labelled
from doxa.text import canonical
from doxa.types import Access, Confidence, Scale


@dataclass(frozen=True)
class OptionLetters:
    """Probability of the letter the reply chose, over the letters of all options; for yes-or-no questions, of the word.

    Range [0, 1], higher is surer; for choice and boolean questions only. Kadavath et al. 2022 (arXiv 2207.05221),
    section 2. Small models favour a letter whatever stands behind it; `option_likelihood` is free of that.

    With `labels` ("true/false", say) a boolean question asks for one of these two words, and the number is about the
    answer yes, whatever the reply: p(true) / (p(true) + p(false)), in either case of letters. So Giovannotti and
    Gammerman 2024 (arXiv 2407.01122) compare pairs of words, each calibrated. Raises `UsageError` for no such pair.
    """

    labels: str = ""

    access: ClassVar[Access] = Access.LOGPROBS
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ("ivap-binary-qa",)
    coverage: ClassVar[str] = "partial: the probability of yes for any pair of words, uncalibrated"
    example: ClassVar[str] = "bank:capitals_claims"
    spelled: ClassVar[str] = "option_letters(labels='yes/no'),option_letters(labels='true/false')"
    helps: ClassVar[str] = "Multiple choice with a model that is at home with letters."
    fails: ClassVar[str] = (
        "Small models favour a letter whatever stands behind it, and there is no number for open questions."
    )

    def __post_init__(self) -> None:
        """Check that labels are two words."""
        if self.labels and (len(self._pair()) != 2 or len({*self._pair()} - {""}) != 2):
            raise UsageError(
                f"labels={self.labels!r}", hint="give the word for yes and that for no: labels='true/false'"
            )

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Read the probabilities of the letters at the place of the reply."""
        if inquiry.kind not in ("choice", "boolean"):
            raise Unavailable("the question has no options")
        if self.labels:
            return await self._yes(inquiry)
        reply = await inquiry.reply()
        chosen = canonical(reply.text, inquiry.kind, inquiry.choices)
        if chosen is None:
            return Confidence(None, self.scale, "the reply names no option")
        meanings = option_meanings(inquiry.kind, len(inquiry.choices))
        options = await inquiry.options(inquiry.messages, list(meanings))
        return Confidence(by_meaning(list(meanings.values()), options.probabilities).get(chosen, 0.0), self.scale)

    async def _yes(self, inquiry: Inquiry) -> Confidence:
        """The probability of the word for yes."""
        if inquiry.kind != "boolean":
            raise Unavailable("the labels are words for yes and no, and the question is another")
        yes, no = self._pair()
        spelled = {form: label for label in (yes, no) for form in (label, label.capitalize())}
        options = await inquiry.options(labelled(inquiry.messages, yes, no), list(spelled))
        value = by_meaning(list(spelled.values()), options.probabilities)[yes]
        return Confidence(value, self.scale, answer="yes")

    def _pair(self) -> list[str]:
        """The word for yes and that for no, in small letters."""
        return [label.strip().lower() for label in self.labels.split("/")]

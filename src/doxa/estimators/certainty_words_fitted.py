"""Words of certainty with fitted meanings: a phrase is worth how often the answers that came with it were right."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import ClassVar, Self

from doxa.errors import CallFailed, Unavailable
from doxa.estimators.lexicon import SURVEY
from doxa.estimators.lexicon.asking import answer_in_words
from doxa.inquiry import Inquiry
from doxa.types import Access, Confidence, Scale


def fitted_meanings(
    phrases: Sequence[str | None], correct: Sequence[bool], human: Mapping[str, float]
) -> dict[str, float]:
    """For each of N known phrases its share of right answers if at least 1/N of all questions got it, else `human`.

    >>> fitted_meanings(["likely", "likely", "unlikely"], [True, False, False], {"likely": 0.7, "unlikely": 0.2})
    {'likely': 0.5, 'unlikely': 0.2}
    """
    outcomes: dict[str, list[bool]] = defaultdict(list)
    for phrase, right in zip(phrases, correct, strict=True):
        if phrase is not None:
            outcomes[phrase].append(right)
    enough = len(correct) / len(human)
    return {
        phrase: fmean(outcomes[phrase]) if outcomes[phrase] and len(outcomes[phrase]) >= enough else value
        for phrase, value in human.items()
    }


@dataclass(frozen=True)
class CertaintyWordsFitted:
    """How often answers were right on other questions that came with the phrase which the model gives with this one.

    Range [0, 1], higher is surer. The number is about the method's own answer, that of `certainty_words_one_turn`. A
    phrase that fewer than 1/17 of the fitting questions got, 17 being the number of phrases, keeps what people
    understand by it, as all do before the fit. Tian et al. 2023, Just Ask for Calibration (arXiv 2305.14975),
    "Ling. 1S-opt.".
    """

    _meanings: tuple[tuple[str, float], ...] = tuple(SURVEY.items())

    access: ClassVar[Access] = Access.TEXT
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ("just-ask-calibration",)
    coverage: ClassVar[str] = "partial: Ling. 1S-opt."
    helps: ClassVar[str] = "A model chooses its words consistently, but means something else by them than people do."
    fails: ClassVar[str] = (
        "A model with one phrase for everything gets the same number everywhere: its rate of right answers."
    )

    async def fit(self, inquiries: Sequence[Inquiry], correct: Sequence[bool]) -> Self:
        """Find what the phrases mean. Raises `Unavailable` when no phrase can be read."""
        phrases: list[str | None] = []
        for inquiry in inquiries:
            try:
                phrases.append((await answer_in_words(inquiry))[1])
            except (CallFailed, Unavailable):  # one question less to learn from
                phrases.append(None)
        if not any(phrases):
            raise Unavailable("no phrase of certainty could be read on the fitting questions")
        return replace(self, _meanings=tuple(fitted_meanings(phrases, correct, SURVEY).items()))

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Ask for an answer and a phrase and look the phrase up."""
        answer, phrase, reason = await answer_in_words(inquiry)
        return Confidence(None if phrase is None else dict(self._meanings)[phrase], self.scale, reason, answer=answer)

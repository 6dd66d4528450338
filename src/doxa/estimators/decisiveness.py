"""Decisiveness: how decisively the model puts its answer, to be held against how consistently it gives it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from doxa.errors import UsageError
from doxa.estimators.hedging import heard
from doxa.estimators.hedging.asking import check_prompt, declines, own_sentence
from doxa.inquiry import Inquiry
from doxa.prompts import hedging
from doxa.text import stated_percent
from doxa.types import Access, Confidence, Scale

_BY = ("auto", "judge", "words")


@dataclass(frozen=True)
class Decisiveness:
    """How decisively the model puts its own answer, in a sentence asked for as `linguistic_confidence` does.

    Range [0, 1], higher is surer: 1 leaves no room for doubt. `by` a judge, which is the model in that role or the
    model itself; by the sentence's hedges ("words": 1 without a hedge, else what people understand by it); or, "auto",
    by a judge where the run has one and else by words. An answer that declines to answer is decisive: 1. MetaFaith,
    Liu et al. 2025 (arXiv 2505.24858), whose judge is asked at temperature 0.5 and top-p 0.1. With
    `assertion_consistency` in the same run, the report says how faithful the words are.
    """

    prompt: str = "plus"
    variant: int = 0
    by: str = "auto"

    access: ClassVar[Access] = Access.TEXT
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ("metafaith",)
    coverage: ClassVar[str] = (
        "partial: three styles of metacognitive prompts, decisiveness, consistency, MFG and cMFG; the sentence is one "
        "assertion: without a model that extracts several"
    )
    example: ClassVar[str] = "bank:capitals --limit 8"
    spelled: ClassVar[str] = "decisiveness(prompt=reflect),assertion_consistency(prompt=reflect)"
    helps: ClassVar[str] = "Beside assertion_consistency: it shows whether the words follow what the model believes."
    fails: ClassVar[str] = "As a confidence: how something is put says little about whether it is right."

    def __post_init__(self) -> None:
        """Check the prompt and who judges."""
        check_prompt(self.prompt, self.variant)
        if self.by not in _BY:
            raise UsageError(f"nothing judges decisiveness by {self.by!r}", hint=f"there are: {', '.join(_BY)}")

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Ask for the sentence and have it judged."""
        said = await own_sentence(inquiry, self.prompt, self.variant)
        if declines(said.text):
            return Confidence(1.0, self.scale, answer=said.text)
        if said.answer is None:
            return Confidence(None, self.scale, "its own answer cannot be read", answer=said.text)
        role = "judge" if "judge" in inquiry.callers else "subject"
        if self.by == "words" or (self.by == "auto" and role == "subject"):
            sound = heard(said.text)
            plain = sound.value is None or sound.boosted
            return Confidence(1.0 if plain else sound.value, self.scale, answer=said.claim, provenance="its words")
        asked = hedging.decisiveness(said.text.strip())
        rated = await inquiry.ask(asked, role=role, max_tokens=8, temperature=0.5, top_p=0.1)
        value, reason = stated_percent(rated.text)
        who = "a judge" if role == "judge" else "the model as its own judge"
        return Confidence(value, self.scale, reason, answer=said.claim, provenance=who)

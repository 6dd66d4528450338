"""Persistence: does the model keep its answer when asked to reconsider?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from doxa import prompts
from doxa.estimators.reading import answered
from doxa.inquiry import Inquiry
from doxa.text import canonical
from doxa.types import Access, Confidence, Scale


@dataclass(frozen=True)
class Persistence:
    """1 when the model gives the same answer when told to think again, 0 when it gives another.

    Range {0, 1}, higher is surer. The question, the reply and the request to think again are one conversation. A
    second turn without a readable answer, such as a refusal, neither keeps nor changes and is `None`. Pawitan and
    Holmes 2025, Confidence in the Reasoning of Large Language Models (arXiv 2412.15296).
    """

    access: ClassVar[Access] = Access.TEXT
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ("confidence-persistence",)
    coverage: ClassVar[str] = "partial: the kept answer; without the self-reported score from 0 to 100 and the analysis"
    helps: ClassVar[str] = "Only text can be had, and whether an answer survives a second look is itself the question."
    fails: ClassVar[str] = (
        "There are two values only, and a model that always repeats itself, or always gives in, shows nothing: .49 on "
        "150 capitals."
    )

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Ask again in the same conversation and compare."""
        reply, first = await answered(inquiry)
        again = await inquiry.ask(prompts.reconsider(inquiry.messages, reply.text))
        second = canonical(again.text, inquiry.kind, inquiry.choices)
        if second is None:
            return Confidence(None, self.scale, "the second answer neither keeps nor changes the first")
        return Confidence(float(first == second), self.scale)

"""Persistence: does the model keep its answer when asked to reconsider?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from doxa.estimators.reading import answered
from doxa.estimators.rethinking import NEITHER, check_style, think_again
from doxa.inquiry import Inquiry
from doxa.types import Access, Confidence, Scale


@dataclass(frozen=True)
class Persistence:
    """1 when the model gives the same answer when told to think again, 0 when it gives another.

    Range {0, 1}, higher is surer. The question, the reply and the request to think again are one conversation. A
    second turn without a readable answer, such as a refusal, neither keeps nor changes and is `None`. Pawitan and
    Holmes 2025, Confidence in the Reasoning of Large Language Models (arXiv 2412.15296); wordings are ours. `style`:
    "plain" tells it to think again, "neutral" says that the answer may be right or wrong, "post_hoc" wants it explained
    first, "self_discover" wants a way of thinking chosen and followed. Raises `UsageError` for another style.
    """

    style: str = "plain"

    access: ClassVar[Access] = Access.TEXT
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ("confidence-persistence",)
    coverage: ClassVar[str] = "full"
    spelled: ClassVar[str] = "persistence,second_answer"
    helps: ClassVar[str] = "Only text can be had, and whether an answer survives a second look is itself the question."
    fails: ClassVar[str] = (
        "There are two values only, and a model that always repeats itself, or always gives in, shows nothing: .49 on "
        "150 capitals."
    )

    def __post_init__(self) -> None:
        """Check the style."""
        check_style(self.style)

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Ask again in the same conversation and compare."""
        reply, first = await answered(inquiry)
        second = await think_again(inquiry, reply, self.style)
        if second.form is None:
            return Confidence(None, self.scale, NEITHER)
        return Confidence(float(first == second.form), self.scale)

"""The second answer: what the model says after thinking again, with the score it then gives itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from doxa import prompts
from doxa.estimators.reading import prefill
from doxa.estimators.rethinking import NEITHER, check_style, think_again
from doxa.inquiry import Inquiry
from doxa.prompts import words
from doxa.text import canonical, stated_percent
from doxa.types import Access, Confidence, Scale


@dataclass(frozen=True)
class SecondAnswer:
    """The score from 0 to 100 that the model gives its second answer in the same conversation, divided by 100.

    Range [0, 1], higher is surer. The number is about the method's own answer: that after the request to think again,
    which is the one `persistence` makes, in the same styles. `details` holds whether it keeps the first answer. A
    second turn without a readable answer, such as a refusal, has no score and neither keeps nor changes. Pawitan and
    Holmes 2025, Confidence in the Reasoning of Large Language Models (arXiv 2412.15296); wordings are ours. Raises
    `UsageError` for another style.
    """

    style: str = "plain"

    access: ClassVar[Access] = Access.TEXT
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ("confidence-persistence",)
    coverage: ClassVar[str] = "partial: second answer and score; whether it is kept is persistence"
    helps: ClassVar[str] = (
        "One wants to know whether a second look mends answers or spoils them, and if the model notices."
    )
    fails: ClassVar[str] = "Small models repeat themselves and give every second answer the same high score."

    def __post_init__(self) -> None:
        """Check the style."""
        check_style(self.style)

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Ask again, then for a score of what was said."""
        reply = await inquiry.reply()
        second = await think_again(inquiry, reply, self.style)
        if second.form is None:
            return Confidence(None, self.scale, NEITHER)
        first = canonical(reply.text, inquiry.kind, inquiry.choices)
        messages = prompts.follow_up(second.messages, second.text, words.SCORE)
        said = await inquiry.ask(messages, prefill=prefill(inquiry, "Score:"), max_tokens=8)
        value, reason = stated_percent(said.text, question=prompts.transcript(inquiry.messages))
        kept = None if first is None else float(first == second.form)
        return Confidence(value, self.scale, reason, answer=second.answer, details={"kept": kept})

"""Stated confidence in two turns: the model answers, and is then asked how sure it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from doxa import prompts
from doxa.estimators.reading import prefill
from doxa.inquiry import Inquiry
from doxa.text import first_decimal, stated_percent
from doxa.types import Access, Confidence, Scale


@dataclass(frozen=True)
class StatedTwoTurn:
    """The percentage the model states for its reply when asked in the next turn, divided by 100.

    Range [0, 1], higher is surer. This is the model's *word*. Only the answer to the follow-up is read, never the
    reply or the question; the last well-formed percentage counts, and an ambiguous one is `None`. The two-stage
    verbalised confidence of Tian et al. 2023, Just Ask for Calibration (arXiv 2305.14975). `as_released` reads
    the first number with a decimal point as a fraction and nothing else, as LM-Polygraph does.
    """

    as_released: bool = False

    access: ClassVar[Access] = Access.TEXT
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ()
    helps: ClassVar[str] = "The model's word about its reply is itself of interest, or nothing but text can be had."
    fails: ClassVar[str] = (
        "Models are too sure in words, and that of the embedded one ranks no better than chance (.46 on 150 capitals)."
    )

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Ask for a percentage and read it."""
        reply = await inquiry.reply()
        messages = prompts.follow_up(inquiry.messages, reply.text, prompts.CONFIDENCE)
        said = await inquiry.ask(messages, prefill=prefill(inquiry, "Probability:"), max_tokens=12)
        if self.as_released:
            value, reason = first_decimal(said.text)
        else:
            value, reason = stated_percent(said.text, question=prompts.transcript(inquiry.messages))
        return Confidence(value, self.scale, reason)

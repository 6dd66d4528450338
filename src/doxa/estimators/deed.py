"""The deed: does the model stand by its answer when something is at stake?"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean
from typing import ClassVar

from doxa import prompts
from doxa.estimators.reading import prefill, the_word
from doxa.inquiry import Inquiry
from doxa.text import is_refusal, says_unknown
from doxa.types import Access, Confidence, Scale

_KEEP = {"keep": True, "withdraw": False}
_BET = {"bet": True, "pass": False}


def deed(acts: Iterable[bool | None]) -> float | None:
    """Share of the readable acts that stand by the answer; `None` if fewer than two are readable.

    >>> deed([True, False, None]), deed([True, None, None])
    (0.5, None)
    """
    done = [act for act in acts if act is not None]
    return fmean(done) if len(done) > 1 else None


@dataclass(frozen=True)
class Deed:
    """Mean of three acts: answers although it may say "I don't know", keeps rather than withdraws, bets at even odds.

    Range {0, 1/3, 1/2, 2/3, 1}, higher is surer. In each an error costs as much as a success gains, so standing by the
    answer is rational exactly when it is more likely right than wrong. `details` holds each act as 1, 0 or `None`.
    Fewer than two readable acts give no number. The act of answering asks the question anew; the other two are separate
    follow-ups to the reply. Acts instead of statements as evidence of belief follow Ramsey 1926, Truth and Probability.
    """

    access: ClassVar[Access] = Access.TEXT
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ()
    helps: ClassVar[str] = "What counts is whether the model stands by its answer when an error costs something."
    fails: ClassVar[str] = (
        "There are five values in all, and a small model keeps, bets and answers whatever it is asked: .49 on 150 "
        "capitals."
    )

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Ask for the three acts at once; none of them sees the others."""
        reply = await inquiry.reply()
        begin = prefill(inquiry, "I will")
        answered, kept, bet = await asyncio.gather(
            inquiry.ask(prompts.with_note(inquiry.messages, prompts.MAY_ABSTAIN), max_tokens=24),
            inquiry.ask(prompts.follow_up(inquiry.messages, reply.text, prompts.KEEP), prefill=begin, max_tokens=8),
            inquiry.ask(prompts.follow_up(inquiry.messages, reply.text, prompts.BET), prefill=begin, max_tokens=8),
        )
        acts = {
            "answers": _answers(answered.text),
            "keeps": the_word(kept.text, _KEEP),
            "bets": the_word(bet.text, _BET),
        }
        value = deed(acts.values())
        reason = "" if value is not None else "fewer than two of the three acts can be read"
        details = {name: None if act is None else float(act) for name, act in acts.items()}
        return Confidence(value, self.scale, reason, details=details)


def _answers(text: str) -> bool | None:
    """Whether the reply gives an answer; an empty one is unreadable."""
    return not (says_unknown(text) or is_refusal(text)) if text.strip() else None

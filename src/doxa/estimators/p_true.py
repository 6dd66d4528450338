"""P(True): the probability the model gives to its own answer being true."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from doxa import prompts
from doxa.errors import Unavailable
from doxa.inquiry import Inquiry
from doxa.types import Access, Confidence, Scale


@dataclass(frozen=True)
class PTrue:
    """Probability of (A) True against (B) False for the reply: p(A) / (p(A) + p(B)).

    Range [0, 1], higher is surer. The question and the reply are shown in a fresh conversation and the model is asked
    whether that answer is (A) True or (B) False; nothing is sampled. Kadavath et al. 2022, Language Models (Mostly)
    Know What They Know (arXiv 2207.05221), section 3, zero-shot and without comparison samples. `as_released` is the
    score of LM-Polygraph: the log-probability of True by itself, not set against that of False, in (-inf, 0].
    """

    as_released: bool = False

    access: ClassVar[Access] = Access.LOGPROBS
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ("p-true-p-ik",)
    coverage: ClassVar[str] = "partial: P(True) zero-shot; without P(IK)"
    spelled: ClassVar[str] = "p_true,p_true(as_released=True)"
    helps: ClassVar[str] = "Large models of some calibration, which can judge better than they answer."
    fails: ClassVar[str] = (
        "Small models choose a letter by habit: on 150 capitals the embedded one put true answers below false ones."
    )

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Read the probabilities of the two letters."""
        reply = await inquiry.reply()
        options = await inquiry.options(prompts.p_true(inquiry.messages, reply.text), prompts.TRUE_FALSE)
        if not self.as_released:
            return Confidence(options.probabilities[0], self.scale)
        if options.logprobs[0] == -math.inf:
            raise Unavailable("True is not among the likeliest tokens")
        return Confidence(options.logprobs[0], Scale.REAL)

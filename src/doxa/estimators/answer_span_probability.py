"""Answer-span probability: how likely the tokens of the final answer were, whatever reasoning led there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from doxa.estimators.spans import answer_logprobs, span_probability
from doxa.estimators.spans.rewards import MARKED
from doxa.inquiry import Inquiry
from doxa.types import Access, Confidence, Scale


@dataclass(frozen=True)
class AnswerSpanProbability:
    """Mean probability of the tokens of the reply's final answer: (1/|A|) Σ_{t in A} p(y_t | y_<t, question).

    Range [0, 1], higher is surer. The mean is arithmetic. The final answer is what the last box (\\boxed{…}) holds or,
    without one, the line after the last "Answer:", "answer is" or "####"; a reply with neither has no confidence. A
    reply that came without log-probabilities, out of a log or from somebody else, is teacher-forced where the model
    can do that; the provenance says so. Du et al. 2025, Confidence as a Reward (arXiv 2510.13501).
    """

    access: ClassVar[Access] = Access.LOGPROBS
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ("confidence-as-reward",)
    coverage: ClassVar[str] = "partial: scoring of own and others' replies in full; without DPO training (CRew-DPO)"
    example: ClassVar[str] = MARKED
    helps: ClassVar[str] = (
        "Replies reason before they answer: only the tokens of the marked final answer count, not the road to it."
    )
    fails: ClassVar[str] = (
        "Replies that mark no final answer have no number, and after long reasoning the final answer is nearly "
        "certain, right or wrong."
    )

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Find the final answer in the reply and read its log-probabilities."""
        reply = await inquiry.reply()
        tokens, provenance = reply.tokens or (), ""
        if reply.text and (not tokens or any(token.logprob is None for token in tokens)):
            tokens, provenance = await inquiry.logprobs(inquiry.messages, reply.text), "teacher forcing"
        logprobs = answer_logprobs(tokens)
        if not logprobs:
            return Confidence(None, self.scale, "the reply marks no final answer")
        return Confidence(span_probability(logprobs), self.scale, provenance=provenance)

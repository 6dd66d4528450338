"""Vote by answer span: self-consistency in which each sample weighs as much as its final answer was likely."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from doxa.estimators.spans.rewards import MARKED, rewarded, weighted_vote
from doxa.inquiry import Inquiry
from doxa.types import Access, Confidence, Scale


@dataclass(frozen=True)
class AnswerSpanVote:
    """The winner's share of all rewards, max_a Σ_{i: a_i = a} r_i / Σ_i r_i; about the method's own answer.

    Range [0, 1], higher is surer. r_i is the mean probability of the tokens of sample i's final answer, as in
    `answer_span_probability`; answers are equal when their normalised forms are. Samples that mark no readable final
    answer do not vote. Self-consistency with rewards of Du et al. 2025, Confidence as a Reward (arXiv 2510.13501).
    """

    samples: int = 16
    temperature: float = 1.0

    access: ClassVar[Access] = Access.LOGPROBS
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ("confidence-as-reward",)
    coverage: ClassVar[str] = "partial: voting in full; without DPO training (CRew-DPO)"
    example: ClassVar[str] = MARKED
    helps: ClassVar[str] = (
        "Samples reason and end in a marked answer, and sure ones should have more of a vote than unsure ones."
    )
    fails: ClassVar[str] = (
        "Samples that mark no final answer have no vote, and a model that repeats one error outvotes the truth."
    )

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Let the samples vote."""
        found = await rewarded(inquiry, self.samples, self.temperature)
        if not found:
            return Confidence(None, self.scale, "no sample marks a readable final answer")
        vote = weighted_vote([each.answer for each in found], [each.reward for each in found])
        if vote is None:
            return Confidence(None, self.scale, "every final answer is too unlikely to weigh")
        return Confidence(vote.share, self.scale, answer=found[vote.place].text)

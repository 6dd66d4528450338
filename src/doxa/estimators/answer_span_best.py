"""Best of n by answer span: the sampled reply whose final answer was most likely, and how likely that was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from doxa.estimators.spans.rewards import MARKED, best_of, rewarded
from doxa.inquiry import Inquiry
from doxa.types import Access, Confidence, Scale


@dataclass(frozen=True)
class AnswerSpanBest:
    """The largest mean probability of a final answer among n samples; the number is about the method's own answer.

    Range [0, 1], higher is surer. Each sample is scored as in `answer_span_probability` and the best is the own answer;
    samples that mark no readable final answer are left out. Best-of-n choice of Du et al. 2025, Confidence as a Reward
    (arXiv 2510.13501).
    """

    samples: int = 16
    temperature: float = 1.0

    access: ClassVar[Access] = Access.LOGPROBS
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ("confidence-as-reward",)
    coverage: ClassVar[str] = "partial: choosing the best of n in full; without DPO training (CRew-DPO)"
    example: ClassVar[str] = MARKED
    helps: ClassVar[str] = "Replies reason first and mark a final answer, and the likeliest of several should be taken."
    fails: ClassVar[str] = (
        "The best of many samples is sure of itself by selection, so the number is far too high; nor is there one "
        "where no answer is marked."
    )

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Score every sample and take the best."""
        found = await rewarded(inquiry, self.samples, self.temperature)
        if not found:
            return Confidence(None, self.scale, "no sample marks a readable final answer")
        best = found[best_of([each.reward for each in found])]
        return Confidence(best.reward, self.scale, answer=best.text)

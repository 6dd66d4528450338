"""P(True) with own samples: the model sees what else it would have said before it judges its answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from doxa import prompts
from doxa.inquiry import Inquiry
from doxa.types import Access, Confidence, Scale


@dataclass(frozen=True)
class PTrueSamples:
    """Probability of (A) True against (B) False for the reply, after `ideas` own samples: p(A) / (p(A) + p(B)).

    Range [0, 1], higher is surer. As `p_true`, with answers the model samples at temperature 1 shown first as
    brainstormed ideas. Kadavath et al. 2022, Language Models (Mostly) Know What They Know (arXiv 2207.05221), section
    3.2: showing comparison samples helps.
    """

    ideas: int = 5
    temperature: float = 1.0

    access: ClassVar[Access] = Access.LOGPROBS
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ("p-true-p-ik",)
    coverage: ClassVar[str] = "partial: P(True) after own samples; without P(IK)"
    helps: ClassVar[str] = "Large models, which see from what else they would have said whether they know it."
    fails: ClassVar[str] = (
        "Small models choose a letter by habit, and what many samples show is had from their agreement without asking."
    )

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Draw the ideas, then read the probabilities of the two letters."""
        reply = await inquiry.reply()
        ideas = [sample.text for sample in await inquiry.samples(self.ideas, temperature=self.temperature)]
        options = await inquiry.options(prompts.p_true(inquiry.messages, reply.text, ideas), prompts.TRUE_FALSE)
        return Confidence(options.probabilities[0], self.scale)

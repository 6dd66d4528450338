"""Self-consistency: how often the model says the same when asked again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from doxa.inquiry import Inquiry
from doxa.text import canonical
from doxa.types import Access, Confidence, Scale


def agreement(answer: str, samples: Sequence[str | None]) -> float:
    """Share of the samples that say `answer`; a sample of `None` says something else.

    >>> agreement("paris", ["paris", "lyon", None, "paris"])
    0.5
    """
    return sum(sample == answer for sample in samples) / len(samples)


@dataclass(frozen=True)
class SelfConsistency:
    """Share of n sampled answers that agree with the reply: (1/n) Σ [sample_i = reply].

    Range [0, 1], higher is surer. Answers are equal when their normalised forms are. Samples without a readable answer
    (empty, a refusal) stay in the denominator as disagreement: a model that often declines to answer is not sure of
    the answer it gave. A reply without a readable answer has no confidence. Wang et al. 2022 (arXiv 2203.11171) vote
    by this share; Xiong et al. 2023 (arXiv 2306.13063) call it consistency of self-random sampling.
    """

    samples: int = 10
    temperature: float = 1.0

    access: ClassVar[Access] = Access.TEXT
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ()

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Compare the reply with the samples."""
        reply = await inquiry.reply()
        answer = canonical(reply.text, inquiry.kind, inquiry.choices)
        if answer is None:
            return Confidence(None, self.scale, "the reply holds no readable answer")
        samples = await inquiry.samples(self.samples, temperature=self.temperature)
        answers = [canonical(sample.text, inquiry.kind, inquiry.choices) for sample in samples]
        return Confidence(agreement(answer, answers), self.scale)

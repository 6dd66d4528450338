"""Hybrid self-consistency: a vote of samples, each with the weight of the confidence stated for it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from doxa import prompts
from doxa.estimators.reading import answered, check_samples, prefill
from doxa.inquiry import Inquiry
from doxa.text import canonical, stated_percent
from doxa.types import Access, Confidence, Reply, Scale


def weighted_agreement(answer: str, samples: Sequence[str | None], weights: Sequence[float]) -> float | None:
    """Share of the samples' weight that lies on those that say `answer`.

    `None` when there is no weight: then there is no vote.

    >>> weighted_agreement("paris", ["paris", "lyon", None], [0.75, 0.25, 0.5])
    0.5
    """
    total = sum(weights)
    if total == 0:
        return None
    return sum(weight for sample, weight in zip(samples, weights, strict=True) if sample == answer) / total


@dataclass(frozen=True)
class HybridSelfConsistency:
    """Share of n samples that agree with the reply, each counted by its stated confidence: Σ [a_i = reply] c_i / Σ c_i.

    Range [0, 1], higher is surer. The model is asked in the next turn how sure it is of each sample, as in
    `stated_two_turn`; a sample whose confidence cannot be read does not vote. A baseline of Shrivastava, Kumar and
    Liang 2025 (arXiv 2502.01126), who say that words and samples are mixed; that the mix is this weighted vote is our
    reading, not theirs.
    """

    samples: int = 10
    temperature: float = 1.0

    access: ClassVar[Access] = Access.TEXT
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ()
    helps: ClassVar[str] = "The model states less confidence in the samples that it got wrong."
    fails: ClassVar[str] = "The model states much the same everywhere: it is then self-consistency at twice the price."

    def __post_init__(self) -> None:
        """Check the number of samples."""
        check_samples(self.samples)

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Ask how sure the model is of every sample, and let them vote."""
        _, answer = await answered(inquiry)
        drawn = await inquiry.samples(self.samples, temperature=self.temperature)
        stated = await asyncio.gather(*(self._stated(inquiry, sample) for sample in drawn))
        votes = [
            (canonical(sample.text, inquiry.kind, inquiry.choices), weight)
            for sample, weight in zip(drawn, stated, strict=True)
            if weight is not None
        ]
        value = weighted_agreement(answer, [said for said, _ in votes], [weight for _, weight in votes])
        reason = "no sample has a stated confidence above 0 that can be read" if value is None else ""
        return Confidence(value, self.scale, reason, details={"votes": float(len(votes))})

    async def _stated(self, inquiry: Inquiry, sample: Reply) -> float | None:
        """The confidence stated for a sample."""
        messages = prompts.follow_up(inquiry.messages, sample.text, prompts.CONFIDENCE)
        said = await inquiry.ask(messages, prefill=prefill(inquiry, "Probability:"), max_tokens=12)
        return stated_percent(said.text).value

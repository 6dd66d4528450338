"""Self-consistency: how often the model says the same when asked again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from doxa.estimators.reading import answered
from doxa.estimators.settling import check_settled, draw
from doxa.inquiry import Inquiry
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
    by this share; Xiong et al. 2023 (arXiv 2306.13063) call it consistency of self-random sampling, and
    others exact match.

    With `settled` (0.95, say) samples are drawn only until it is that probable that the reply is the likeliest answer
    of all, or that it is not: by the Dirichlet posterior of Aggarwal et al. 2023 (arXiv 2305.11860). `details` then
    hold the numbers drawn and saved.
    """

    samples: int = 10
    temperature: float = 1.0
    settled: float | None = None

    access: ClassVar[Access] = Access.TEXT
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ()
    helps: ClassVar[str] = (
        "Only text can be had and answers are short: whatever the model, agreement of samples says what it believes."
    )
    fails: ClassVar[str] = (
        "A model that repeats its error is sure of it, long answers never agree word for word, and ten samples cost "
        "ten calls."
    )

    def __post_init__(self) -> None:
        """Check when it is settled."""
        check_settled(self.settled)

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Compare the reply with the samples."""
        _, answer = await answered(inquiry)
        drawn = await draw(inquiry, self.samples, temperature=self.temperature, settled=self.settled, about=answer)
        return Confidence(agreement(answer, drawn.classes), self.scale, details=drawn.details)

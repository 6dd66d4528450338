"""Label probability: the share of the samples that give the commonest answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from doxa.estimators.meaning import check_equivalence, equivalence
from doxa.estimators.settling import check_settled, draw
from doxa.inquiry import Inquiry
from doxa.types import Access, Confidence, Scale


def label_probability(meanings: Sequence[str | None]) -> tuple[str, float]:
    """The largest class and its share of all samples; of equals the first. `None` is counted but is no class.

    >>> label_probability(["oslo", None, "bergen", "oslo"])
    ('oslo', 0.5)
    """
    [(meaning, count)] = Counter(meaning for meaning in meanings if meaning is not None).most_common(1)
    return meaning, count / len(meanings)


@dataclass(frozen=True)
class LabelProbability:
    """Share of the largest class of meaning among n sampled answers: max_c n_c / n.

    Range (0, 1], higher is surer. The number is about the method's own answer, the first sample of that class; of equal
    classes the one that was drawn first. Samples without a readable answer stay in the denominator; when all are, there
    is no number. `equivalence` is that of `semantic_entropy`, of which "entailment" by a judge is theirs. Tian et al.
    2023, Just Ask for Calibration (arXiv 2305.14975), "Label prob."

    With `settled` (0.95, say) samples are drawn only until it is that probable that the commonest class so far is the
    likeliest of all: the Dirichlet rule of Aggarwal et al. 2023 (arXiv 2305.11860). `details` then hold the numbers
    drawn and saved.
    """

    samples: int = 10
    temperature: float = 1.0
    equivalence: str = "auto"
    settled: float | None = None

    access: ClassVar[Access] = Access.TEXT
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ("just-ask-calibration",)
    coverage: ClassVar[str] = "partial: Label prob."
    helps: ClassVar[str] = (
        "The commonest answer of several is to be given, however it is worded, with the share that speaks for it."
    )
    fails: ClassVar[str] = (
        "A model that repeats its error is sure of it, and a weak judge of sameness splits one answer into many."
    )

    def __post_init__(self) -> None:
        """Check the equivalence and when it is settled."""
        check_equivalence(self.equivalence)
        check_settled(self.settled)

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Sort the samples into classes and take the largest."""
        rests_on = equivalence(self.equivalence, inquiry)
        drawn = await draw(
            inquiry, self.samples, temperature=self.temperature, settled=self.settled, equivalence=self.equivalence
        )
        if not any(drawn.classes):
            return Confidence(None, self.scale, "no sample holds a readable answer", details=drawn.details)
        largest, share = label_probability(drawn.classes)
        first = drawn.replies[drawn.classes.index(largest)]
        return Confidence(share, self.scale, answer=first.text, details=drawn.details, provenance=rests_on)

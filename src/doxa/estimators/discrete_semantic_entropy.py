"""Discrete semantic entropy: how the sampled answers spread over meanings, from their counts alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from doxa.estimators.meaning import check_equivalence, entropy, equivalence
from doxa.estimators.settling import check_settled, draw
from doxa.inquiry import Inquiry
from doxa.types import Access, Confidence, Scale


def discrete_semantic_entropy(meanings: Sequence[Hashable]) -> float:
    """Entropy of the frequencies of the classes, in nats.

    >>> round(discrete_semantic_entropy(["a", "b", "a", "b"]), 4)
    0.6931
    """
    return entropy(list(Counter(meanings).values()))


@dataclass(frozen=True)
class DiscreteSemanticEntropy:
    """Minus the entropy of the classes of meaning among n sampled answers: Σ_c (n_c / n) log(n_c / n).

    Range [−log n, 0], higher is surer; a ranking score, not a probability. Needs text only. Samples without a readable
    answer are one class; when all are, there is no number. Farquhar et al. 2024, Detecting hallucinations in large
    language models using semantic entropy (Nature 630), the discrete variant. `equivalence` is that of
    `semantic_entropy`; the number's provenance says what it was.

    With `settled` (0.95, say) samples are drawn only until it is that probable that the commonest class so far is the
    likeliest of all: the Dirichlet rule of Aggarwal et al. 2023 (arXiv 2305.11860). `details` then hold the numbers
    drawn and saved.
    """

    samples: int = 10
    temperature: float = 1.0
    equivalence: str = "auto"
    settled: float | None = None

    access: ClassVar[Access] = Access.TEXT
    scale: ClassVar[Scale] = Scale.REAL
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ()
    helps: ClassVar[str] = "Only text can be had and one answer may be worded in many ways."
    fails: ClassVar[str] = (
        "Ten samples cannot tell finely, the reply plays no part in it, and who judges what means the same may be weak."
    )

    def __post_init__(self) -> None:
        """Check the equivalence and when it is settled."""
        check_equivalence(self.equivalence)
        check_settled(self.settled)

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Sort the samples into classes and count."""
        rests_on = equivalence(self.equivalence, inquiry)
        drawn = await draw(
            inquiry, self.samples, temperature=self.temperature, settled=self.settled, equivalence=self.equivalence
        )
        if not any(drawn.classes):
            return Confidence(None, self.scale, "no sample holds a readable answer", details=drawn.details)
        value = -discrete_semantic_entropy(drawn.classes)
        return Confidence(value, self.scale, details=drawn.details, provenance=rests_on)

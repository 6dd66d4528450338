"""Kernel language entropy: the von Neumann entropy of a heat kernel over the sampled answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from doxa.estimators.graph import heat_kernel, steady, von_neumann_entropy
from doxa.estimators.similarity import check_similarity, compared
from doxa.inquiry import Inquiry
from doxa.types import Access, Confidence, Scale

if TYPE_CHECKING:
    from doxa.types import Floats


def kernel_language_entropy(similarities: Floats, time: float = 0.3) -> Floats:
    """Entropy of the heat kernel of the graph whose edges weigh s_ij + s_ji, the likeness in both directions.

    Of a stack (…, m, m), one number per matrix.
    """
    return von_neumann_entropy(heat_kernel(similarities + similarities.swapaxes(-1, -2), time))


@dataclass(frozen=True)
class KernelLanguageEntropy:
    """Minus the von Neumann entropy −Tr(K log K) of the heat kernel K = exp(−time · L), scaled to trace 1.

    Range [−log m, 0], higher is surer; a ranking score, not a probability. exp is that of a matrix, not of its
    entries; L = D − W is the Laplacian of the sampled answers, their similarities counted in both directions. Nikitin
    et al. 2024, Kernel Language Entropy (arXiv 2405.20003), whose code also divides by log m, which ranks alike.
    `similarity` "auto" is their weight of an edge, graded, where there is an entailment service: 1 for each direction
    in which entailment is the likeliest verdict and 1/2 for each in which neutral is (half of that, as the kernel
    counts both directions); else jaccard. Others are entailment, contradiction, embedding, rouge1, rouge2 and rougeL.
    When no sample has a readable answer there is no number.
    """

    samples: int = 10
    temperature: float = 1.0
    similarity: str = "auto"
    time: float = 0.3

    access: ClassVar[Access] = Access.TEXT
    scale: ClassVar[Scale] = Scale.REAL
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ()
    helps: ClassVar[str] = (
        "Answers agree by degrees: it weighs likeness where semantic entropy would cut it into classes."
    )
    fails: ClassVar[str] = "It asks about all pairs of samples, and is only as good as the answers to that."

    def __post_init__(self) -> None:
        """Check the similarity."""
        check_similarity(self.similarity)

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Compare the samples with each other."""
        samples = await inquiry.samples(self.samples, temperature=self.temperature)
        alike, rests_on = await compared(self.similarity, inquiry, samples, ("graded", "jaccard"))
        return Confidence(-steady(kernel_language_entropy(alike, self.time)), self.scale, provenance=rests_on)

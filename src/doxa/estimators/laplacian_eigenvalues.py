"""Laplacian eigenvalues: a continuous number of meanings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from doxa.estimators.graph import spectrum, steady
from doxa.estimators.similarity import check_similarity, compared
from doxa.inquiry import Inquiry
from doxa.types import Access, Confidence, Scale

if TYPE_CHECKING:
    from doxa.types import Floats


def laplacian_eigenvalues(values: Floats) -> Floats:
    """Σ max(0, 1 − λ) over eigenvalues (…, m) of the normalised Laplacian; of a stack, one number per matrix."""
    total: Floats = np.maximum(0, 1 - values).sum(axis=-1)
    return total


@dataclass(frozen=True)
class LaplacianEigenvalues:
    """Minus Σ_k max(0, 1 − λ_k) over the eigenvalues of the normalised Laplacian of the sampled answers.

    Range [−m, −1], higher is surer; a ranking score, not a probability. Where similarities are 0 or 1 and transitive
    the sum is the number of classes. Lin et al. 2023, Generating with Confidence (arXiv 2305.19187), "EigV".
    `similarity` is one of theirs, entailment, contradiction (1 − its probability) or jaccard, or rouge1, rouge2,
    rougeL, graded, embedding; "auto" is entailment where there is such a service, else jaccard. When no sample has a
    readable answer there is no number.
    """

    samples: int = 10
    temperature: float = 1.0
    similarity: str = "auto"

    access: ClassVar[Access] = Access.TEXT
    scale: ClassVar[Scale] = Scale.REAL
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ()
    helps: ClassVar[str] = "The number of meanings among the samples is of interest, counted by degrees."
    fails: ClassVar[str] = (
        "The reply plays no part in it, and with the embedded model as judge it did little better than words in common."
    )

    def __post_init__(self) -> None:
        """Check the similarity."""
        check_similarity(self.similarity)

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Compare the samples with each other."""
        samples = await inquiry.samples(self.samples, temperature=self.temperature)
        alike, rests_on = await compared(self.similarity, inquiry, samples, ("entailment", "jaccard"))
        return Confidence(-steady(laplacian_eigenvalues(spectrum(alike)[0])), self.scale, provenance=rests_on)

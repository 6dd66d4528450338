"""Eccentricity: how far the sampled answers lie from their centre."""

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


def eccentricity(values: Floats, vectors: Floats, threshold: float = 0.9) -> Floats:
    """Frobenius norm of the centred eigenvectors with eigenvalues below `threshold`; of a stack, one per matrix."""
    centred = vectors - vectors.mean(axis=-2, keepdims=True)
    norm: Floats = np.sqrt(np.einsum("...jk,...jk,...k->...", centred, centred, (values < threshold).astype(float)))
    return norm


@dataclass(frozen=True)
class Eccentricity:
    """Minus the distance of the answers from their centre, ‖(v_1 − v̄, …, v_m − v̄)‖, in a spectral embedding.

    Range [−√(m − 1), 0], higher is surer; a ranking score, not a probability. Answer j lies at v_j, its entries in the
    eigenvectors of the normalised Laplacian whose eigenvalues are below `threshold`. The norm is that of all
    coordinates together (Frobenius), as published; a sum of the answers' norms, as some implement it, is another
    number. Lin et al. 2023, Generating with Confidence (arXiv 2305.19187), "Ecc". `similarity` is one of theirs,
    entailment, contradiction (1 − its probability) or jaccard, or rouge1, rouge2, rougeL, graded, embedding; "auto" is
    entailment where there is such a service, else jaccard. When no sample has a readable answer there is no number.
    """

    samples: int = 10
    temperature: float = 1.0
    similarity: str = "auto"
    threshold: float = 0.9

    access: ClassVar[Access] = Access.TEXT
    scale: ClassVar[Scale] = Scale.REAL
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ()
    helps: ClassVar[str] = "Answers fall into a few clusters, and outliers should count."
    fails: ClassVar[str] = (
        "It measures the spread of the samples whatever the reply is, and with few samples the number of clusters "
        "hangs on the threshold."
    )

    def __post_init__(self) -> None:
        """Check the similarity."""
        check_similarity(self.similarity)

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Compare the samples with each other."""
        samples = await inquiry.samples(self.samples, temperature=self.temperature)
        alike, rests_on = await compared(self.similarity, inquiry, samples, ("entailment", "jaccard"))
        return Confidence(-steady(eccentricity(*spectrum(alike), self.threshold)), self.scale, provenance=rests_on)

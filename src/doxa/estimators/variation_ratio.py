"""Variation ratio: how much a few further answers differ, from each other or from the reply."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from doxa.estimators.reading import check_samples
from doxa.estimators.similarity import check_similarity
from doxa.estimators.variation import steadiness
from doxa.inquiry import Inquiry
from doxa.types import Access, Confidence, Scale


@dataclass(frozen=True)
class VariationRatio:
    """1 − VR, the mean similarity of all pairs of T samples: 1 − (1 / (T (T − 1))) Σ_{i≠j} (1 − s(y_i, y_j)).

    Range [0, 1], higher is surer. `original=True` compares the samples with the reply instead (1 − VRO). s is the F1 of
    the words in common, the authors' measure for question answering, or with `similarity="embedding"` the cosine of
    embeddings, their other one; every similarity of `degree_similarity` will do. Samples are drawn from the likeliest
    `top_p` of the mass. When no answer is readable there is no number. Huang et al. 2023, Look Before You Leap
    (arXiv 2307.10236). Raises `UsageError` for fewer than two samples.
    """

    samples: int = 5
    temperature: float = 0.7
    top_p: float = 0.95
    similarity: str = "rouge1"
    original: bool = False

    access: ClassVar[Access] = Access.TEXT
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ("look-before-you-leap",)
    coverage: ClassVar[str] = "partial: two of the twelve measures, from samples"
    spelled: ClassVar[str] = "variation_ratio,variation_ratio(original=True)"
    helps: ClassVar[str] = "Only text can be had, and a few samples should do."
    fails: ClassVar[str] = (
        "Words in common are no measure of agreement for names, and the reply plays no part in it unless original is "
        "set."
    )

    def __post_init__(self) -> None:
        """Check the similarity and the number of samples."""
        check_similarity(self.similarity)
        check_samples(self.samples, least=2)

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Compare the samples with each other, or with the reply."""
        replies = await inquiry.samples(self.samples, temperature=self.temperature, top_p=self.top_p)
        return await steadiness(self.similarity, inquiry, replies, await inquiry.reply() if self.original else None)

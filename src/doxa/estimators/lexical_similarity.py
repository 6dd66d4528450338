"""Lexical similarity: how much of their wording the sampled answers share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from doxa.estimators.graph import steady
from doxa.estimators.reading import check_samples
from doxa.estimators.similarity import check_similarity, compared
from doxa.inquiry import Inquiry
from doxa.types import Access, Confidence, Scale

if TYPE_CHECKING:
    from doxa.types import Floats


def lexical_similarity(similarities: Floats) -> Floats:
    """Mean over the pairs of different answers; of a stack (…, m, m), one number per matrix; m is at least 2."""
    m = similarities.shape[-1]
    mean: Floats = (similarities.sum(axis=(-2, -1)) - similarities.trace(axis1=-2, axis2=-1)) / (m * (m - 1))
    return mean


@dataclass(frozen=True)
class LexicalSimilarity:
    """Mean similarity of all pairs of sampled answers: Σ_{i<j} s(y_i, y_j) / (m (m − 1) / 2).

    Range [0, 1], higher is surer. s is ROUGE-L F1 unless `similarity` says rouge1, rouge2 or jaccard; words are those
    of the normalised answers, without stemming. When no sample has a readable answer there is no number. Fomicheva et
    al. 2020, Unsupervised Quality Estimation for Neural Machine Translation (arXiv 2005.10608); with ROUGE-L in Kuhn
    et al. 2023 (arXiv 2302.09664). Raises `UsageError` for fewer than two samples.
    """

    samples: int = 10
    temperature: float = 1.0
    similarity: str = "rougeL"

    access: ClassVar[Access] = Access.TEXT
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ()
    helps: ClassVar[str] = "Only text can be had, answers are short, and wordings vary little."
    fails: ClassVar[str] = "Two wordings of an answer look like two answers, and the reply plays no part in it."

    def __post_init__(self) -> None:
        """Check the similarity and the number of samples."""
        check_similarity(self.similarity, services=False)
        check_samples(self.samples, least=2)

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Compare the samples with each other."""
        samples = await inquiry.samples(self.samples, temperature=self.temperature)
        alike, rests_on = await compared(self.similarity, inquiry, samples, ())
        return Confidence(steady(lexical_similarity(alike)), self.scale, provenance=rests_on)

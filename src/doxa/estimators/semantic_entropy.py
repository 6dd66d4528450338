"""Semantic entropy: how the probability of the sampled answers spreads over meanings."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from doxa.estimators.meaning import check_equivalence, classes, entropy
from doxa.estimators.reading import token_logprobs
from doxa.inquiry import Inquiry
from doxa.types import Access, Confidence, Scale


def semantic_entropy(meanings: Sequence[Hashable], logprobs: Sequence[float]) -> float:
    """Entropy over classes, a class weighing the sum of its sequences' likelihoods, normalised over the classes.

    >>> round(semantic_entropy(["a", "a", "b"], [math.log(0.2), math.log(0.3), math.log(0.5)]), 4)
    0.6931
    """
    # Only ratios count, so the largest becomes 1: likelihoods of long answers would underflow.
    largest = max(logprobs)
    weights: dict[Hashable, float] = {}
    for meaning, logprob in zip(meanings, logprobs, strict=True):
        weights[meaning] = weights.get(meaning, 0.0) + math.exp(logprob - largest)
    return entropy(list(weights.values()))


@dataclass(frozen=True)
class SemanticEntropy:
    """Minus the entropy over meanings: Σ_c P(c) log P(c), P(c) ∝ Σ_{s in c} p(s), p(s) = exp((1/T) Σ log p(token)).

    Range (−∞, 0], higher is surer; a ranking score, not a probability. Each distinct sampled text counts once in its
    class, as in the formula; `as_released=True` adds it as often as it was drawn, as the authors' code does.
    `length_normalised=False` takes the whole sequence's likelihood. Samples without a readable answer are one class;
    when all are, there is no number. Kuhn et al. 2023 (arXiv 2302.09664) and Farquhar et al. 2024 (Nature 630).
    """

    samples: int = 10
    temperature: float = 1.0
    equivalence: str = "normalised"
    length_normalised: bool = True
    as_released: bool = False

    access: ClassVar[Access] = Access.LOGPROBS
    scale: ClassVar[Scale] = Scale.REAL
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        """Check the equivalence."""
        check_equivalence(self.equivalence)

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Sort the samples into classes and weigh them by their likelihoods."""
        samples = await inquiry.samples(self.samples, temperature=self.temperature)
        if not self.as_released:
            samples = list({sample.text: sample for sample in samples}.values())
        meanings = await classes(self.equivalence, inquiry, samples)
        if not any(meanings):
            return Confidence(None, self.scale, "no sample holds a readable answer")
        logprobs = [token_logprobs(sample.tokens) for sample in samples]
        lengths = [len(values) if self.length_normalised else 1 for values in logprobs]
        likelihoods = [math.fsum(values) / length for values, length in zip(logprobs, lengths, strict=True)]
        return Confidence(-semantic_entropy(meanings, likelihoods), self.scale)

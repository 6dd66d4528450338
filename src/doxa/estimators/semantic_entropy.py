"""Semantic entropy: how the probability of the sampled answers spreads over meanings."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from doxa.errors import UsageError
from doxa.estimators.meaning import check_equivalence, classes, entropy, equivalence
from doxa.estimators.reading import token_logprobs
from doxa.inquiry import Inquiry
from doxa.types import Access, Confidence, Scale

FORMS = ("unique", "sum", "mean")


def class_logprobs(meanings: Sequence[Hashable], logprobs: Sequence[float]) -> list[float]:
    """Log of the sum of the likelihoods of each class's sequences.

    >>> [round(math.exp(x), 4) for x in class_logprobs(["a", "b", "a"], [math.log(0.2), math.log(0.5), math.log(0.3)])]
    [0.5, 0.5]
    """
    # Only ratios enter sums, so the largest becomes 1: likelihoods of long answers would underflow.
    members: dict[Hashable, list[float]] = {}
    for meaning, logprob in zip(meanings, logprobs, strict=True):
        members.setdefault(meaning, []).append(logprob)
    peaks = [max(values) for values in members.values()]
    return [
        peak + math.log(math.fsum(math.exp(value - peak) for value in values))
        for peak, values in zip(peaks, members.values(), strict=True)
    ]


def semantic_entropy(meanings: Sequence[Hashable], logprobs: Sequence[float]) -> float:
    """Entropy over classes, a class weighing the sum of its sequences' likelihoods, normalised over the classes.

    >>> round(semantic_entropy(["a", "a", "b"], [math.log(0.2), math.log(0.3), math.log(0.5)]), 4)
    0.6931
    """
    weights = class_logprobs(meanings, logprobs)
    return entropy([math.exp(weight - max(weights)) for weight in weights])


def mean_class_surprise(meanings: Sequence[Hashable], logprobs: Sequence[float]) -> float:
    """Mean over the classes of −log of the sum of their sequences' likelihoods, which are not normalised.

    >>> round(mean_class_surprise(["a", "a", "b"], [math.log(0.2), math.log(0.3), math.log(0.5)]), 4)
    0.6931
    """
    weights = class_logprobs(meanings, logprobs)
    return -math.fsum(weights) / len(weights)


@dataclass(frozen=True)
class SemanticEntropy:
    """Minus the entropy over meanings: Σ_c P(c) log P(c), P(c) ∝ Σ_{s in c} p(s), p(s) = exp((1/T) Σ log p(token)).

    Range (−∞, 0], of the form "mean" (−∞, ∞), higher is surer; a ranking score, not a probability. `form`: "unique"
    counts each distinct sampled text once in its class, as the formula does; "sum" as often as it was drawn, as the
    code of Farquhar et al. 2024 (Nature 630) does; "mean" is the estimate of Kuhn et al. 2023 (arXiv 2302.09664),
    (1/|C|) Σ_c log Σ_{s in c} p(s) over the samples as drawn. What weighs classes by their frequency alone is
    `discrete_semantic_entropy`. `length_normalised=False` takes the whole sequence's likelihood.

    `equivalence`: "entailment" in both directions (their rule), "lenient" (no contradiction), "embedding" (cosine of
    0.85), "normalised" (equal answers), or "auto", the first of entailment, embedding and normalised that can be had;
    the number's provenance says which. Samples without a readable answer are one class; when all are, there is no
    number.
    """

    samples: int = 10
    temperature: float = 1.0
    equivalence: str = "auto"
    form: str = "unique"
    length_normalised: bool = True

    access: ClassVar[Access] = Access.LOGPROBS
    scale: ClassVar[Scale] = Scale.REAL
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ()
    helps: ClassVar[str] = (
        "Answers are sentences that can be put in many ways, and a good judge of entailment is at hand."
    )
    fails: ClassVar[str] = (
        "The reply plays no part in it, and with a weak judge or answers of a word it costs much more than agreement "
        "and ranks no better."
    )

    def __post_init__(self) -> None:
        """Check the equivalence and the form."""
        check_equivalence(self.equivalence)
        if self.form not in FORMS:
            raise UsageError(f"no form named {self.form!r}", hint=f"there are: {', '.join(FORMS)}")

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Sort the samples into classes and weigh them by their likelihoods."""
        rests_on = equivalence(self.equivalence, inquiry)
        samples = await inquiry.samples(self.samples, temperature=self.temperature)
        if self.form == "unique":
            samples = list({sample.text: sample for sample in samples}.values())
        meanings = await classes(self.equivalence, inquiry, samples)
        if not any(meanings):
            return Confidence(None, self.scale, "no sample holds a readable answer")
        logprobs = [token_logprobs(sample.tokens) for sample in samples]
        lengths = [len(values) if self.length_normalised else 1 for values in logprobs]
        likelihoods = [math.fsum(values) / length for values, length in zip(logprobs, lengths, strict=True)]
        measure = mean_class_surprise if self.form == "mean" else semantic_entropy
        return Confidence(0.0 - measure(meanings, likelihoods), self.scale, provenance=rests_on)

"""Semantic density: how much of what is likely lies close to the reply in meaning."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from doxa.errors import UsageError
from doxa.estimators.meaning.services import (
    AUTO,
    CONTRADICTION,
    NEUTRAL,
    cosines_to,
    provenance,
    resolve,
    verdicts_on,
)
from doxa.estimators.reading import answered, check_samples, token_logprobs
from doxa.inquiry import Inquiry
from doxa.text import canonical
from doxa.types import Access, Confidence, Scale

if TYPE_CHECKING:
    from doxa.types import Floats

KERNELS = ("entailment", "embedding", "normalised")


def kernel_of_verdicts(verdicts: Floats) -> Floats:
    """1 − d, d = P(contradiction) + P(neutral) / 2 being the expected squared distance."""
    kernel: Floats = 1 - verdicts[..., CONTRADICTION] - verdicts[..., NEUTRAL] / 2
    return kernel


def kernel_of_cosines(cosines: Floats) -> Floats:
    """max(0, 1 − ‖v − v'‖²) of vectors of length 1, whose squared distance is 2 − 2 cos."""
    kernel: Floats = np.maximum(0, 2 * cosines - 1)
    return kernel


def semantic_density(logprobs: Sequence[float], kernel: Sequence[float]) -> float:
    """Σ_i p_i K_i / Σ_i p_i of references with log p_i.

    >>> round(semantic_density([math.log(0.8), math.log(0.4)], [1.0, 0.275]), 6)
    0.758333
    """
    # Only ratios count, so the largest becomes 1: likelihoods of unlikely answers would underflow.
    weights = [math.exp(logprob - max(logprobs)) for logprob in logprobs]
    return math.fsum(map(math.prod, zip(weights, kernel, strict=True))) / math.fsum(weights)


@dataclass(frozen=True)
class SemanticDensity:
    """Σ_i p_i K(reply, y_i) / Σ_i p_i over the distinct samples y_i, p_i = exp(mean log p of its tokens).

    Range [0, 1], higher is surer. `kernel` "entailment": K is 1 − the mean of two squared distances, the expected
    P(contradiction) + P(neutral) / 2 in either direction, both texts judged after the question; "embedding": K is
    max(0, 1 − ‖v − v'‖²) of vectors of length 1; "normalised": K is 1 for equal answers, else 0; "auto": the first of
    these that can be had, as the number's provenance says. Equal texts have K = 1 without being asked about, samples
    without a readable answer have 0. The references are drawn at `temperature`: engines offer no diverse beam search,
    of which the authors take ten. `as_released=True` cuts all texts at their first full stop or line, as
    their code does, which knows no initials. A reply without a readable answer has no confidence. Qiu and Miikkulainen
    2024, Semantic Density (arXiv 2405.13845).
    """

    samples: int = 10
    temperature: float = 1.0
    kernel: str = AUTO
    as_released: bool = False

    access: ClassVar[Access] = Access.LOGPROBS
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ("semantic-density",)
    coverage: ClassVar[str] = "full"
    example: ClassVar[str] = "bank:capitals --entailment judge"
    helps: ClassVar[str] = "The reply itself is to be judged by how many likely samples lie near it in meaning."
    fails: ClassVar[str] = (
        "It needs log-probabilities and a good judge of entailment, and does no better than agreement with answers of "
        "a word."
    )

    def __post_init__(self) -> None:
        """Check the knobs."""
        check_samples(self.samples)
        if self.kernel not in (AUTO, *KERNELS):
            raise UsageError(f"no kernel named {self.kernel!r}", hint=f"there are: {', '.join((AUTO, *KERNELS))}")

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Weigh the distinct samples by their likelihoods."""
        name = resolve(self.kernel, inquiry, KERNELS)
        rests_on = provenance(name, inquiry)
        reply, _ = await answered(inquiry)
        drawn = await inquiry.samples(self.samples, temperature=self.temperature)
        # Turned round, so that of equal texts the first is kept.
        references = {self._shown(sample.text): sample for sample in reversed(drawn)}
        logprobs = [token_logprobs(sample.tokens) for sample in references.values()]
        kernel = await _kernel(name, inquiry, self._shown(reply.text), list(references))
        density = semantic_density([math.fsum(values) / len(values) for values in logprobs], kernel)
        return Confidence(density, self.scale, provenance=rests_on)

    def _shown(self, text: str) -> str:
        return re.split(r"[.\n]", text.strip(), maxsplit=1)[0].strip() if self.as_released else text.strip()


async def _kernel(name: str, inquiry: Inquiry, reply: str, references: Sequence[str]) -> list[float]:
    if name == "entailment":
        found = kernel_of_verdicts(await verdicts_on(inquiry, reply, references))
    elif name == "embedding":
        found = kernel_of_cosines(await cosines_to(inquiry, reply, references))
    else:
        said, *others = (canonical(text, inquiry.kind, inquiry.choices) for text in (reply, *references))
        found = np.array([float(other == said) for other in others])
    return [min(max(value, 0.0), 1.0) for value in found.tolist()]  # verdicts may sum to 1 but for an ulp

"""EigenScore: how much room the samples' meanings take up in the model's own space of states."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from doxa.errors import Unavailable, UsageError
from doxa.inquiry import Inquiry
from doxa.text import canonical
from doxa.types import Access, Confidence, Scale

if TYPE_CHECKING:
    from doxa.types import Floats

STATES = ("hidden", "embedding")


def eigen_score(states: Floats, *, alpha: float = 1e-3, as_released: bool = False) -> float:
    """Mean log eigenvalue of Z J Zᵀ + α I for the samples' states Z (samples, width), J centring each state.

    `as_released` divides Z J Zᵀ by width − 1 and takes the decimal logarithm.

    >>> round(eigen_score(np.array([[1.0, -1.0], [1.0, -1.0]]), alpha=0.5), 6), round(math.log(4.5 * 0.5) / 2, 6)
    (0.405465, 0.405465)
    """
    samples, width = states.shape
    centred = states - states.mean(axis=1, keepdims=True)
    gram = centred @ centred.T / (width - 1 if as_released else 1)
    score = np.linalg.slogdet(gram + alpha * np.eye(samples)).logabsdet / samples
    return float(score / math.log(10) if as_released else score)


@dataclass(frozen=True)
class EigenScore:
    """Minus the EigenScore of n samples, (1/n) log det(Z J Zᵀ + α I): the differential entropy of their states Z.

    Range (−∞, ∞), higher is surer; a ranking score, not a probability. A sample's state is that of its last token in
    the middle layer (or `layer`), read by teacher forcing it after the question; an empty sample's is the question's.
    `states="embedding"` takes vectors of the embedding service instead, for models that do not show their states.
    `as_released=True` scales and takes logarithms as the authors' code does. They draw at temperature 0.5; at 1 the
    samples are those of other measures. Their clipping of features is not part of it. When no sample holds a readable
    answer there is no number. Chen et al. 2024, INSIDE (arXiv 2402.03744).
    """

    samples: int = 10
    temperature: float = 1.0
    alpha: float = 1e-3
    layer: int | None = None
    states: str = "hidden"
    as_released: bool = False

    access: ClassVar[Access] = Access.HIDDEN
    scale: ClassVar[Scale] = Scale.REAL
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ()
    helps: ClassVar[str] = "The model's states can be read: meanings are compared without another model."
    fails: ClassVar[str] = (
        "It takes the states of one layer chosen in advance, and at temperature 1 the states of a small model's "
        "samples differ everywhere."
    )

    def __post_init__(self) -> None:
        """Check the knobs."""
        if self.states not in STATES:
            raise UsageError(f"no states named {self.states!r}", hint=f"there are: {', '.join(STATES)}")
        if not self.alpha > 0:
            raise UsageError(f"alpha is {self.alpha}", hint="above 0: equal samples have eigenvalues of 0")

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Read the states of the samples; those of equal texts once."""
        replies = await inquiry.samples(self.samples, temperature=self.temperature)
        texts = [reply.text for reply in replies]
        if all(canonical(text, inquiry.kind, inquiry.choices) is None for text in texts):
            return Confidence(None, self.scale, "no sample holds a readable answer")
        different = list(dict.fromkeys(texts))
        rows, provenance = await self._read(inquiry, different)
        states = rows[[different.index(text) for text in texts]]
        score = eigen_score(states, alpha=self.alpha, as_released=self.as_released)
        return Confidence(0.0 - score, self.scale, provenance=provenance)

    async def _read(self, inquiry: Inquiry, texts: Sequence[str]) -> tuple[Floats, str]:
        """One state for each text, and where it is from."""
        if self.states == "embedding":
            vectors = await inquiry.embed(texts)
            assert inquiry.services.embedder is not None, "it has just answered"
            return vectors.astype(np.float64), f"embedding by {inquiry.services.embedder.name}"
        layer = _middle(inquiry) if self.layer is None else self.layer
        found = await asyncio.gather(
            *(inquiry.hidden(inquiry.messages, [layer], text=text, last=True) for text in texts)
        )
        return np.stack([states[0, -1] for states in found]).astype(np.float64), f"states of layer {layer}"


def _middle(inquiry: Inquiry) -> int:
    """The middle one of the model's layers, the embedding counted in. Raises `Unavailable` if they are not shown."""
    subject = inquiry.callers.get("subject")
    layers = subject.capabilities.layers if subject else 0
    if not layers:
        raise Unavailable("the model does not show its hidden states")
    return (layers + 1) // 2

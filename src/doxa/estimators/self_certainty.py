"""Self-certainty: how far the next-token distributions are from uniform, seen from the uniform side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from doxa.estimators.reading import token_statistics
from doxa.inquiry import Inquiry
from doxa.types import Access, Confidence, Scale


def self_certainty(certainties: Sequence[float]) -> float:
    """Mean of the tokens' certainties.

    >>> self_certainty([0.25, 0.75])
    0.5
    """
    return math.fsum(certainties) / len(certainties)


@dataclass(frozen=True)
class SelfCertainty:
    """Mean divergence of the uniform distribution from the next-token ones: (1/T) Σ_t KL(uniform ‖ p_t).

    KL = −(1/V) Σ_v log(V p_v). Range [0, ∞), higher is surer; a ranking score, not a probability. Where a token rules
    another one out entirely the divergence is infinite, and there is no number. Kang et al. 2025, Scalable Best-of-N
    Selection for Large Language Models via Self-Certainty (arXiv 2502.18581). It needs the full distribution.
    """

    access: ClassVar[Access] = Access.LOGPROBS
    scale: ClassVar[Scale] = Scale.REAL
    statistics: ClassVar[tuple[str, ...]] = ("self_certainty",)
    implements: ClassVar[tuple[str, ...]] = ()
    helps: ClassVar[str] = "Full distributions are shown and the best of many samples is to be picked."
    fails: ClassVar[str] = (
        "It looks at how far the whole vocabulary is ruled out rather than at the doubt between two answers, so that "
        "it ranks below plain entropy."
    )

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Read the certainties stored on the reply's tokens."""
        value = self_certainty(token_statistics(await inquiry.reply(), "self_certainty"))
        if not math.isfinite(value):
            return Confidence(None, self.scale, "a token is ruled out entirely, so the divergence is infinite")
        return Confidence(value, self.scale)

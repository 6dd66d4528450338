"""Rényi divergence: how far the next-token distributions are from knowing nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from doxa.estimators.reading import token_statistics
from doxa.inquiry import Inquiry
from doxa.types import Access, Confidence, Scale


def renyi_divergence(divergences: Sequence[float]) -> float:
    """Mean of the tokens' divergences.

    >>> renyi_divergence([0.25, 0.75])
    0.5
    """
    return math.fsum(divergences) / len(divergences)


@dataclass(frozen=True)
class RenyiDivergence:
    """Mean Rényi divergence of the next-token distributions from the uniform one: (1/T) Σ_t D_a(p_t ‖ uniform).

    D_a = log(Σ_v p_v^a V^(a−1)) / (a − 1). Range [0, log V], higher is surer; a ranking score, not a probability. Order
    a = 0.5, softmax at temperature 2 and the mean over tokens as in Darrin et al. 2023, RAINPROOF (arXiv 2212.09171).
    It needs the full distribution, which the local engine reduces in place.
    """

    access: ClassVar[Access] = Access.LOGPROBS
    scale: ClassVar[Scale] = Scale.REAL
    statistics: ClassVar[tuple[str, ...]] = ("renyi",)
    implements: ClassVar[tuple[str, ...]] = ()
    helps: ClassVar[str] = (
        "Texts of another kind than the model's are to be found by the shape of its distributions, for which it was "
        "made."
    )
    fails: ClassVar[str] = "It tells right from wrong no better than chance on 150 capitals (.52)."

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Read the divergences stored on the reply's tokens."""
        return Confidence(renyi_divergence(token_statistics(await inquiry.reply(), "renyi")), self.scale)

"""Probability margin: how far the likeliest token was ahead of the next."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from doxa.estimators.reading import token_statistics
from doxa.inquiry import Inquiry
from doxa.types import Access, Confidence, Scale


def probability_margin(margins: Sequence[float]) -> float:
    """Mean of the tokens' margins.

    >>> probability_margin([0.25, 0.75])
    0.5
    """
    return math.fsum(margins) / len(margins)


@dataclass(frozen=True)
class ProbabilityMargin:
    """Mean lead of the likeliest token over the second likeliest: (1/T) Σ_t (p_1 − p_2), whichever was chosen.

    Range [0, 1], higher is surer. The margin of Scheffer, Decomain and Wrobel 2001, Active Hidden Markov Models for
    Information Extraction, averaged over the reply's tokens as in Bouchard and Chauhan 2025, Uncertainty Quantification
    for Language Models (arXiv 2504.19254).
    """

    access: ClassVar[Access] = Access.LOGPROBS
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ("margin",)
    implements: ClassVar[tuple[str, ...]] = ()
    helps: ClassVar[str] = "The model was torn between two answers, and the runner-up shows it."
    fails: ClassVar[str] = "Two wordings of one answer are a small margin too."

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Read the margins stored on the reply's tokens."""
        return Confidence(probability_margin(token_statistics(await inquiry.reply(), "margin")), self.scale)

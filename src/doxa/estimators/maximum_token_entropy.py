"""Maximum token entropy: how open the most open choice of a token was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from doxa.estimators.reading import token_statistics
from doxa.inquiry import Inquiry
from doxa.types import Access, Confidence, Scale


def maximum_token_entropy(entropies: Sequence[float]) -> float:
    """Minus the largest of the token entropies.

    >>> maximum_token_entropy([0.25, 0.75])
    -0.75
    """
    return 0.0 - max(entropies)


@dataclass(frozen=True)
class MaximumTokenEntropy:
    """Minus the largest entropy of a next-token distribution of the reply: −max_t H(p(· | y_<t, question)), in nats.

    Range (−∞, 0], higher is surer; a ranking score, not a probability. Manakul et al. 2023, SelfCheckGPT
    (arXiv 2303.08896). It needs the full distribution; an entropy of the top few tokens would be another number.
    """

    access: ClassVar[Access] = Access.LOGPROBS
    scale: ClassVar[Scale] = Scale.REAL
    statistics: ClassVar[tuple[str, ...]] = ("entropy",)
    implements: ClassVar[tuple[str, ...]] = ()
    helps: ClassVar[str] = "One uncertain token, such as a name, decides whether the reply is right."
    fails: ClassVar[str] = (
        "An opening word that may be put in many ways is the most uncertain token and hides the one that matters."
    )

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Read the entropies stored on the reply's tokens."""
        return Confidence(maximum_token_entropy(token_statistics(await inquiry.reply(), "entropy")), self.scale)

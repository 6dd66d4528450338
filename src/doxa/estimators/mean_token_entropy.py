"""Mean token entropy: how open the choice of each token was."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from doxa.estimators.reading import token_statistics
from doxa.inquiry import Inquiry
from doxa.types import Access, Confidence, Scale


def mean_token_entropy(entropies: Sequence[float]) -> float:
    """Minus the mean of the token entropies.

    >>> mean_token_entropy([0.25, 0.75])
    -0.5
    """
    return -math.fsum(entropies) / len(entropies)


@dataclass(frozen=True)
class MeanTokenEntropy:
    """Minus the mean entropy of the next-token distributions: −(1/T) Σ_t H(p(· | y_<t, question)), in nats.

    Range (−∞, 0], higher is surer; a ranking score, not a probability. Taken over the whole reply, as in Fomicheva et
    al. 2020, Unsupervised Quality Estimation for Neural Machine Translation (arXiv 2005.10608). It needs the full
    distribution, which the local engine reduces in place; an entropy of the top few tokens would be another number.
    """

    access: ClassVar[Access] = Access.LOGPROBS
    scale: ClassVar[Scale] = Scale.REAL
    statistics: ClassVar[tuple[str, ...]] = ("entropy",)
    implements: ClassVar[tuple[str, ...]] = ()
    helps: ClassVar[str] = (
        "The engine shows full distributions: one reply is enough, and on 150 capitals nothing of that price ranked "
        "better."
    )
    fails: ClassVar[str] = (
        "In long replies the many sure tokens drown the few that matter, and wording counts as doubt."
    )

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Read the entropies stored on the reply's tokens."""
        return Confidence(mean_token_entropy(token_statistics(await inquiry.reply(), "entropy")), self.scale)

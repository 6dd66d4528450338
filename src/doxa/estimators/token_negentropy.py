"""Token negentropy: how far the likeliest next tokens are from equally likely."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from doxa.errors import Unavailable
from doxa.estimators.spans import token_parts
from doxa.inquiry import Inquiry
from doxa.types import Access, Confidence, Scale


def token_negentropy(logprobs: Sequence[Sequence[float]]) -> list[float]:
    """Of each token, 1 − H / log K from the log-probabilities of its K likeliest alternatives, as they are.

    K is the largest number of alternatives at any token: one that has fewer had no others. With K = 2 the
    probabilities that are left out may take H above log K, which counts as 0.

    >>> [round(value, 3) for value in token_negentropy([[math.log(0.5), math.log(0.5)], [0.0]])]
    [0.0, 1.0]
    """
    most = math.log(max(map(len, logprobs)))
    entropies = [-math.fsum(math.exp(each) * each for each in values if each > -math.inf) for values in logprobs]
    return [max(0.0, 1 - entropy / most) for entropy in entropies]


@dataclass(frozen=True)
class TokenNegentropy:
    """Mean over the reply's tokens of 1 − H_t / log K, H_t = −Σ_k p_k log p_k over the K = 15 likeliest next tokens.

    Range [0, 1], higher is surer; a ranking score, not a probability. `worst=True` takes the least of the tokens
    instead of the mean. Where the model gives fewer than 15 alternatives these are used, but at least two. Bouchard and
    Chauhan 2025, Uncertainty Quantification for Language Models (arXiv 2504.19254).
    """

    worst: bool = False

    access: ClassVar[Access] = Access.LOGPROBS
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    alternatives: ClassVar[int] = 15
    implements: ClassVar[tuple[str, ...]] = ()
    helps: ClassVar[str] = "The server shows some alternatives of each token and no full distributions."
    fails: ClassVar[str] = (
        "It averages over all tokens, so that easy words hide a hard one, and wording counts as doubt."
    )

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Read the alternatives of the reply's tokens."""
        tokens = (await inquiry.reply()).tokens or ()
        logprobs = [[logprob for _, logprob in token.top[: self.alternatives]] for token in tokens]
        if max(map(len, logprobs), default=0) < 2 or not all(logprobs):
            raise Unavailable("the model gave fewer than two alternatives to its tokens")
        values = token_negentropy(logprobs)
        value = min(values) if self.worst else math.fsum(values) / len(values)
        return Confidence(value, self.scale, parts=token_parts(tokens, values))

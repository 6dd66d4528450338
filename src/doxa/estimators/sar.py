"""SAR: sentence SAR over probabilities in which the tokens that carry the meaning count more."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import ClassVar

import numpy as np

from doxa.estimators.reading import token_logprobs
from doxa.estimators.relevance import (
    alike_matrix,
    check_drawn,
    each_two,
    readable,
    shifted_logprob,
    supported_logprob,
    token_weights,
    without_each,
)
from doxa.estimators.relevance.likeness import check_service, likeness, rests_on
from doxa.inquiry import Inquiry
from doxa.types import Access, Confidence, Scale


@dataclass(frozen=True)
class Sar:
    """Mean over samples of log(p'(s_j) + (1/t) Σ_{k≠j} g(s_j, s_k) p'(s_k)), where log p'(s) = Σ_i w_i log p(z_i).

    Range (−∞, log(1 + (n − 1)/t)], higher is surer; a ranking score, not a probability. w_i is the relevance of token
    i as in `token_sar`, all else as in `sentence_sar`, and everything is embedded in one go. When no sample holds a
    readable answer there is no number. Duan et al. 2023, Shifting Attention to Relevance (arXiv 2307.01379). Raises
    `UsageError` for fewer than two samples, a t of 0 or less, or an unknown similarity.
    """

    samples: int = 10
    temperature: float = 0.5
    t: float = 0.001
    similarity: str = "auto"

    access: ClassVar[Access] = Access.LOGPROBS
    scale: ClassVar[Scale] = Scale.REAL
    statistics: ClassVar[tuple[str, ...]] = ()
    open_ended: ClassVar[bool] = True
    implements: ClassVar[tuple[str, ...]] = ()
    helps: ClassVar[str] = (
        "Long samples: words that carry the meaning count more, and so do answers that others are like."
    )
    fails: ClassVar[str] = (
        "It takes an encoder or a judge, and where answers are names sentence_sar alone ranks as well."
    )

    def __post_init__(self) -> None:
        """Check the knobs."""
        check_service(self.similarity)
        check_drawn(self.samples, self.t)

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Weigh the tokens of each sample, then compare the samples with each other."""
        basis = rests_on(self.similarity, inquiry)
        replies = await readable(inquiry, self.samples, self.temperature)
        logprobs = [token_logprobs(reply.tokens) for reply in replies]
        left_out = [pair for reply in replies for pair in without_each(inquiry, reply.tokens or ())]
        alike, _ = await likeness(self.similarity, inquiry, [*left_out, *each_two(replies)])
        *by_token, between = np.split(alike, list(accumulate(map(len, logprobs))))
        shifted = [shifted_logprob(p, token_weights(g)) for p, g in zip(logprobs, by_token, strict=True)]
        value = supported_logprob(shifted, alike_matrix(between, len(replies)), self.t)
        return Confidence(value, self.scale, provenance=basis)

"""Token SAR: how likely the reply's tokens were, those that carry its meaning counting more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from doxa.estimators.reading import token_logprobs
from doxa.estimators.relevance import shifted_logprob, token_weights, without_each
from doxa.estimators.relevance.likeness import check_service, likeness
from doxa.estimators.spans import token_parts
from doxa.inquiry import Inquiry
from doxa.types import Access, Confidence, Scale


@dataclass(frozen=True)
class TokenSar:
    """Σ_i w_i log p(z_i), where w_i is the relevance of token i: w_i ∝ 1 − g(question + reply, the same without z_i).

    Range (−∞, 0], higher is surer; a ranking score, not a probability. g is the cosine of embeddings or the mean
    entailment both ways (`similarity`; "auto" takes embeddings where there are any), where the authors use a
    cross-encoder. `parts` hold the weights, which sum to 1; where no token matters they are equal. The authors' code
    takes the mean over samples instead of the reply. Duan et al. 2023, Shifting Attention to Relevance
    (arXiv 2307.01379). Raises `UsageError` for an unknown similarity.
    """

    similarity: str = "auto"

    access: ClassVar[Access] = Access.LOGPROBS
    scale: ClassVar[Scale] = Scale.REAL
    statistics: ClassVar[tuple[str, ...]] = ()
    open_ended: ClassVar[bool] = True
    implements: ClassVar[tuple[str, ...]] = ()
    helps: ClassVar[str] = "Replies of a sentence, in which few tokens carry what was asked."
    fails: ClassVar[str] = (
        "In replies of a name there is nothing to weigh: plain log-probability ranked higher on 150 capitals, without "
        "an encoder."
    )

    def __post_init__(self) -> None:
        """Check the similarity."""
        check_service(self.similarity)

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Leave out the reply's tokens one by one and see what changes its meaning."""
        reply = await inquiry.reply()
        logprobs, tokens = token_logprobs(reply.tokens), reply.tokens or ()
        alike, basis = await likeness(self.similarity, inquiry, without_each(inquiry, tokens))
        weights = token_weights(alike)
        value = shifted_logprob(logprobs, weights)
        return Confidence(value, self.scale, parts=token_parts(tokens, weights.tolist()), provenance=basis)

"""Sentence likelihood: how likely the tokens were, sentence by sentence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from doxa.estimators.reading import token_logprobs
from doxa.estimators.spans import by_sentence
from doxa.inquiry import Inquiry
from doxa.types import Access, Confidence, Scale


def sentence_likelihood(sentences: Sequence[Sequence[float]], *, worst: bool = True) -> float:
    """Mean over the sentences of their least log p, or of their mean log p unless `worst`.

    >>> sentence_likelihood([[-1.0, -3.0], [-2.0]]), sentence_likelihood([[-1.0, -3.0], [-4.0]], worst=False)
    (-2.5, -3.0)
    """
    each = [min(values) if worst else math.fsum(values) / len(values) for values in sentences]
    return math.fsum(each) / len(each)


@dataclass(frozen=True)
class SentenceLikelihood:
    """Mean over the reply's S sentences of their least token log-probability: (1/S) Σ_s min_{t in s} log p_t.

    Range (−∞, 0], higher is surer; a ranking score, not a probability. `worst=False` takes each sentence's mean log p
    instead. A sentence ends with a token that is a full stop, an exclamation or a question mark; in `code` every line
    is one. Huang et al. 2023, Look Before You Leap (arXiv 2307.10236): maximum and average negative log-likelihood,
    negated.
    """

    worst: bool = True
    code: bool = False

    access: ClassVar[Access] = Access.LOGPROBS
    scale: ClassVar[Scale] = Scale.REAL
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ("look-before-you-leap",)
    coverage: ClassVar[str] = "partial: two of the twelve measures, from one answer"
    spelled: ClassVar[str] = "sentence_likelihood,sentence_likelihood(worst=False)"
    helps: ClassVar[str] = "Replies of several sentences from a model that shows log-probabilities alone."
    fails: ClassVar[str] = "For one short sentence it is minimum_token_probability, and rare wording counts as doubt."

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Part the reply's log-probabilities into sentences."""
        tokens = (await inquiry.reply()).tokens
        sentences = by_sentence(tokens or (), token_logprobs(tokens), code=self.code)
        return Confidence(sentence_likelihood(sentences, worst=self.worst), self.scale)

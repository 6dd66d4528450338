"""Sentence entropy: how open the choice of tokens was, sentence by sentence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from doxa.estimators.reading import token_statistics
from doxa.estimators.spans import by_sentence
from doxa.inquiry import Inquiry
from doxa.types import Access, Confidence, Scale


def sentence_entropy(sentences: Sequence[Sequence[float]], *, worst: bool = True) -> float:
    """Mean over the sentences of their largest token entropy, or of their mean one unless `worst`.

    >>> sentence_entropy([[1.0, 3.0], [2.0]]), sentence_entropy([[1.0, 3.0], [4.0]], worst=False)
    (2.5, 3.0)
    """
    each = [max(values) if worst else math.fsum(values) / len(values) for values in sentences]
    return math.fsum(each) / len(each)


@dataclass(frozen=True)
class SentenceEntropy:
    """Minus the mean over the reply's S sentences of their largest token entropy: −(1/S) Σ_s max_{t in s} H_t, in nats.

    Range (−∞, 0], higher is surer; a ranking score, not a probability. `worst=False` takes each sentence's mean entropy
    instead. A sentence ends with a token that is a full stop, an exclamation or a question mark; in `code` every line
    is one. Huang et al. 2023, Look Before You Leap (arXiv 2307.10236): maximum and average entropy, negated. It needs
    the full distribution.
    """

    worst: bool = True
    code: bool = False

    access: ClassVar[Access] = Access.LOGPROBS
    scale: ClassVar[Scale] = Scale.REAL
    statistics: ClassVar[tuple[str, ...]] = ("entropy",)
    implements: ClassVar[tuple[str, ...]] = ("look-before-you-leap",)
    coverage: ClassVar[str] = "partial: two of the twelve measures, from one answer"
    spelled: ClassVar[str] = "sentence_entropy,sentence_entropy(worst=False)"
    helps: ClassVar[str] = "Replies of several sentences, each of which may be wrong at one place."
    fails: ClassVar[str] = "For one short sentence it is maximum_token_entropy, and it needs full distributions."

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Part the entropies stored on the reply's tokens into sentences."""
        reply = await inquiry.reply()
        sentences = by_sentence(reply.tokens or (), token_statistics(reply, "entropy"), code=self.code)
        return Confidence(0.0 - sentence_entropy(sentences, worst=self.worst), self.scale)

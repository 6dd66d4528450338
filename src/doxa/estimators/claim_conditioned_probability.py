"""Claim-conditioned probability: doubt about what is claimed, without doubt about wording or about what to speak of."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from doxa.errors import Unavailable
from doxa.estimators.lexicon.function_words import FUNCTION_WORDS
from doxa.estimators.reading import is_control, token_logprobs
from doxa.estimators.spans import token_parts
from doxa.inquiry import Inquiry
from doxa.text import normalise
from doxa.types import Access, Confidence, Entailment, Scale, Token

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")

Swap = tuple[str, float]
"""The reply as it reads with another token, and the log-probability of that token."""


def claim_conditioned_probability(same: Sequence[float], other: Sequence[float]) -> float:
    """Share of the tokens of the same meaning in these and those of a contradicting one, from log-probabilities.

    >>> round(claim_conditioned_probability([math.log(0.5), math.log(0.1)], [math.log(0.2)]), 12)
    0.75
    """
    if not other:
        return 1.0
    most = max([*same, *other])  # only ratios count, so the largest becomes 1: none may underflow
    alike, unlike = (math.fsum(math.exp(each - most) for each in values) for values in (same, other))
    return alike / (alike + unlike)


@dataclass(frozen=True)
class ClaimConditionedProbability:
    """Product over the reply's tokens of Σ p of what entails it / Σ p of what entails or contradicts it.

    Range [0, 1], higher is surer; `parts` holds each token's factor. Summed are a token and its 10 likeliest
    alternatives: one entails or contradicts when the reply with it in place of the token (and of what completed the
    token's word) does so with the reply as it is; neutral ones speak of something else and are left out. What differs
    in case, punctuation or articles alone entails. Function words and tokens without letters or digits have the factor
    1. Fadeeva et al. 2024, Fact-Checking the Output of Large Language Models via Token-Level
    Uncertainty Quantification (arXiv 2403.04696), who search whole words as alternatives and take claims one by one.
    """

    access: ClassVar[Access] = Access.LOGPROBS
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    open_ended: ClassVar[bool] = True
    alternatives: ClassVar[int] = 10
    implements: ClassVar[tuple[str, ...]] = ()
    helps: ClassVar[str] = "Probability goes to other wordings of one claim, which should not count as doubt of it."
    fails: ClassVar[str] = (
        "It asks about every alternative of every token, which takes hundreds of judgements a reply, and is only as "
        "good as who judges."
    )

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Ask at once whether the replies with one token exchanged entail the reply."""
        reply = await inquiry.reply()
        tokens, logprobs = reply.tokens or (), token_logprobs(reply.tokens)
        if not any(token.top for token in tokens):
            raise Unavailable("the model gave no alternatives to its tokens")
        text, swaps = "".join(token.text for token in tokens), _swaps(tokens, self.alternatives)
        different = list(dict.fromkeys(other for each in swaps for other, _ in each if not _alike(other, text)))
        judged = await inquiry.entail([(other, text) for other in different])
        assert inquiry.services.entailer is not None, "it has just answered"
        relations = dict(zip(different, map(_relation, judged), strict=True))
        factors = []
        for logprob, each in zip(logprobs, swaps, strict=True):
            kinds = [(relations.get(other, "entailment"), p) for other, p in each]
            same, other = ([p for kind, p in kinds if kind == wanted] for wanted in ("entailment", "contradiction"))
            factors.append(claim_conditioned_probability([logprob, *same], other))
        provenance = f"entailment by {inquiry.services.entailer.name}"
        return Confidence(math.prod(factors), self.scale, parts=token_parts(tokens, factors), provenance=provenance)


def _alike(one: str, other: str) -> bool:
    """Do two texts differ in case, punctuation, articles and blanks at most?"""
    return normalise(one) == normalise(other)


def _relation(judged: Entailment) -> str:
    """The likeliest of the three."""
    return max(("entailment", "contradiction", "neutral"), key=lambda name: float(getattr(judged, name)))


def _swaps(tokens: Sequence[Token], most: int) -> list[list[Swap]]:
    """For every token the replies with it exchanged; none where it is part of no word that claims something."""
    text = "".join(token.text for token in tokens)
    words = list(_WORD.finditer(text))
    telling = [word for word in words if not _functional(word[0])] or words
    found: list[list[Swap]] = []
    end = 0
    for token in tokens:
        start, end = end, end + len(token.text)
        word = next((word for word in telling if word.start() < end and word.end() > start), None)
        rest = "" if word is None else text[max(end, word.end()) :]
        others = [] if word is None else _others(token, most)
        found.append([(text[:start] + other + rest, logprob) for other, logprob in others])
    return found


def _functional(word: str) -> bool:
    """Is it a function word? A single letter is one as it is written only: `A` may be an answer."""
    return (word if len(word) == 1 else word.lower()) in FUNCTION_WORDS


def _others(token: Token, most: int) -> list[Swap]:
    """The likeliest alternatives that are words or parts of words, without the token itself."""
    rest = list(token.top[:most])
    itself = [pair for pair in rest if pair[1] == token.logprob and pair[0].strip() == token.text.strip()]
    for pair in itself[:1]:
        rest.remove(pair)
    return [
        (text, logprob) for text, logprob in rest if logprob > -math.inf and _WORD.search(text) and not is_control(text)
    ]

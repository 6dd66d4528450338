"""Option probability by likelihood: how likely the text of each option is as the answer to the open question."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from doxa import prompts
from doxa.errors import Unavailable
from doxa.estimators.reading import token_logprobs
from doxa.inquiry import Inquiry
from doxa.types import Access, Confidence, Scale


def option_likelihood(logprobs: Sequence[Sequence[float]], *, normalised: bool = True) -> list[float]:
    """Probability of each option from its token log-probabilities: softmax of their means (else of their sums).

    >>> shares = option_likelihood([[math.log(0.3)], [math.log(0.1), math.log(0.1)]])
    >>> [round(share, 4) for share in shares]
    [0.75, 0.25]
    """
    scores = [math.fsum(values) / (len(values) if normalised else 1) for values in logprobs]
    weights = [math.exp(score - max(scores)) for score in scores]
    return [weight / math.fsum(weights) for weight in weights]


@dataclass(frozen=True)
class OptionLikelihood:
    """Probability of the likeliest option: softmax over options of (1/T) Σ log p(token | question without options).

    Range [0, 1], higher is surer; for choice questions only. The question is asked openly, the options are not shown,
    and each option's text is scored as the answer, so no letter can be favoured. The number is about the method's own
    answer, the likeliest option. With `normalised=False` the sum is taken instead of the mean per token. Scoring
    options as completions follows Brown et al. 2020 (arXiv 2005.14165), section 2.4.
    """

    normalised: bool = True

    access: ClassVar[Access] = Access.LOGPROBS
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ()
    helps: ClassVar[str] = "Multiple choice with a small model, which knows the answer better than its letter."
    fails: ClassVar[str] = (
        "Options of different form or length are not compared fairly, and those that only make sense beside the others "
        "are not compared at all."
    )

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Score the text of every option."""
        if inquiry.kind != "choice":
            raise Unavailable("the question has no options")
        messages = prompts.without_choices(inquiry.messages, inquiry.choices)
        scored = await asyncio.gather(*(inquiry.logprobs(messages, choice) for choice in inquiry.choices))
        shares = option_likelihood([token_logprobs(tokens) for tokens in scored], normalised=self.normalised)
        best = max(range(len(shares)), key=shares.__getitem__)
        details = dict(zip(inquiry.choices, shares, strict=True))
        return Confidence(shares[best], self.scale, answer=inquiry.choices[best], details=details)

"""Option probability after reasoning: how sure the model is of an option once it has reasoned, and before it did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from doxa.errors import Unavailable
from doxa.estimators.chains import chain
from doxa.estimators.reading import by_meaning, option_meanings
from doxa.estimators.thinking import body, stopped
from doxa.inquiry import Inquiry
from doxa.types import Access, Confidence, Scale


@dataclass(frozen=True)
class OptionAfterReasoning:
    """Probability, over the letters of all options, of the likeliest one at the end of the model's own reasoning.

    Range [0, 1], higher is surer; for choice questions, and by the words yes and no for boolean ones. The likeliest
    chain of thought is shown as the model's turn so far, without its answer, and the options are read where the answer
    is due. The number is about the method's own answer, the option that is likeliest there. `details` hold what the
    paper compares, the probability of the answer in either way of answering: `before`, of the option that is likeliest
    when the model answers directly, and `after`, the number itself; and `same_before`, the direct probability of the
    option chosen after reasoning. Fu et al. 2025, Multiple Choice Questions: Reasoning Makes Large Language Models More
    Self-Confident Even When They Are Wrong (arXiv 2501.09775).
    """

    access: ClassVar[Access] = Access.LOGPROBS
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ("mcq-reasoning-overconfidence",)
    coverage: ClassVar[str] = "full"
    example: ClassVar[str] = "bank:capitals_choice"
    helps: ClassVar[str] = "Where an answer must be worked out: the option is then judged by what reasoning found."
    fails: ClassVar[str] = "As a measure of doubt: reasoning raises the probability of wrong answers as of right ones."

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Read the options directly, and again after the chain."""
        if inquiry.kind not in ("choice", "boolean"):
            raise Unavailable("the question has no options")
        meanings = option_meanings(inquiry.kind, len(inquiry.choices))
        direct = await inquiry.options(inquiry.messages, list(meanings))
        messages, begin = stopped(inquiry, body((await chain(inquiry)).text))
        # After "Answer:" an option is a word of its own, which tokens begin with its space.
        lead = " " if begin else ""
        reasoned = await inquiry.options(messages, [lead + option for option in meanings], prefill=begin)
        before, after = (by_meaning(list(meanings.values()), o.probabilities) for o in (direct, reasoned))
        chosen = max(after, key=after.__getitem__)
        details = {"before": max(before.values()), "after": after[chosen], "same_before": before[chosen]}
        answer = inquiry.choices[int(chosen)] if inquiry.kind == "choice" else chosen
        return Confidence(after[chosen], self.scale, answer=answer, details=details)

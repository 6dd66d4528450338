"""Final answer: how sure the model is of the answer it gives when its thinking is stopped at a budget."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from doxa import prompts
from doxa.errors import Unavailable, UsageError
from doxa.estimators.reading import is_control, token_logprobs
from doxa.estimators.thinking import force, think
from doxa.inquiry import Inquiry
from doxa.text import canonical
from doxa.types import Access, Confidence, Kind, Scale, Token

_NOTHING = -5.0
"""Log-confidence that the released code gives to an answer without the tokens it looks for."""
_REDUCTIONS = ("product", "mean", "min")


def answer_confidence(logprobs: Sequence[float], reduction: str = "product") -> float:
    """Exp of the sum of the answer tokens' log-probabilities, of their mean, or of the smallest.

    >>> halves = [math.log(0.5), math.log(0.5)]
    >>> answer_confidence(halves), round(answer_confidence(halves, "mean"), 12)
    (0.25, 0.5)
    """
    total = math.fsum(logprobs)
    reduced = {"product": total, "mean": total / len(logprobs), "min": min(logprobs)}[reduction]
    return min(1.0, math.exp(reduced))


def answer_tokens(tokens: Sequence[Token], kind: Kind, choices: int = 0) -> list[Token]:
    """The tokens that are the answer: those with digits of a number or a date, the first that is an option's letter.

    A number that is worked out once more stands after the last "=". Of other answers, and of an option that is named
    without a letter, all tokens that hold a letter or a digit.
    """
    said = [token for token in tokens if not is_control(token.text)]
    if kind in ("number", "date"):
        sums = [place for place, token in enumerate(said) if "=" in token.text]
        return [token for token in said[max(sums, default=-1) + 1 :] if any(map(str.isdigit, token.text))]
    words = [token for token in said if any(map(str.isalnum, token.text))]
    letters = prompts.letters(choices) if kind == "choice" else ()
    return [token for token in words if token.text.strip(" ()*.:") in letters][:1] or words


@dataclass(frozen=True)
class FinalAnswer:
    """Probability of the tokens of the answer that follows a chain of reasoning cut at `budget`: exp Σ log p(a_t | …).

    Range [0, 1], higher is surer. The likeliest chain is cut after `budget` tokens, or words where the model shows no
    tokens (the provenance says which); then the final answer is forced by beginning its line, and decoded greedily. A
    chain that ends before the budget is made to go on by a "Wait", up to `extensions` times. The number is about the
    method's own answer, the one that was forced. Of numbers and dates the tokens with digits count, of options the
    letter; `reduction` takes their "product", "mean" or "min". An answer without such tokens, or that cannot be read,
    has no number; `as_released` gives it exp(-5), as the published code does. Budgets share the chain: name several to
    see what thinking buys, and what answering only above a threshold is worth. `details` hold the budget, the length of
    the thinking that was shown, and how often it was made to go on. Jurayj, Cheng and Van Durme 2025, Is That Your
    Final Answer? (arXiv 2502.13962), whose 12 extensions are those on mathematics.
    """

    budget: int = 64
    reduction: str = "product"
    extensions: int = 12
    as_released: bool = False

    access: ClassVar[Access] = Access.LOGPROBS
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    open_ended: ClassVar[bool] = True
    alternatives: ClassVar[int] = 0
    implements: ClassVar[tuple[str, ...]] = ("final-answer-selective-tts",)
    coverage: ClassVar[str] = (
        "full: confidence and utility at each budget; the policy thinking_budget chooses among them"
    )
    spelled: ClassVar[str] = "final_answer(budget=8),final_answer(budget=32),final_answer(budget=128)"
    example: ClassVar[str] = "bank:capitals --limit 30 --out runs/final-answer"
    helps: ClassVar[str] = "Where answers are worked out, and one wants to know how much thinking is worth its price."
    fails: ClassVar[str] = "Where reasoning talks the model into its answer: it is then sure of wrong ones too."

    def __post_init__(self) -> None:
        """Check the knobs."""
        if self.budget < 0 or self.extensions < 0:
            raise UsageError(f"a budget of {self.budget} and {self.extensions} extensions", hint="neither is below 0")
        if self.reduction not in _REDUCTIONS:
            raise UsageError(f"no reduction {self.reduction!r}", hint=f"one of {', '.join(_REDUCTIONS)}")

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Think, stop, and read the answer."""
        thought, extended = await think(inquiry, self.budget, self.extensions)
        reply = await force(inquiry, thought.first(self.budget), top_logprobs=0)
        shown, rests_on = min(self.budget, len(thought.pieces)), f"thinking cut by {thought.unit}"
        details = {"budget": float(self.budget), "thought": float(shown), "extensions": float(extended)}
        if reply.tokens is None:
            raise Unavailable("the model gave no log-probabilities")
        tokens = answer_tokens(reply.tokens, inquiry.kind, len(inquiry.choices))
        if tokens and canonical(reply.text, inquiry.kind, inquiry.choices) is not None:
            value = answer_confidence(token_logprobs(tokens), self.reduction)
        elif self.as_released:
            value = math.exp(_NOTHING)
        else:
            return Confidence(None, self.scale, "the final answer cannot be read", details=details, provenance=rests_on)
        return Confidence(value, self.scale, answer=reply.text.strip(), details=details, provenance=rests_on)

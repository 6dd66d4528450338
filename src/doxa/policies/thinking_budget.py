"""Thinking budget: how long to let a model think, and from which confidence on to give the answer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike

from doxa.errors import DataError, UsageError
from doxa.metrics.maths.checks import Bools, Floats, refuse
from doxa.state import dump, fitted, load
from doxa.types import Case, Decision


class Choice(NamedTuple):
    """A budget by its column, the confidence from which its answers are given, and their utility."""

    column: int
    threshold: float
    utility: float


def best_budget(confidence: Floats, correct: Bools, thought: Floats, *, cost: float, price: float) -> Choice | None:
    """The budget and threshold of the largest utility (right − cost · wrong) / n − price · mean of `thought`.

    Arrays are (n, budgets); -inf is a missing confidence, which is never answered. Of equals the first budget and the
    highest threshold. `None` where nothing is worth more than silence without thinking, 0.
    """
    best = None
    for column in range(confidence.shape[1]):
        values, index = np.unique(-confidence[:, column], return_inverse=True)
        gains = np.bincount(index, np.where(correct[:, column], 1.0, -cost), minlength=len(values)).cumsum()
        gains = gains[np.isfinite(values)]
        if not len(gains):
            continue
        at = int(np.argmax(gains))
        utility = float(gains[at] / len(confidence) - price * thought[:, column].mean())
        if utility > (0 if best is None else best.utility):
            best = Choice(column, float(-values[at]), utility)
    return best


@dataclass(frozen=True, slots=True)
class ThinkingBudget:
    """Think for the learnt budget, then answer if the confidence reaches the learnt threshold, else abstain.

    Both maximise U = (right − cost · wrong) / N − price · tokens on the answers they are learnt from: `cost` is what a
    wrong answer costs where a right one gains 1, as in an exam (0), a quiz (1) or where stakes are high (20); `price`
    is what a token of thinking costs, 0 in the paper. Where no budget is worth more than silence it always abstains. A
    case's details say as `budget` how long was thought so far; while that is less than the learnt `budget`, the
    decision is to go on thinking (`reflect`). It maximises a mean and guarantees nothing of a single question. Jurayj,
    Cheng and Van Durme 2025, Is That Your Final Answer? (arXiv 2502.13962).
    """

    implements: ClassVar[tuple[str, ...]] = ("final-answer-selective-tts",)
    coverage: ClassVar[str] = "full"
    command: ClassVar[str] = "doxa budget runs/final-answer --out bundle.json --cost 1"
    learnt_by: ClassVar[str] = "doxa budget"
    """The verb that has what it is learnt from, which is more than a confidence and an outcome."""
    budgets: tuple[int, ...] = ()
    """Those of the columns, in their order; 0, 1, … where nothing is said."""
    cost: float = 1.0
    price: float = 0.0
    _budget: int | None = None
    _threshold: tuple[float, ...] | None = None
    """Empty where nothing is ever answered."""

    def __post_init__(self) -> None:
        """Refuse negative costs and budgets."""
        for name, value in (("cost", self.cost), ("price", self.price), *(("budgets", b) for b in self.budgets)):
            if not 0 <= value < math.inf:
                raise UsageError(f"{name}={value!r}", hint=f"{name} is a number from 0 upwards")

    def fit(
        self,
        *,
        confidence: ArrayLike,
        correct: ArrayLike,
        cluster: Sequence[Any] | None = None,
        thought: ArrayLike | None = None,
    ) -> Self:
        """Choose budget and threshold. Arrays are (questions, budgets), or flat for one budget; NaN is missing.

        `thought` says how many tokens were thought, where that is less than the budget. Clusters play no part in a
        maximum. Raises `DataError`.
        """
        p, y = (np.asarray(each, dtype=np.float64) for each in (confidence, correct))
        p, y = (each[:, None] if each.ndim == 1 else each for each in (p, y))
        budgets = self.budgets or tuple(range(p.shape[1]))
        if p.shape != y.shape or not p.size or p.shape[1] != len(budgets):
            raise DataError(
                f"shapes {p.shape} and {y.shape} for {len(budgets)} budgets", hint="give a column for each budget"
            )
        refuse("correct", y.ravel(), ((y != 0) & (y != 1)).ravel(), "neither true nor false", "leave them out")
        spent = np.broadcast_to(np.asarray(budgets if thought is None else thought, dtype=np.float64), p.shape)
        found = best_budget(np.where(np.isnan(p), -np.inf, p), y == 1, spent, cost=self.cost, price=self.price)
        if found is None:
            return replace(self, _budget=0, _threshold=())
        return replace(self, _budget=int(budgets[found.column]), _threshold=(found.threshold,))

    def decide(self, case: Case) -> Decision:
        """Go on thinking, answer, or abstain."""
        budget, threshold = self.budget, fitted(self._threshold)
        if not threshold:
            return Decision("abstain", case.confidence, reason=f"no answer is worth a cost of {self.cost:g} when wrong")
        so_far = case.details.get("budget")
        if so_far is not None and so_far < budget:
            return Decision("reflect", case.confidence, reason=f"thought for {so_far:g} of {budget}")
        if case.confidence is None:
            return Decision("abstain", None, reason="no confidence")
        sure = case.confidence >= threshold[0]
        reason = f"{'at least' if sure else 'below'} {threshold[0]:.4g} after thinking for {budget}"
        return Decision("answer" if sure else "abstain", case.confidence, reason=reason)

    @property
    def budget(self) -> int:
        """How long to think; 0 where no answer is ever given."""
        return fitted(self._budget)

    def to_json(self) -> dict[str, Any]:
        """Knobs and state as JSON-able values."""
        return dump(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The policy that `to_json` wrote."""
        return load(cls, data)

"""Penalty-aware answering: answer where the expected gain of an answer is above that of silence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from numpy.typing import ArrayLike

from doxa.errors import UsageError
from doxa.state import dump, load
from doxa.types import Case, Decision


@dataclass(frozen=True, slots=True)
class Penalty:
    """Answer if and only if the calibrated probability of being right is above cost / (1 + cost).

    A right answer gains 1, a wrong one loses `cost` (at least 0), silence is worth 0: with belief p an answer is worth
    p − cost · (1 − p), which is positive exactly there. A stated confidence target t is the cost t / (1 − t). It rests
    on the probability alone and so is as good as the calibration is; without one the decision is to abstain. Nothing
    is learnt. Source: Chow 1970; Kalai, Nachum, Vempala and Zhang 2025, Why Language Models Hallucinate.
    """

    implements: ClassVar[tuple[str, ...]] = ()
    cost: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a negative cost."""
        if not 0 <= self.cost < float("inf"):
            raise UsageError(f"cost={self.cost!r}", hint="what a wrong answer costs is a number from 0 upwards")

    @property
    def threshold(self) -> float:
        """The probability at which an answer is worth nothing."""
        return self.cost / (1 + self.cost)

    def fit(self, *, confidence: ArrayLike, correct: ArrayLike, cluster: Sequence[Any] | None = None) -> Self:
        """Return it unchanged: there is nothing to learn."""
        return self

    def decide(self, case: Case) -> Decision:
        """Answer or abstain."""
        if case.probability is None:
            return Decision("abstain", None, reason="no calibrated probability")
        worth = case.probability - self.cost * (1 - case.probability)
        return Decision(
            "answer" if worth > 0 else "abstain", case.probability, reason=f"an answer is worth {worth:+.3f}"
        )

    def to_json(self) -> dict[str, Any]:
        """Knobs as JSON-able values."""
        return dump(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The policy that `to_json` wrote."""
        return load(cls, data)

"""Conformal risk control: few questions answered wrongly, on average over calibrations."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.maths.checks import check
from doxa.policies.maths.bounds import check_levels
from doxa.policies.maths.thresholds import WRONG_AMONG_ALL, by_threshold, masses_from, whole
from doxa.state import dump, fitted, load
from doxa.types import Case, Decision, Guarantee, Scale


@dataclass(frozen=True, slots=True)
class ConformalRiskControl:
    """Answer from a confidence upwards, so that at most a share `risk` of all questions is answered wrongly on average.

    E[wrong and answered] <= `risk`, the expectation being over the answers it was fitted on and a new one. The
    threshold is the lowest confidence t for which (wrong answers from t upwards + 1) / (n + 1) <= `risk`. The proof
    needs a loss that falls as t rises, hence a risk of all questions: the share of errors among the answers given may
    rise with t, see `selective_risk` for it. Answers of a `cluster` count together, as the mean of their losses. Below
    the lowest confidence seen it never answers.

    Source: Angelopoulos, Bates, Fisch, Lei and Schuster 2022 (arXiv 2208.02814), theorem 1.
    """

    implements: ClassVar[tuple[str, ...]] = ()
    risk: float = 0.05
    _threshold: float | str | None = None
    _n: int | None = None

    def __post_init__(self) -> None:
        """Refuse a risk that is no share."""
        check_levels(risk=self.risk)

    @property
    def guarantee(self) -> Guarantee:
        """What holds once it is fitted."""
        return Guarantee(WRONG_AMONG_ALL, self.risk, None, fitted(self._n), "conformal risk control")

    @property
    def threshold(self) -> float | None:
        """The confidence from which it answers; `None` where it never does."""
        return None if isinstance(self._threshold, str) else fitted(self._threshold)

    def fit(self, *, confidence: ArrayLike, correct: ArrayLike, cluster: Sequence[Any] | None = None) -> Self:
        """Return a fitted copy. Raises `DataError` for bad values."""
        p, y = check(confidence, correct, Scale.REAL)
        values = np.unique(p)
        masses = masses_from(values, p, y, cluster)
        n, losses = masses.n, masses.n * masses.wrong
        qualified = values[whole(losses + 1) <= whole(self.risk * (n + 1))]
        return replace(self, _threshold=float(qualified[0]) if len(qualified) else self._why(n, losses[-1]), _n=n)

    def _why(self, n: int, loss: float) -> str:
        needed = math.ceil(whole(1 / self.risk - 1))
        if n < needed:
            return f"{n} answers cannot hold a risk of {self.risk:g} on average; {needed} could, if all were right"
        reached = (loss + 1) / (n + 1)
        return f"no threshold qualifies: the strictest one shows a risk of {reached:.3g}, not {self.risk:g}"

    def decide(self, case: Case) -> Decision:
        """Answer or abstain."""
        return by_threshold(self._threshold, case, self.guarantee)

    def to_json(self) -> dict[str, Any]:
        """Knobs and state as JSON-able values."""
        return dump(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The policy that `to_json` wrote."""
        return load(cls, data)

"""Learn then test: thresholds named beforehand, a p-value for each, and control over all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from doxa.errors import UsageError
from doxa.metrics.maths.checks import Bools, Floats, check
from doxa.policies.maths.bounds import binomial_p, check_levels, check_word, hoeffding_bentkus_p
from doxa.policies.maths.families import FAMILIES
from doxa.policies.maths.thresholds import (
    WRONG_AMONG_ALL,
    WRONG_AMONG_GIVEN,
    Masses,
    by_threshold,
    masses_from,
    surest_first,
    whole,
)
from doxa.state import dump, fitted, load
from doxa.types import Case, Decision, Guarantee, Scale

LOSSES = {"selective": WRONG_AMONG_GIVEN, "marginal": WRONG_AMONG_ALL}
P_VALUES = ("binomial", "hoeffding_bentkus")


@dataclass(frozen=True, slots=True)
class LearnThenTest:
    """Answer from the lowest of some thresholds for which a test shows that the risk is at most `risk`.

    With probability at least 1 − `delta` over the answers it was fitted on, no threshold is taken wrongly. The
    thresholds are `steps` equal steps from `low` to `high` and both ends: they must not be chosen by looking at those
    answers. `loss` is what is controlled:

    - "selective": the share of wrong answers among those given, a conditional risk; tested as the expectation of
      (wrong − risk) · answered, which is at most 0 exactly where that share is at most `risk`.
    - "marginal": the share of questions that are answered wrongly; silence counts as no loss, so it is always smaller.

    `p_value`: "binomial" is exact and uses one answer of each `cluster`, drawn by `seed` ("selective": of those given);
    "hoeffding_bentkus" holds for any loss in [0, 1] and so takes the mean loss of every cluster, of all its answers;
    the selective loss is moved into [0, 1] by adding `risk`. `family`: "holm" or "bonferroni" in any case;
    "fixed_sequence" goes from `high` downwards and stops at the first threshold that fails: it finds more where many
    answers reach `high`, and nothing where few do.

    Source: Angelopoulos, Bates, Candès, Jordan and Lei 2021 (arXiv 2110.01052).
    """

    implements: ClassVar[tuple[str, ...]] = ()
    risk: float = 0.05
    delta: float = 0.05
    loss: str = "selective"
    p_value: str = "binomial"
    family: str = "holm"
    low: float = 0.0
    high: float = 1.0
    steps: int = 20
    seed: int = 0
    _threshold: float | str | None = None
    _n: int | None = None

    def __post_init__(self) -> None:
        """Refuse levels that are no shares, words that are unknown and thresholds that are none."""
        check_levels(risk=self.risk, delta=self.delta)
        check_word("loss", self.loss, LOSSES)
        check_word("p_value", self.p_value, P_VALUES)
        check_word("family", self.family, FAMILIES)
        if not (self.steps >= 1 and self.low < self.high):
            hint = "low is below high, and there is at least one step between them"
            raise UsageError(f"low={self.low!r}, high={self.high!r}, steps={self.steps!r}", hint=hint)

    @property
    def guarantee(self) -> Guarantee:
        """What holds once it is fitted."""
        method = f"learn then test: {self.p_value}, {self.family}".replace("_", " ")
        return Guarantee(LOSSES[self.loss], self.risk, self.delta, fitted(self._n), method)

    @property
    def threshold(self) -> float | None:
        """The confidence from which it answers; `None` where it never does."""
        return None if isinstance(self._threshold, str) else fitted(self._threshold)

    @property
    def thresholds(self) -> Floats:
        """All that are tested, the strictest first."""
        return np.linspace(self.high, self.low, self.steps + 1)

    def fit(self, *, confidence: ArrayLike, correct: ArrayLike, cluster: Sequence[Any] | None = None) -> Self:
        """Return a fitted copy. Raises `DataError` for bad values."""
        if self.p_value == "binomial":
            masses = masses_from(self.thresholds, *surest_first(confidence, correct, cluster, self.seed))
        else:
            masses = masses_from(self.thresholds, *check(confidence, correct, Scale.REAL), cluster)
        p = self._p_values(masses)
        return replace(self, _threshold=self._choose(p, FAMILIES[self.family](p, self.delta)), _n=masses.n)

    def _p_values(self, masses: Masses) -> Floats:
        given, wrong, n = masses
        selective = self.loss == "selective"
        if self.p_value == "hoeffding_bentkus":
            return hoeffding_bentkus_p(wrong + self.risk * (1 - given) if selective else wrong, n, self.risk)
        return binomial_p(whole(n * wrong), whole(n * given) if selective else n, self.risk)

    def _choose(self, p: Floats, rejected: Bools) -> float | str:
        if rejected.any():
            return float(self.thresholds[rejected][-1])
        best = int(np.argmin(p))
        return (
            f"none of {len(p)} thresholds qualifies: for {self.thresholds[best]:.4g} the p-value is {p[best]:.3g}, "
            f"and {self.family.replace('_', ' ')} rejects none at {self.delta:g}"
        )

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

"""The route of a fact-checker: answer, look something up, search widely, or think again."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

from numpy.typing import ArrayLike

from doxa.errors import UsageError
from doxa.metrics.maths.checks import check
from doxa.state import dump, load
from doxa.types import Act, Case, Decision, Scale

if TYPE_CHECKING:
    from doxa.types import Floats

    Numbers = Mapping[str, float | None]

ROUTES: Mapping[tuple[bool, bool], Act] = {
    (True, True): "answer",
    (True, False): "retrieve",
    (False, True): "reflect",
    (False, False): "search",
}
"""What to do by whether certainty is high and whether consistency is."""


@dataclass(frozen=True, slots=True)
class VerificationRoute:
    """Answer where a verdict is certain and its reasons are consistent; else do what removes the doubt there is.

    Certainty τ and consistency γ are the details `tau` and `gamma` of the estimator `pcc`; high is at least `alpha` and
    `beta`. Both high: answer. Certain but inconsistent: look up what the reasons that contradict each other the most
    say. Consistent but uncertain: reflect. Neither: search, from everything that was said. The payload of each act but
    answering are these reasons. Where a case has no τ and γ, or none were there in fitting, its confidence stands for
    both; where it has none either, search.

    The paper calls its thresholds empirical and tells neither them nor how they were found, nor what its searches cost;
    ours are 1/2 each, and `fit` learns them: of all pairs that which makes the most of right answers less `price` for
    each act, an act being taken to set things right. So it answers where at least 1 − `price` of what is certain and
    consistent is right; among equals it takes the highest threshold of certainty, then that of consistency. Wang et al.
    2026, Fact-Checking with Large Language Models via Probabilistic Certainty and Consistency (arXiv 2601.02574).
    """

    alpha: float = 0.5
    beta: float = 0.5
    price: float = 0.2
    _certain: float | None = None
    _consistent: float | None = None
    _by: str | None = None
    """What the thresholds are about: `details` or `confidence`."""

    implements: ClassVar[tuple[str, ...]] = ("pcc-fact-checking",)
    coverage: ClassVar[str] = "full"
    command: ClassVar[str] = (
        "python docs/capitals_documents.py documents && "
        "doxa act bank:capitals_claims --limit 10 --model {model} --entailment judge --policy verification_route "
        "--documents documents"
    )
    acts: ClassVar[tuple[Act, ...]] = ("answer", "retrieve", "search", "reflect")
    estimator: ClassVar[str] = "pcc"
    """Whose confidence it is made for."""

    def __post_init__(self) -> None:
        """Refuse thresholds and prices that make no sense."""
        for name in ("alpha", "beta"):
            if not 0 <= getattr(self, name) < math.inf:
                raise UsageError(f"{name}={getattr(self, name)!r}", hint="from 0 upwards; above 1 nothing is high")
        if not 0 <= self.price <= 1:
            raise UsageError(f"price={self.price!r}", hint="what an act costs where a right answer is worth 1")

    @property
    def thresholds(self) -> tuple[float, float]:
        """From where certainty and consistency are high: what was learnt, else `alpha` and `beta`."""
        learnt = self._certain, self._consistent
        return self.alpha if learnt[0] is None else learnt[0], self.beta if learnt[1] is None else learnt[1]

    def fit(
        self,
        *,
        confidence: ArrayLike,
        correct: ArrayLike,
        cluster: Sequence[Any] | None = None,
        details: Sequence[Numbers] | None = None,
    ) -> Self:
        """A copy with learnt thresholds; `details` are those of the confidences, cases without τ and γ are left out.

        Without `details` the confidence stands for both, and there is one threshold. Raises `DataError` for bad values
        or no rows.
        """
        import numpy as np

        raw, right = check(confidence, correct, Scale.REAL)
        known = [(_both(each), place) for place, each in enumerate(details or ()) if _both(each)]
        if not known:
            threshold, _ = best_corner(raw, np.zeros(len(raw)), right, self.price)
            return replace(self, _certain=threshold, _consistent=threshold, _by="confidence")
        tau, gamma = np.array([both for both, _ in known], dtype=float).T
        certain, consistent = best_corner(tau, gamma, right[[place for _, place in known]], self.price)
        return replace(self, _certain=certain, _consistent=consistent, _by="details")

    def decide(self, case: Case) -> Decision:
        """One of the four acts."""
        both = None if self._by == "confidence" else _both(case.details)
        if both is None and case.confidence is not None:
            both = case.confidence, case.confidence
        if both is None:
            return Decision("search", None, case.evidence, reason="neither certainty nor consistency is known")
        high = both[0] >= self.thresholds[0], both[1] >= self.thresholds[1]
        signs = ("≥" if each else "<" for each in high)
        parts = zip(("certainty", "consistency"), both, signs, self.thresholds, strict=True)
        reason = ", ".join(f"{name} {value:.3f} {sign} {limit:.3f}" for name, value, sign, limit in parts)
        act = ROUTES[high]
        return Decision(act, case.confidence, None if act == "answer" else case.evidence, reason=reason)

    def to_json(self) -> dict[str, Any]:
        """Knobs and thresholds as JSON-able values."""
        return dump(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The policy that `to_json` wrote."""
        return load(cls, data)


def _both(details: Numbers) -> tuple[float, float] | None:
    """Certainty and consistency, where both are there."""
    tau, gamma = details.get("tau"), details.get("gamma")
    return None if tau is None or gamma is None else (tau, gamma)


def best_corner(tau: Floats, gamma: Floats, correct: Any, price: float) -> tuple[float, float]:
    """The thresholds (α, β) that maximise right answers − (1 − price) · answers, of those with τ ≥ α and γ ≥ β.

    That is the gain over verifying everything, at a price each. Candidates are the values there are, and for no answer
    at all the next number above the highest. Equals: the highest α, then the highest β.
    """
    import numpy as np

    levels, place = np.unique(gamma, return_inverse=True)
    best = 0.0
    found = math.nextafter(float(tau.max()), math.inf), math.nextafter(float(levels[-1]), math.inf)
    right, answers = np.zeros(len(levels)), np.zeros(len(levels))
    order = np.argsort(-tau, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(tau[order])), len(tau) - 1) + 1
    start = 0
    for end in ends:
        rows = order[start:end]
        np.add.at(right, place[rows], correct[rows])
        np.add.at(answers, place[rows], 1.0)
        gain = right[::-1].cumsum() - (1 - price) * answers[::-1].cumsum()
        top = int(gain.argmax())
        if gain[top] > best:
            best, found = float(gain[top]), (float(tau[rows[0]]), float(levels[::-1][top]))
        start = end
    return found

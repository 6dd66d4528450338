"""Routing: choose the model before any is asked, by a signal that costs little."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from numpy.typing import ArrayLike

from doxa.policies.maths.bounds import check_levels
from doxa.policies.maths.cheapest import answers_of, cheapest, named
from doxa.policies.maths.thresholds import WRONG_AMONG_GIVEN
from doxa.state import dump, fitted, load
from doxa.types import Case, Decision, Guarantee


@dataclass(frozen=True, slots=True)
class Routing:
    """Ask the cheapest model whose threshold the signal reaches; below all of them, the dearest of the chain.

    Unlike in a cascade one model alone is asked and paid for, so the signal, a case's confidence, must be known before:
    a classifier's of the question, a tiny model's. Models and thresholds are learnt: the cheapest
    route whose share of wrong answers is at most `risk` with probability at least 1 − `delta` (see
    `policies.maths.cheapest`). Where none qualifies, it abstains on everything. The setting is that of Ong et al.
    2024, RouteLLM (arXiv 2406.18665), whose routers are such signals.
    """

    implements: ClassVar[tuple[str, ...]] = ()
    learnt_by: ClassVar[str] = "doxa cascade --signal COL"
    """The verb that has what it is learnt from, which is more than a confidence and an outcome."""
    models: tuple[str, ...] = ()
    """Names in the order of the columns; numbers from 1 where there are none."""
    prices: tuple[float, ...] = ()
    """What a question costs each; 1 where nothing is said."""
    risk: float = 0.1
    delta: float = 0.05
    seed: int = 0
    """Of the halves that draw the frontier and test it."""
    _chain: tuple[str, ...] | None = None
    _thresholds: tuple[float, ...] | None = None
    _n: int | None = None
    _came_to: tuple[float, ...] | None = None
    """Cost, share of wrong answers and share answered, on the questions it was tested on."""

    def __post_init__(self) -> None:
        """Check the shares."""
        check_levels(risk=self.risk, delta=self.delta)

    def fit(
        self,
        *,
        confidence: ArrayLike,
        correct: ArrayLike,
        cluster: Sequence[Any] | None = None,
        price: ArrayLike | None = None,
    ) -> Self:
        """Choose the models and thresholds. `confidence` is the signal (questions,), `correct` (questions, models).

        NaN is a missing signal. `price` says what each answer cost, in place of `prices`. Raises `DataError`.
        """
        answers, order = answers_of(confidence, correct, price, self.prices, routed=True)
        names = named(self.models, order)
        found = cheapest(answers, risk=self.risk, delta=self.delta, cluster=cluster, seed=self.seed)
        if found is None:
            return replace(self, _chain=(), _thresholds=(), _n=0, _came_to=())
        chain = tuple(names[i] for i in found.plan.models)
        came_to = (found.cost, found.risk, found.coverage)
        return replace(self, _chain=chain, _thresholds=found.plan.thresholds, _n=found.n, _came_to=came_to)

    def decide(self, case: Case) -> Decision:
        """Escalate to the model that is the payload, or abstain where no route keeps the bound."""
        chain, thresholds, signal = fitted(self._chain), fitted(self._thresholds), case.confidence
        if not chain:
            none = f"no route keeps wrong answers under {self.risk:g} with probability {1 - self.delta:g}"
            return Decision("abstain", signal, reason=none)
        for model, threshold in zip(chain, thresholds, strict=False):
            if signal is not None and signal >= threshold:
                return Decision("escalate", signal, model, self.guarantee, f"at least {threshold:.4g}")
        reason = "no signal" if signal is None else "below all thresholds" if thresholds else "the only model"
        return Decision("escalate", signal, chain[-1], self.guarantee, reason)

    @property
    def guarantee(self) -> Guarantee | None:
        """What holds of the answers it leads to; `None` where there are none."""
        if not fitted(self._chain):
            return None
        method = "exact binomial tests of routes in a fixed sequence, on questions that did not choose them"
        return Guarantee(WRONG_AMONG_GIVEN, self.risk, self.delta, fitted(self._n), method)

    def to_json(self) -> dict[str, Any]:
        """Knobs and state as JSON-able values."""
        return dump(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The policy that `to_json` wrote."""
        return load(cls, data)

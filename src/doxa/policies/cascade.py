"""Cascade: ask the cheapest model first, and a dearer one only where it is not sure enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from numpy.typing import ArrayLike

from doxa.errors import UsageError
from doxa.policies.maths.bounds import check_levels
from doxa.policies.maths.cheapest import answers_of, cheapest, named
from doxa.policies.maths.thresholds import WRONG_AMONG_GIVEN
from doxa.state import dump, fitted, load
from doxa.types import Case, Decision, Guarantee


@dataclass(frozen=True, slots=True)
class Cascade:
    """Keep a model's answer where its confidence reaches that model's threshold, else ask the next dearer one.

    Which models are asked and their thresholds are learnt: the cheapest cascade whose share of wrong answers is at most
    `risk` with probability at least 1 − `delta` (see `policies.maths.cheapest`). The last answers always, or with a
    `answered` below 1 abstains below a threshold of its own, as long as that share of questions was answered. Where no
    cascade qualifies, it abstains on everything. A case says in its details how many models were asked before, as
    `stage`. After Chen, Zaharia and Zou 2023, FrugalGPT (arXiv 2305.05176).
    """

    implements: ClassVar[tuple[str, ...]] = ()
    learnt_by: ClassVar[str] = "doxa cascade"
    """The verb that has what it is learnt from, which is more than a confidence and an outcome."""
    models: tuple[str, ...] = ()
    """Names in the order of the columns; numbers from 1 where there are none."""
    prices: tuple[float, ...] = ()
    """What a question costs each; 1 where nothing is said."""
    risk: float = 0.1
    delta: float = 0.05
    answered: float = 1.0
    """The share of questions that must be answered."""
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
        if not 0 < self.answered <= 1:
            raise UsageError(f"answered={self.answered!r}", hint="it is a share above 0, and 1 where all are answered")

    def fit(
        self,
        *,
        confidence: ArrayLike,
        correct: ArrayLike,
        cluster: Sequence[Any] | None = None,
        price: ArrayLike | None = None,
    ) -> Self:
        """Choose the models and thresholds. `confidence` and `correct` are (questions, models), or flat for one model.

        NaN is a missing confidence. `price` says what each answer cost, in place of `prices`. Raises `DataError`.
        """
        answers, order = answers_of(confidence, correct, price, self.prices)
        names = named(self.models, order)
        bounds = {"risk": self.risk, "delta": self.delta, "coverage": self.answered}
        found = cheapest(answers, **bounds, cluster=cluster, seed=self.seed)
        if found is None:
            return replace(self, _chain=(), _thresholds=(), _n=0, _came_to=())
        chain = tuple(names[i] for i in found.plan.models)
        came_to = (found.cost, found.risk, found.coverage)
        return replace(self, _chain=chain, _thresholds=found.plan.thresholds, _n=found.n, _came_to=came_to)

    def decide(self, case: Case) -> Decision:
        """Answer, ask the next model, which is the payload, or abstain."""
        chain, thresholds = fitted(self._chain), fitted(self._thresholds)
        if not chain:
            none = f"no cascade keeps wrong answers under {self.risk:g} with probability {1 - self.delta:g}"
            return Decision("abstain", case.confidence, reason=none)
        stage = int(case.details.get("stage") or 0)
        if not 0 <= stage < len(chain):
            raise UsageError(f"stage {stage} of {len(chain)}", hint="count the models asked before, from 0")
        if stage == len(thresholds):
            return Decision("answer", case.confidence, chain[stage], self.guarantee, "the last model always answers")
        threshold = thresholds[stage]
        if case.confidence is not None and case.confidence >= threshold:
            return Decision("answer", case.confidence, chain[stage], self.guarantee, f"at least {threshold:.4g}")
        reason = "no confidence" if case.confidence is None else f"below {threshold:.4g}"
        if stage + 1 < len(chain):
            return Decision("escalate", case.confidence, chain[stage + 1], reason=reason)
        return Decision("abstain", case.confidence, reason=reason)

    @property
    def guarantee(self) -> Guarantee | None:
        """What holds of the answers it gives; `None` where it gives none."""
        if not fitted(self._chain):
            return None
        method = "exact binomial tests of cascades in a fixed sequence, on questions that did not choose them"
        return Guarantee(WRONG_AMONG_GIVEN, self.risk, self.delta, fitted(self._n), method)

    def to_json(self) -> dict[str, Any]:
        """Knobs and state as JSON-able values."""
        return dump(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The policy that `to_json` wrote."""
        return load(cls, data)

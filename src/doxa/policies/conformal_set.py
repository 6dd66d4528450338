"""Conformal prediction sets: the options among which the right answer is, for nearly all questions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from doxa.policies.maths.bounds import check_levels, check_word
from doxa.policies.maths.sets import (
    CONFORMITIES,
    WITHOUT_RIGHT,
    Right,
    absent_lowest,
    by_set,
    missing,
    of_right,
    paired,
)
from doxa.policies.maths.thresholds import whole
from doxa.state import dump, fitted, load
from doxa.types import Case, Decision, Guarantee


@dataclass(frozen=True, slots=True)
class ConformalSet:
    """The set of options that conform as well as right answers do; answer if it is one option, else hand over the set.

    Over the answers it was fitted on and a new question, the probability that no right answer is in the set is at most
    `risk`. The threshold is the ⌊risk · (n + 1)⌋-th lowest conformity of the right options of n questions; `score` says
    what conformity is: "lac" the option's probability (the smallest sets on average), "aps" minus the mass of the
    options that are at least as likely (sets that grow with the difficulty of the question). With fewer than
    1 / risk − 1 questions, every set holds all options and the reason says so.

    Options may also be sampled answers with their frequencies. The right answer may then be none of them: such a
    question counts as one that no set covers, and where there are too many of those no set will do, which is said. The
    promise is about all sets, not about those of one option only: for these use `selective_risk`. One question of each
    `cluster` is used, drawn by `seed`.

    Sources: split conformal prediction, Vovk, Gammerman and Shafer 2005; "lac", Sadinle, Lei and Wasserman 2019; "aps",
    Romano, Sesia and Candès 2020 (arXiv 2006.02544).
    """

    implements: ClassVar[tuple[str, ...]] = ()
    risk: float = 0.1
    score: str = "lac"
    seed: int = 0
    _threshold: float | str | None = None
    _n: int | None = None

    def __post_init__(self) -> None:
        """Refuse a risk that is no share, and unknown scores."""
        check_levels(risk=self.risk)
        check_word("score", self.score, CONFORMITIES)

    @property
    def guarantee(self) -> Guarantee:
        """What holds once it is fitted."""
        return Guarantee(WITHOUT_RIGHT, self.risk, None, fitted(self._n), f"split conformal, {self.score}")

    def conformity(self, options: Mapping[str, float]) -> dict[str, float]:
        """How well each option conforms; higher is better."""
        return CONFORMITIES[self.score](options)

    def fit_options(
        self,
        *,
        options: Sequence[Mapping[str, float]],
        right: Sequence[Right],
        cluster: Sequence[Any] | None = None,
    ) -> Self:
        """Return a copy fitted on the options of questions with their probabilities, and which of them are right."""
        paired(options, right)
        found = [of_right(self.conformity(o), r) for o, r in zip(options, right, strict=True)]
        there = [value is not None for value in found]
        return self.fit(confidence=[value or 0.0 for value in found], correct=there, cluster=cluster)

    def fit(self, *, confidence: ArrayLike, correct: ArrayLike, cluster: Sequence[Any] | None = None) -> Self:
        """Return a fitted copy; `confidence` is the conformity of the right option, `correct` whether there was one."""
        lowest = absent_lowest(confidence, correct, cluster, self.seed)
        return replace(self, _threshold=self._choose(lowest), _n=len(lowest))

    def _choose(self, lowest: Any) -> float | str:
        """The lowest conformity that is let in, or why all are; of ascending conformities."""
        n = len(lowest)
        rank = math.floor(whole(self.risk * (n + 1)))
        if rank < 1:
            needed = math.ceil(whole(1 / self.risk - 1))
            return f"all options are in: {n} questions cannot hold a risk of {self.risk:g}, {needed} could"
        absent = int(np.isneginf(lowest).sum())
        return missing(n, absent, rank - 1) if absent >= rank else float(lowest[rank - 1])

    def decide(self, case: Case) -> Decision:
        """The set, as payload, and whether it is an answer."""
        threshold = self._threshold if isinstance(self._threshold, str) else fitted(self._threshold)
        return by_set(threshold, case, self.conformity(case.options), self.guarantee)

    def to_json(self) -> dict[str, Any]:
        """Knobs and state as JSON-able values."""
        return dump(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The policy that `to_json` wrote."""
        return load(cls, data)

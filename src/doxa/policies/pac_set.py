"""PAC prediction sets: the options among which the right answer is, with a guarantee for this very calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from doxa.errors import DataError, UsageError
from doxa.metrics.maths.checks import Floats, clusters
from doxa.policies.maths.bounds import check_levels, fewest, most_wrong
from doxa.policies.maths.learnt import conformity, features, learn
from doxa.policies.maths.sets import WITHOUT_RIGHT, Right, absent_lowest, by_set, marks, missing, of_right, paired
from doxa.state import dump, fitted, load
from doxa.types import Case, Decision, Guarantee


@dataclass(frozen=True, slots=True)
class PacSet:
    """The set of options with a score of at least τ; answer if it is one option, else hand over the set.

    With probability at least 1 − `delta` over the answers it was fitted on, at most a share `risk` of the sets of new
    questions lacks a right answer. τ is the largest threshold for which the Clopper-Pearson limit of the misses among
    n questions is at most `risk`; the more it misses the higher τ is, so one test at `delta` is enough. Where even no
    miss is too many, or the right answer is not among the candidates too often, the set holds all options and the
    reason says so.

    With `learnt`, τ depends on the question: on its highest score, the entropy of its scores and their number. A
    logistic model of which options are right learns that from one half of the clusters, drawn by `seed`, so as to make
    sets small; the scalar that shifts it is found on the other half by the same rule, and the guarantee is the same,
    whatever was learnt. It needs `fit_options`. Of each `cluster` one question is used for the guarantee.

    Source: Park and Kim 2023 (arXiv 2307.09254), whose defaults are unknown: the threshold is their scalar baseline,
    exactly; the learnt one has the shape of theirs (a threshold learnt on one split and shifted on the other), with a
    logistic model in place of the network.
    """

    implements: ClassVar[tuple[str, ...]] = ("pac-prediction-sets",)
    coverage: ClassVar[str] = (
        "partial: scalar thresholds exactly, and learnt ones over options or sampled answers; the model that learns is "
        "logistic, not a network; without sets given token by token"
    )
    command: ClassVar[str] = (
        "doxa run bank:capitals_choice --model {model} --estimators option_likelihood --out capitals && "
        "doxa sets capitals --policy pac_set --policy 'pac_set(learnt=True)'"
    )
    risk: float = 0.1
    delta: float = 0.05
    learnt: bool = False
    seed: int = 0
    _threshold: float | str | None = None
    _weights: tuple[float, ...] | None = None
    _n: int | None = None

    def __post_init__(self) -> None:
        """Refuse levels that are no shares."""
        check_levels(risk=self.risk, delta=self.delta)

    @property
    def guarantee(self) -> Guarantee:
        """What holds once it is fitted."""
        method = "Clopper-Pearson, learnt threshold" if self.learnt else "Clopper-Pearson"
        return Guarantee(WITHOUT_RIGHT, self.risk, self.delta, fitted(self._n), method)

    def fit_options(
        self,
        *,
        options: Sequence[Mapping[str, float]],
        right: Sequence[Right],
        cluster: Sequence[Any] | None = None,
    ) -> Self:
        """Return a copy fitted on the options of questions with their scores, and which of them are right.

        Raises `DataError` where a learnt threshold has too few clusters, or scores that are no probabilities.
        """
        paired(options, right)
        weights: tuple[float, ...] = ()
        rows: Sequence[int] = range(len(options))
        if self.learnt:
            study, rows = halves(cluster, len(options), self.seed)
            known = [i for i in study if options[i]]
            design = [row for i in known for row in features(options[i])]
            weights = learn(design, [mark for i in known for mark in marks(options[i], right[i])])
        scored = replace(self, _weights=weights)
        found = [of_right(scored._conformity(options[i]), right[i]) for i in rows]
        there = [value is not None for value in found]
        kept = None if cluster is None else [cluster[i] for i in rows]
        return scored._fitted([value or 0.0 for value in found], there, kept)

    def fit(self, *, confidence: ArrayLike, correct: ArrayLike, cluster: Sequence[Any] | None = None) -> Self:
        """Return a fitted copy; `confidence` is the score of the right option, `correct` whether there was one.

        Raises `UsageError` with `learnt`, which needs the other options too.
        """
        if self.learnt:
            raise UsageError("a learnt threshold needs all options", hint="use fit_options(options=…, right=…)")
        return replace(self, _weights=())._fitted(confidence, correct, cluster)

    def _fitted(self, score: ArrayLike, there: ArrayLike, cluster: Sequence[Any] | None) -> Self:
        lowest = absent_lowest(score, there, cluster, self.seed)
        return replace(self, _threshold=self._choose(lowest), _n=len(lowest))

    def _choose(self, lowest: Floats) -> float | str:
        """The largest threshold whose misses are few enough, or why there is none; of ascending scores."""
        n, allowed = len(lowest), most_wrong(len(lowest), self.risk, self.delta)
        if allowed < 0:
            needed = fewest(self.risk, self.delta)
            return f"all options are in: {n} questions cannot show a risk of {self.risk:g}, {needed} could"
        absent = int(np.isneginf(lowest).sum())
        return missing(n, absent, allowed) if absent > allowed else float(lowest[allowed])

    def _conformity(self, options: Mapping[str, float]) -> dict[str, float]:
        weights = fitted(self._weights)
        return conformity(options, weights) if weights and options else dict(options)

    def decide(self, case: Case) -> Decision:
        """The set, as payload, and whether it is an answer."""
        threshold = self._threshold if isinstance(self._threshold, str) else fitted(self._threshold)
        return by_set(threshold, case, self._conformity(case.options), self.guarantee)

    def to_json(self) -> dict[str, Any]:
        """Knobs and state as JSON-able values."""
        return dump(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The policy that `to_json` wrote."""
        return load(cls, data)


def halves(cluster: Sequence[Any] | None, n: int, seed: int) -> tuple[list[int], list[int]]:
    """Rows of two halves that share no cluster. Raises `DataError` for fewer than four clusters."""
    index = clusters(cluster, n)
    index = np.arange(n) if index is None else index
    number = int(index.max()) + 1 if n else 0
    if number < 4:
        raise DataError(f"{number} clusters cannot be halved to learn from", hint="use learnt=False")
    study = np.isin(index, np.random.default_rng(seed).permutation(number)[: number // 2])
    return np.flatnonzero(study).tolist(), np.flatnonzero(~study).tolist()

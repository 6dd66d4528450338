"""Selective answering: as many answers as possible while few of those given are wrong, with a guarantee."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.maths.checks import Bools, Floats, Ints
from doxa.policies.maths.bounds import binomial_p, check_levels, fewest, upper_limit
from doxa.policies.maths.families import fixed_sequence
from doxa.policies.maths.thresholds import WRONG_AMONG_GIVEN, by_threshold, surest_first, tie_ends
from doxa.state import dump, fitted, load
from doxa.types import Case, Decision, Guarantee

STARTS = (1 / 8, 1 / 4, 1 / 2)
"""Shares of the answers, the surest first, at which a sequence of tests begins."""


@dataclass(frozen=True, slots=True)
class SelectiveRisk:
    """Answer from a confidence upwards, chosen so that of the answers given at most `risk` are wrong.

    That holds with probability at least 1 − `delta` over the answers it was fitted on; it is about the questions that
    are answered, not about all. The surest k answers are tested for k = start, start + 1, …, as long as
    P(Binomial(k, risk) <= wrong among them) is at most the level, which is to say that the Clopper-Pearson limit is at
    most `risk`. Sequences start at an eighth, a quarter and a half of the answers, or as soon as a test can pass, with
    equal shares of `delta`; one that arrives at the next start hands its level on. Where nothing qualifies nothing is
    answered, and the reason says why.

    It is valid although the thresholds are answers: with ties broken at random the risk of the surest share q is
    continuous in q, so where it first exceeds `risk` it equals `risk`, and of the m answers up to there
    Binomial(m, risk) are wrong, whatever m is. A sequence goes too far only if it rejects there, which has probability
    at most its level, and the levels sum to `delta`. (The best of all thresholds, each tested at `delta`, would not
    be valid.)

    Of each `cluster` one answer is used, so clusters count alike; that draw and the order of ties depend on `seed`.
    Sources: the limit, Clopper and Pearson 1934; selection with a guaranteed risk, Geifman and El-Yaniv 2017 (arXiv
    1705.08500); sequences with several starts, Angelopoulos et al. 2021 (arXiv 2110.01052); handing levels on, Bretz et
    al. 2009.
    """

    implements: ClassVar[tuple[str, ...]] = ()
    risk: float = 0.05
    delta: float = 0.05
    seed: int = 0
    _threshold: float | str | None = None
    _n: int | None = None

    def __post_init__(self) -> None:
        """Refuse levels that are no shares."""
        check_levels(risk=self.risk, delta=self.delta)

    @property
    def guarantee(self) -> Guarantee:
        """What holds once it is fitted."""
        return Guarantee(WRONG_AMONG_GIVEN, self.risk, self.delta, fitted(self._n), "Clopper-Pearson, fixed sequences")

    @property
    def threshold(self) -> float | None:
        """The confidence from which it answers; `None` where it never does."""
        return None if isinstance(self._threshold, str) else fitted(self._threshold)

    def fit(self, *, confidence: ArrayLike, correct: ArrayLike, cluster: Sequence[Any] | None = None) -> Self:
        """Return a fitted copy. Raises `DataError` for bad values."""
        p, y = surest_first(confidence, correct, cluster, self.seed)
        return replace(self, _threshold=self._choose(p, np.cumsum(~y)), _n=len(p))

    def _choose(self, p: Floats, wrong: Ints) -> float | str:
        """The lowest confidence to answer from, or why there is none; `wrong` of the surest 1, 2, … answers."""
        n = len(p)
        if n <= fewest(self.risk, self.delta):
            needed = fewest(self.risk, self.delta) + 1
            return f"{n} answers cannot show a risk of {self.risk:g}; {needed} could, if all were right"
        starts = starts_of(n, self.risk, self.delta)
        values = binomial_p(wrong, np.arange(1, n + 1), self.risk)
        qualified = np.flatnonzero(passed(values, starts, self.delta) & tie_ends(p))
        if len(qualified):
            return float(p[qualified[-1]])
        # Had a sequence come to the last answer, it would have qualified: so each one stopped somewhere.
        level = self.delta / len(starts)
        stops = (start - 1 + int(np.argmax(values[start - 1 :] > level)) for start in starts)
        stop = min(stops, key=values.__getitem__)
        limit = float(upper_limit(wrong[stop], stop + 1, level))
        return (
            f"no threshold qualifies: of the surest {stop + 1} answers {wrong[stop]} were wrong, "
            f"which does not rule out a risk of {limit:.4g}, above {self.risk:g}"
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


def starts_of(n: int, risk: float, delta: float) -> list[int]:
    """Ranks at which sequences start: as many of `STARTS` as can pass with their share of `delta`, at least one.

    >>> starts_of(1000, 0.05, 0.05), starts_of(200, 0.05, 0.05), starts_of(100, 0.05, 0.05)
    ([125, 250, 500], [72, 100], [59])
    """
    for count in range(len(STARTS), 1, -1):
        floor = fewest(risk, delta / count)
        starts = sorted({max(floor, math.ceil(share * n)) for share in STARTS})
        if len(starts) == count and starts[-1] < n:
            return starts
    return [fewest(risk, delta)]


def passed(p: Floats, starts: Sequence[int], delta: float) -> Bools:
    """Which of 1, 2, …, n surest answers may be given, from the p-value of each and the ranks where sequences start.

    The test at a start itself only opens the way: it is about the answers above the next confidence.
    """
    reached, level = np.zeros(len(p), dtype=bool), 0.0
    for start, end in pairwise([*starts, len(p) + 1]):
        arrives = level > 0
        level += delta / len(starts)
        here = fixed_sequence(p[start - 1 : end - 1], level)
        reached[start - 1 : end - 1] = here
        reached[start - 1] &= arrives
        if not here[-1]:
            level = 0.0
    return reached

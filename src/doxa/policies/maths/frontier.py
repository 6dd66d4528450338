"""What cascades and routes over several models cost, and how often they err: all of them, from logged answers.

A `Plan` is a chain of models, the cheap ones first, with thresholds: an answer is given where its confidence reaches
the threshold, else the next model is asked. Counts of answers on a grid of thresholds, summed along its axes, give cost
and errors of every plan at once. With two models the grid holds every threshold that differs from another.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from doxa.errors import DataError
from doxa.metrics.maths.checks import Bools, Floats, Ints

CELLS = 200_000
"""Plans of one chain that are looked at; where there are more, the thresholds are quantiles."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What several models said to the same questions; a row is a question, a column a model, the cheapest first."""

    confidence: Floats
    """(n, m), -inf where it is missing. For routes, all columns are what is known before any model is asked."""
    correct: Bools
    """(n, m)"""
    price: Floats
    """(n, m): what the answer cost."""
    routed: bool = False
    """One model alone is asked; else all up to the one that answers are, and paid."""

    def __post_init__(self) -> None:
        """Check the shapes and prices."""
        shapes = {self.confidence.shape, self.correct.shape, self.price.shape}
        if len(shapes) > 1 or self.correct.ndim != 2 or not self.correct.size:
            raise DataError(f"the shapes {shapes} do not fit", hint="give (questions, models), at least one of each")
        if not (np.isfinite(self.price) & (self.price >= 0)).all():
            raise DataError("a price is negative or no number", hint="prices are numbers from 0 upwards")
        if np.isnan(self.confidence).any():
            raise DataError("a confidence is NaN", hint="a missing one is None")

    def __getitem__(self, rows: Bools | Ints) -> Answers:
        """The same of some questions."""
        return Answers(self.confidence[rows], self.correct[rows], self.price[rows], self.routed)

    def bill(self, models: Sequence[int]) -> Floats:
        """What has been paid when each of the models of a chain has answered, (n, len(models))."""
        price = self.price[:, list(models)]
        return price if self.routed else price.cumsum(axis=1)


@dataclass(frozen=True, slots=True)
class Plan:
    """Models by their number, and the confidence from which each one's answer is given.

    The last has no threshold where it always answers, and one where it may abstain.
    """

    models: tuple[int, ...]
    thresholds: tuple[float, ...] = ()

    def answered_by(self, answers: Answers) -> Ints:
        """For each question the place in the chain of the model that answers; their number where none does."""
        place = np.full(len(answers.correct), len(self.models))
        for stage in reversed(range(len(self.models))):
            given = np.ones(len(place), dtype=bool)
            if stage < len(self.thresholds):
                given = answers.confidence[:, self.models[stage]] >= self.thresholds[stage]
            place = np.where(given, stage, place)
        return place

    def outcome(self, answers: Answers) -> Outcome:
        """What following the plan comes to, question by question."""
        place, last = self.answered_by(answers), len(self.models) - 1
        asked, rows = np.minimum(place, last), np.arange(len(place))
        answered = place <= last
        right = answered & answers.correct[rows, np.asarray(self.models)[asked]]
        calls = np.ones(len(place)) if answers.routed else asked + 1.0
        return Outcome(answers.bill(self.models)[rows, asked], answered, right, calls)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Per question: what was paid, whether an answer was given, whether it was right, how many models were asked."""

    cost: Floats
    answered: Bools
    right: Bools
    calls: Floats

    @property
    def wrong(self) -> int:
        """How many answers were wrong."""
        return int((self.answered & ~self.right).sum())


@dataclass(frozen=True, slots=True)
class Point:
    """A plan with its mean cost, its share of wrong answers among those given, and the share of questions answered."""

    plan: Plan
    cost: float
    risk: float
    coverage: float


def frontier(answers: Answers, coverage: float = 1.0) -> list[Point]:
    """The plans that no other beats in both cost and risk: in the order of cost, risks falling.

    With a `coverage` below 1 the last model may abstain too, as long as so many questions are answered.
    """
    found = [point for chain in chains(answers) for point in _chain(answers, chain, coverage)]
    order = np.lexsort(([point.risk for point in found], [point.cost for point in found]))
    return [found[i] for i in order[_falling(np.array([found[i].risk for i in order]))]]


def chains(answers: Answers) -> Iterator[tuple[int, ...]]:
    """All choices of models, in the order of their columns."""
    models = range(answers.correct.shape[1])
    return (chain for size in range(1, len(models) + 1) for chain in combinations(models, size))


def within(points: Sequence[Point], budget: float) -> Point | None:
    """The point of a frontier with the least risk at a cost of at most `budget`."""
    return next((point for point in reversed(points) if point.cost <= budget * (1 + 1e-12)), None)


def _chain(answers: Answers, chain: tuple[int, ...], coverage: float) -> list[Point]:
    """The frontier of one chain, without and (below full coverage) with a threshold of the last model."""
    found = _grid(answers, chain, chain[:-1], coverage)
    return found + (_grid(answers, chain, chain, coverage) if coverage < 1 and not answers.routed else [])


def _grid(answers: Answers, chain: tuple[int, ...], gated: tuple[int, ...], coverage: float) -> list[Point]:
    """The frontier of one chain whose `gated` models have thresholds."""
    cuts = [_cuts(answers.confidence[:, model], int(CELLS ** (1 / len(gated)))) for model in gated]
    if not all(map(len, cuts)):
        return []
    bins = [np.searchsorted(cut, answers.confidence[:, model], "right") for cut, model in zip(cuts, gated, strict=True)]
    sizes, bill, n = [len(cut) for cut in cuts], answers.bill(chain), len(answers.correct)
    cost, answered, right = (np.zeros(sizes) for _ in range(3))
    for stage, model in enumerate(chain):
        last = stage == len(chain) - 1
        answered += _sum(np.ones(n), bins, sizes, stage)
        right += _sum(answers.correct[:, model].astype(float), bins, sizes, stage)
        # Who is asked last is paid whether it answers or abstains.
        cost += _sum(bill[:, stage], bins[:stage] if last else bins, sizes, stage)
    cost, answered, right = (each.ravel() / n for each in (cost, answered, right))
    fine = np.flatnonzero((answered > 0) & (answered >= (coverage if coverage < 1 else 0) - 1e-12))
    risk = 1 - right[fine] / answered[fine]
    order = np.lexsort((-answered[fine], risk, cost[fine]))
    order = order[_falling(risk[order])]
    at = np.unravel_index(fine[order], sizes) if sizes else ()
    thresholds = [cut[index].tolist() for cut, index in zip(cuts, at, strict=True)]
    plans = zip(*thresholds, strict=True) if thresholds else iter([()] * len(order))
    values = zip(plans, cost[fine[order]].tolist(), risk[order].tolist(), answered[fine[order]].tolist(), strict=True)
    return [Point(Plan(chain, plan), *rest) for plan, *rest in values]


def _cuts(confidence: Floats, most: int) -> Floats:
    """Thresholds that differ in what they keep: all confidences there are, or quantiles of them."""
    values = np.unique(confidence[np.isfinite(confidence)])
    if len(values) <= most:
        return values
    known = np.sort(confidence[np.isfinite(confidence)])
    return np.unique(known[np.linspace(0, len(known) - 1, most).round().astype(int)])


def _sum(weight: Floats, bins: Sequence[Ints], sizes: Sequence[int], stage: int) -> Floats:
    """The weights of the questions that end at a stage, for each combination of thresholds.

    A question is in bin b of a model if b of its thresholds are reached: it ends there with thresholds 0 … b − 1. What
    ends at a stage depends on the thresholds up to there; `bins` without that stage's own let all end there.
    """
    some = bins[: stage + 1]
    shape = [size + 1 for size in sizes[: len(some)]]
    index = np.ravel_multi_index(tuple(some), shape) if some else np.zeros(len(weight), dtype=np.intp)
    sums = np.bincount(index, weight, minlength=int(np.prod(shape, dtype=np.intp))).reshape(shape)
    for axis in range(len(some)):
        every = slice(None)
        if axis < stage:
            sums = sums.cumsum(axis)[(*[every] * axis, slice(None, -1))]
        else:
            sums = np.flip(np.flip(sums, axis).cumsum(axis), axis)[(*[every] * axis, slice(1, None))]
    return np.asarray(sums.reshape((*sums.shape, *[1] * (len(sizes) - len(some)))))


def _falling(risk: Floats) -> Ints:
    """Where risks, in the order of cost, are lower than all before."""
    before = np.concatenate([[np.inf], np.minimum.accumulate(risk)[:-1]]) if len(risk) else risk
    return np.flatnonzero(risk < before - 1e-12)


# -- what to hold it against -------------------------------------------------------------------------------------------


def mixing(answers: Answers, budget: float) -> float | None:
    """The least share of wrong answers when chance decides which one model is asked, at that mean cost.

    The lower convex hull of the models alone: with two, the chord between them. `None` below the cheapest.
    """
    cost, risk = answers.price.mean(0), 1 - answers.correct.mean(0)
    found = [
        float(risk[i] + share * (risk[j] - risk[i]))
        for i in range(len(cost))
        for j in range(len(cost))
        if cost[i] <= budget * (1 + 1e-12)
        for share in [1.0 if cost[j] <= budget else (budget - cost[i]) / (cost[j] - cost[i])]
    ]
    return min(found, default=None)


def oracle(answers: Answers, budget: float) -> float | None:
    """The same when who decides knows which models are right, and asks one for each question.

    A question that the cheapest model gets wrong gains from one model alone: the cheapest that gets it right. The
    cheapest gains are taken first. `None` below the cheapest model's cost.
    """
    cheap = answers.price.mean(0).argmin()
    base, wrong = float(answers.price[:, cheap].mean()), ~answers.correct[:, cheap]
    if budget * (1 + 1e-12) < base:
        return None
    dear = np.where(answers.correct, answers.price, np.inf).min(axis=1) - answers.price[:, cheap]
    gains = np.sort(dear[wrong & np.isfinite(dear)])
    paid = base + gains.cumsum() / len(wrong)
    bought = float((paid <= budget).sum())
    if bought < len(gains) and gains[int(bought)] > 0:
        so_far = paid[int(bought) - 1] if bought else base
        bought += (budget - so_far) * len(wrong) / gains[int(bought)]
    return max(0.0, float(wrong.mean()) - bought / len(wrong))

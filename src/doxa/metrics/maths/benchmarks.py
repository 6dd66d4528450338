"""Do benchmarks rank models alike? Scores of models on scenarios, rankings of some of the models, agreement."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from doxa.errors import UsageError
from doxa.metrics.maths.cells import ratio
from doxa.metrics.maths.checks import Bools, Floats, Ints
from doxa.metrics.maths.columns import Column_

SELECTIONS = ("random", "top", "middle", "bottom", "window")
METHODS = ("kendall", "pearson")
LEAST = 5
"""Fewer shared models say nothing."""


@dataclass(frozen=True, slots=True)
class Trial:
    """How agreement is tested: on which models, how many, how often, by which correlation."""

    select: str = "random"
    size: int = 10
    trials: int = 10
    method: str = "kendall"

    def check(self) -> Trial:
        """Itself. Raises `UsageError` for what is not known."""
        if self.select not in SELECTIONS or self.method not in METHODS or self.size < LEAST or self.trials < 1:
            hint = (
                f"select: {', '.join(SELECTIONS)}; method: {', '.join(METHODS)}; size from {LEAST} up; trials from 1 up"
            )
            raise UsageError(f"cannot test agreement by {self}", hint=hint)
        return self


def grid(model: Column_, scenario: Column_, score: Floats, lower: Bools | None) -> tuple[Floats, Ints, list[str]]:
    """Scores (models, scenarios), higher being better and NaN missing; the model of each row; the scenarios' names.

    Several scores of a model on a scenario are averaged.
    """
    signed = score if lower is None else np.where(lower, -score, score)
    models, of = np.unique(model, return_inverse=True)
    names, on = np.unique(scenario, return_inverse=True)
    total, count = np.zeros((len(models), len(names))), np.zeros((len(models), len(names)))
    np.add.at(total, (of, on), signed)
    np.add.at(count, (of, on), 1)
    return ratio(total, count), of, [str(name) for name in names]


def win_rates(table: Floats) -> Floats:
    """Of each model the mean over scenarios of the share of other models that it beats there, ties counting half."""
    rates = np.full(table.shape, np.nan)
    for column in range(table.shape[1]):
        there = ~np.isnan(table[:, column])
        scores, others = table[there, column], int(there.sum()) - 1
        if others > 0:
            beaten = (scores[:, None] > scores) + 0.5 * (scores[:, None] == scores)
            rates[there, column] = (beaten.sum(1) - 0.5) / others
    known = ~np.isnan(rates)
    return ratio(np.where(known, rates, 0.0).sum(1), known.sum(1).astype(np.float64))


def agreements(table: Floats, of: int, how: Trial, seed: int) -> Floats:
    """Agreement of scenario `of` with the mean win rate over the others, one a trial; none where too few have both."""
    reference = win_rates(np.delete(table, of, axis=1))
    shared = ~np.isnan(table[:, of]) & ~np.isnan(reference)
    one, other = table[shared, of], reference[shared]
    if len(one) < LEAST:
        return np.zeros(0)
    rng = np.random.default_rng(seed)
    repeat = how.trials if how.select in ("random", "window") and len(one) > how.size else 1
    made = []
    for _ in range(repeat):
        chosen = _chosen(other, how, rng)
        made.append(correlation(one[chosen], other[chosen], how.method))
    return np.array(made)


def correlation(one: Floats, other: Floats, method: str) -> float:
    """Kendall's tau-b or Pearson's r; NaN where one of the two is constant."""
    if method == "kendall":
        first, second = (np.sign(side[:, None] - side) for side in (one, other))
    else:
        first, second = one - one.mean(), other - other.mean()
    size = float(np.sqrt((first**2).sum() * (second**2).sum()))
    return float((first * second).sum() / size) if size > 1e-12 else float("nan")


def _chosen(reference: Floats, how: Trial, rng: np.random.Generator) -> Ints:
    """Places of the models that a trial compares: drawn, or next to each other in the reference's ranking."""
    ranked = np.argsort(-reference, kind="stable")
    room = max(0, len(ranked) - how.size)
    if how.select == "random":
        return np.asarray(rng.permutation(len(ranked))[: how.size])
    starts = {"top": 0, "middle": room // 2, "bottom": room}
    start = starts[how.select] if how.select in starts else int(rng.integers(0, room + 1))
    return np.asarray(ranked[start : start + how.size])

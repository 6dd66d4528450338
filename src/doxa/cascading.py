"""Several models' logged answers to the same questions: line them up, and see what cascades over them come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doxa.errors import DataError, UsageError
from doxa.types import Measurement, Scale, Usage

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from doxa.metrics.maths.checks import Floats
    from doxa.policies.maths.frontier import Answers, Outcome
    from doxa.scoring import Log

BUDGETS, FOLDS = 9, 5


@dataclass(frozen=True, slots=True)
class Told:
    """One model's answers: a table with the columns item, confidence, correct, price, cluster and signal."""

    name: str
    table: pl.DataFrame


@dataclass(frozen=True, slots=True)
class Lined:
    """The answers of several models to the questions that all were graded on; a column a model, the cheapest first."""

    models: tuple[str, ...]
    answers: Answers
    items: tuple[str, ...]
    cluster: tuple[str, ...] | None
    left_out: int


@dataclass(frozen=True, slots=True)
class Row:
    """What a policy comes to on questions that did not choose it, and what chance and an oracle would for its cost."""

    label: str
    budget: float | None
    cost: Measurement
    risk: Measurement
    answered: float
    calls: float
    chance: float | None
    oracle: float | None


# -- reading -----------------------------------------------------------------------------------------------------------


def told(log: Log, name: str, item: str, *, price: float | None = None, signal: str | None = None) -> Told:
    """One model's part of a checked log; `price` per question, or by the tokens of a run and `prices.yaml`.

    Raises `DataError` where a question has several rows, `UsageError` where no price is known.
    """
    import polars as pl

    from doxa.scoring import existing, numbers_of

    table, columns = log.table, log.columns
    twice = table.filter(table[existing(table, item)].is_duplicated())
    if twice.height:
        hint = "one row per model and question: choose with --where or --estimator"
        raise DataError(f"{name} has several rows for {item} {twice[item][0]!r}", hint=hint)
    return Told(
        name,
        table.select(
            item=pl.col(item).cast(pl.String),
            confidence=pl.col(columns.confidence),
            correct=pl.col(columns.correct),
            price=_prices(table, name) if price is None else pl.lit(price, pl.Float64),
            cluster=pl.col(columns.cluster or item).cast(pl.String),
            signal=pl.lit(None, pl.Float64)
            if signal is None
            else numbers_of(table, existing(table, signal), Scale.REAL, name),
        ),
    )


def split(log: Log, across: str, models: Sequence[str]) -> list[tuple[str, Log]]:
    """The parts of one log whose column `across` names the models."""
    from doxa.scoring import where

    return [(model, replace(log, table=where(log.table, [f"{across}={model}"]))) for model in models]


def model_of(path: Path) -> str:
    """What a file or a run says of its model: the name of the file, or of the model that was run."""
    if path.is_dir():
        from doxa.runs import Run

        return str(Run.open(path).info["model"]["spec"])
    return path.name.partition(".")[0]


def _prices(table: pl.DataFrame, model: str) -> pl.Expr:
    """What each answer cost by its tokens."""
    import polars as pl

    from doxa.prices import price_of

    known = price_of(model)
    if known is None or not {"calls", "tokens_in", "tokens_out"} <= set(table.columns):
        raise UsageError(f"no price is known for {model}", hint=f"give --price {model}=NUMBER, what a question costs")
    usage = ("calls", "tokens_in", "tokens_out")
    return pl.struct(usage).map_elements(lambda row: known.cost(Usage(**row)), return_dtype=pl.Float64)


def lined_up(parts: Sequence[Told], *, routed: bool = False) -> Lined:
    """The questions that every model was graded on. Raises `UsageError` where there are none."""
    import numpy as np

    from doxa.policies.maths.cheapest import answers_of, named

    graded = [
        part.table.filter(part.table["correct"].is_not_null() & part.table["price"].is_not_null()) for part in parts
    ]
    shared = sorted(set.intersection(*(set(table["item"]) for table in graded)))
    if not shared:
        raise UsageError("no question was answered by every model", hint="does --id name the column of the questions?")
    columns = [table.filter(table["item"].is_in(shared)).sort("item") for table in graded]

    def matrix(name: str) -> Floats:
        return np.stack([table[name].cast(float).fill_null(float("nan")).to_numpy() for table in columns], axis=1)

    seen = matrix("signal")[:, 0] if routed else matrix("confidence")
    answers, order = answers_of(seen, matrix("correct"), matrix("price"), (), routed=routed)
    every = len(set.union(*(set(part.table["item"]) for part in parts)))
    clusters = tuple(columns[0]["cluster"].to_list())
    return Lined(
        tuple(named([part.name for part in parts], order)),
        answers,
        tuple(shared),
        None if clusters == tuple(shared) else clusters,
        every - len(shared),
    )


# -- what it comes to --------------------------------------------------------------------------------------------------


def alone(lined: Lined, *, seed: int = 0) -> list[Row]:
    """Each model asked every question."""
    from doxa.policies.maths.frontier import Plan

    outcomes = (Plan((i,)).outcome(replace(lined.answers, routed=False)) for i in range(len(lined.models)))
    return [_row(name, None, each, lined, seed) for name, each in zip(lined.models, outcomes, strict=True)]


def held_out(lined: Lined, *, coverage: float = 1.0, seed: int = 0) -> list[Row]:
    """For budgets from the cheapest model's cost to the dearest useful one, what the best policies come to.

    The policy of a question is drawn from the frontier of the folds that it is not in. Where a budget buys nothing more
    than the one before, it is left out.
    """
    import numpy as np

    from doxa.calibrators.maths.folds import fold_of
    from doxa.policies.maths.frontier import frontier

    fold = fold_of(lined.cluster or lined.items, folds=FOLDS, seed=seed)
    fronts = [frontier(lined.answers[fold != i], coverage) for i in range(int(fold.max()) + 1)]
    if not all(fronts):
        raise UsageError(f"no policy answers {coverage:.0%} of the questions", hint="ask for a lower --coverage")
    ends = min(front[0].cost for front in fronts), max(front[-1].cost for front in fronts)
    found: list[Row] = []
    for budget in dict.fromkeys(np.linspace(*ends, BUDGETS).tolist()):
        row = _row("", budget, _joined(lined.answers, fold, fronts, budget), lined, seed)
        if not found or (row.cost, row.risk) != (found[-1].cost, found[-1].risk):
            found.append(row)
    return found


def _joined(answers: Answers, fold: NDArray[np.intp], fronts: Sequence[Any], budget: float) -> Outcome:
    """Each fold's questions under the policy that the other folds choose for a budget, or their cheapest."""
    import numpy as np

    from doxa.policies.maths.frontier import Outcome, within

    parts = [((within(front, budget) or front[0]).plan.outcome(answers[fold == i])) for i, front in enumerate(fronts)]
    back = np.argsort(np.argsort(fold, kind="stable"), kind="stable")
    fields = ("cost", "answered", "right", "calls")
    return Outcome(*(np.concatenate([getattr(part, name) for part in parts])[back] for name in fields))


def _row(label: str, budget: float | None, outcome: Outcome, lined: Lined, seed: int) -> Row:
    """Cost and risk with their intervals, and the baselines at that cost."""
    from doxa.metrics import measure
    from doxa.metrics.maths.verdicts import mean_shift
    from doxa.policies.maths.frontier import mixing, oracle

    given, cluster = outcome.answered, lined.cluster
    (right,) = measure(
        confidence=[1.0] * int(given.sum()),
        correct=outcome.right[given],
        cluster=None if cluster is None else [name for name, each in zip(cluster, given, strict=True) if each],
        metrics=["accuracy"],
        seed=seed,
    )
    turned = [None if value is None else 1 - value for value in (right.value, right.high, right.low)]
    cost = mean_shift(outcome.cost, cluster=cluster, seed=seed)
    paid = float(outcome.cost.mean())
    return Row(
        label,
        budget,
        replace(cost, name="cost", better="low"),
        replace(right, name="wrong", value=turned[0], low=turned[1], high=turned[2], better="low"),
        float(given.mean()),
        float(outcome.calls.mean()),
        mixing(lined.answers, paid),
        oracle(lined.answers, paid),
    )


def named_prices(spelled: Sequence[str]) -> Mapping[str, float]:
    """Prices spelled `NAME=NUMBER`. Raises `UsageError` for anything else."""
    found: dict[str, float] = {}
    for each in spelled:
        name, sign, number = each.rpartition("=")
        try:
            found[name] = float(number)
        except ValueError:
            sign = ""
        if not sign or not 0 <= found[name] < float("inf"):
            raise UsageError(f"{each!r} is no price", hint="write NAME=NUMBER, what a question costs, from 0 upwards")
    return found


def priced(prices: Mapping[str, float], names: Sequence[str]) -> dict[str, float]:
    """Prices by the whole names of models, which may be called by what follows their last slash.

    Raises `UsageError` where that names none of them, or two.
    """
    found = {}
    for called, price in prices.items():
        whole = [called] if called in names else [name for name in names if name.rpartition("/")[2] == called]
        if len(whole) != 1:
            problem = "two models are called" if whole else "there is no model"
            raise UsageError(f"{problem} {called!r}", hint=f"the models are: {', '.join(names)}")
        found[whole[0]] = price
    return found

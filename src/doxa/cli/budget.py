"""`doxa budget`: how long to let a model think, and from which confidence on to give its answer."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from doxa.cli.layout import Line
    from doxa.metrics.maths.checks import Bools, Floats
    from doxa.policies.thinking_budget import ThinkingBudget
    from doxa.types import Measurement


@dataclass(frozen=True, slots=True)
class Thought:
    """The answers of a run to the same questions, forced at several budgets; (n, budgets) each."""

    budgets: tuple[int, ...]
    confidence: Floats
    """NaN where there is none."""
    correct: Bools
    tokens: Floats
    cluster: list[str]
    left_out: int


@dataclass(frozen=True, slots=True)
class Worth:
    """What the policies that the other folds choose are worth, beside always thinking longest and always answering."""

    cost: float
    policy: dict[str, Any]
    answered: float
    accuracy: float
    """Of the answers given; 0 where none is."""
    tokens: float
    utility: Measurement
    always: Measurement


def budget(
    run: Annotated[Path, typer.Argument(help="a run with final_answer at several budgets")],
    cost: Annotated[
        list[float] | None, typer.Option(min=0, help="what a wrong answer costs where a right one gains 1; repeatable")
    ] = None,
    price: Annotated[float, typer.Option(min=0, help="what a token of thinking costs, on the same scale")] = 0.0,
    estimator: Annotated[str, typer.Option(help="whose budgets they are")] = "final_answer",
    seed: Annotated[int, typer.Option(min=0, help="of the folds and the bootstrap")] = 0,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="write the policy, as JSON; for one --cost")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="only JSON on stdout")] = False,
) -> None:
    """Choose how long a model thinks, and when it answers.

    The budget and the threshold with the largest utility, (right − cost · wrong) / N, where silence counts 0; what that
    is worth is measured on questions that did not choose them.
    """
    from doxa.budgets import RISKS
    from doxa.cli.layout import show
    from doxa.cli.outputs import check_output
    from doxa.errors import UsageError
    from doxa.files import write

    check_output(out, run)
    costs = cost or [float(each) for each in RISKS]
    if out is not None and len(costs) > 1:
        raise UsageError("a policy is for one cost", hint="name it: --cost 1 --out bundle.json")
    thought = _read(run, estimator)
    found = [_worth(thought, each, price, seed) for each in costs]
    if out is not None:
        write(json.dumps(found[0].policy, ensure_ascii=False) + "\n", out)
    if as_json:
        counts = {"n": len(thought.cluster), "left_out": thought.left_out, "budgets": list(thought.budgets)}
        content = {"schema": "doxa.budget/1", **counts, "price": price, "choices": [asdict(each) for each in found]}
        sys.stdout.write(json.dumps(content, ensure_ascii=False) + "\n")
    else:
        show(_lines(thought, found, out))


def _read(path: Path, family: str) -> Thought:
    """The rows of one estimator at all its budgets. Raises `UsageError` where there are less than two."""
    import numpy as np
    import polars as pl

    from doxa.errors import UsageError
    from doxa.runs import Run

    items = Run.open(path).frame()
    details = items["details"].str.json_decode(pl.Struct({"budget": pl.Float64, "thought": pl.Float64}))
    items = items.with_columns(details.struct.unnest()).filter(
        (pl.col("estimator").str.split("(").list.first() == family) & pl.col("budget").is_not_null()
    )
    # An answer that cannot be read has no confidence and is never given, so it needs no verdict.
    graded = items.filter((pl.col("error") == "") & (pl.col("correct").is_not_null() | pl.col("confidence").is_null()))
    budgets = sorted(set(graded["budget"].to_list()))
    if len(budgets) < 2:
        spelled = f'--estimators "{family}(budget=8),{family}(budget=64)"'
        raise UsageError(f"{path} has no {family} at two budgets", hint=f"doxa run … {spelled}")
    whole = graded.group_by("question").agg(pl.col("budget").n_unique()).filter(pl.col("budget") == len(budgets))
    parts = [
        graded.filter(pl.col("budget") == each).join(whole, on="question", how="semi").sort("question")
        for each in budgets
    ]
    if not whole.height:
        raise UsageError(f"no question of {path} was answered at every budget", hint="resume the run")

    def column(name: str, missing: float) -> Floats:
        return np.stack([part[name].cast(float).fill_null(missing).to_numpy() for part in parts], axis=1)

    return Thought(
        tuple(int(each) for each in budgets),
        column("confidence", float("nan")),
        column("correct", 0.0) == 1,
        column("thought", 0.0),
        parts[0]["cluster"].to_list(),
        items["question"].n_unique() - whole.height,
    )


def _worth(thought: Thought, cost: float, price: float, seed: int) -> Worth:
    """The policy fitted on all, and what those fitted on the other folds are worth."""
    import numpy as np

    from doxa.calibrators.maths.folds import fold_of
    from doxa.metrics.maths.utility import worth
    from doxa.metrics.maths.verdicts import mean_shift
    from doxa.policies.thinking_budget import ThinkingBudget

    policy = ThinkingBudget(budgets=thought.budgets, cost=cost, price=price)
    fold, n = fold_of(thought.cluster, seed=seed), len(thought.cluster)
    answered, right, tokens = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool), np.zeros(n)
    for i in range(int(fold.max()) + 1):
        here = fold == i
        given, column = _given(_fitted(policy, thought, ~here), thought, here)
        if column is not None:
            answered[here], right[here], tokens[here] = (
                given,
                thought.correct[here, column],
                thought.tokens[here, column],
            )

    def utility(answered: Bools, right: Bools, tokens: Floats) -> Measurement:
        values = worth(answered=answered, correct=right, risk=cost) - price * tokens
        return replace(mean_shift(values, cluster=thought.cluster, seed=seed), name="utility", better="high")

    longest = ~np.isnan(thought.confidence[:, -1])
    return Worth(
        cost,
        _fitted(policy, thought, np.ones(n, dtype=bool)).to_json(),
        float(answered.mean()),
        float(right[answered].mean()) if answered.any() else 0.0,
        float(tokens.mean()),
        utility(answered, right, tokens),
        utility(longest, thought.correct[:, -1], thought.tokens[:, -1]),
    )


def _fitted(policy: ThinkingBudget, thought: Thought, rows: Bools) -> ThinkingBudget:
    return policy.fit(confidence=thought.confidence[rows], correct=thought.correct[rows], thought=thought.tokens[rows])


def _given(policy: ThinkingBudget, thought: Thought, rows: Bools) -> tuple[Bools, int | None]:
    """Which of some questions the policy answers, and the column of its budget; `None` where it always abstains."""
    import numpy as np

    from doxa.state import fitted

    threshold = fitted(policy._threshold)
    if not threshold:
        return np.zeros(int(rows.sum()), dtype=bool), None
    column = thought.budgets.index(policy.budget)
    return np.asarray(thought.confidence[rows, column] >= threshold[0]), column


def _lines(thought: Thought, found: Sequence[Worth], out: Path | None) -> list[Line]:
    """One line for each cost."""
    left = f", {thought.left_out:,} left out" if thought.left_out else ""
    budgets = ", ".join(map(str, thought.budgets))
    lines: list[Line] = [
        (f"budgets {budgets} · {len(thought.cluster):,} questions{left}", "bold"),
        (
            f"{'cost':>6}{'budget':>7}{'from':>6}{'answered':>10}{'right':>7}{'tokens':>8}{'utility':>9}  95 %"
            f"{'always':>21}",
            "bold",
        ),
    ]
    for each in found:
        (budget, threshold), u = (each.policy["state"][name] for name in ("budget", "threshold")), each.utility
        what = f"{budget:>7}{threshold[0]:>6.2f}" if threshold else f"{'never':>7}{'—':>6}"
        ends = "" if u.low is None or u.high is None else f"{_short(u.low)} to {_short(u.high)}"
        shares = f"{each.answered:>10.1%}{each.accuracy:>7.0%}{each.tokens:>8.1f}{_short(u.value):>9}"
        lines.append((f"{each.cost:>6g}{what}{shares}  {ends:<17}{_short(each.always.value):>8}", ""))
    notes = [
        "From budget and threshold, which all questions choose, to their worth on questions that did not choose them. "
        "Always: to answer every question after the longest budget."
    ]
    notes += [f"{out}: the policy for a cost of {found[0].cost:g}."] if out is not None else []
    return lines + [(line, "dim") for note in notes for line in textwrap.wrap(note, 80)]


def _short(value: float | None) -> str:
    """A utility in at most six signs."""
    return "—" if value is None else f"{value:.3f}" if abs(value) < 10 else f"{value:.2f}"

"""`doxa sets`: which options stay possible, with a guarantee, for the choice questions of a run."""

from __future__ import annotations

import json
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

if TYPE_CHECKING:
    import polars as pl

    from doxa.cli.layout import Line

POLICIES = "conformal_set, conformal_set(score='aps'), pac_set, pac_set(learnt=True)"
NAME = 26


class Options(NamedTuple):
    """The options of questions with their probabilities, which are right, and the cluster of each."""

    scores: list[dict[str, float]]
    right: list[list[str]]
    cluster: list[str]

    def only(self, rows: list[int]) -> Options:
        """Some of the questions."""
        return Options([self.scores[i] for i in rows], [self.right[i] for i in rows], [self.cluster[i] for i in rows])


def sets(
    run: Annotated[Path, typer.Argument(help="the directory of a run over choice questions")],
    policy: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="a policy that makes sets; repeatable  [four of them]")
    ] = None,
    estimator: Annotated[
        str, typer.Option(help="one that keeps the probability of every option")
    ] = "option_likelihood",
    out: Annotated[Path | None, typer.Option("-o", "--out", help="where the policy is written, fitted on all")] = None,
    folds: Annotated[int, typer.Option(min=2, help="each is covered by what was fitted on the others")] = 5,
    seed: Annotated[int, typer.Option(min=0, help="of the folds")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="only JSON on stdout")] = False,
) -> None:
    """Make sets of options that hold the right answer.

    It shows how many do, on folds they were not made from, and how large they are.
    """
    from doxa import registry
    from doxa.cli.layout import show
    from doxa.cli.outputs import check_output
    from doxa.errors import UsageError
    from doxa.files import write

    check_output(out, run)
    spelled = policy or POLICIES.split(", ")
    if out is not None and len(spelled) != 1:
        raise UsageError(f"--out takes one policy, and there are {len(spelled)}", hint="name one with --policy")
    made = {name: registry.make("policies", name) for name in spelled}
    for name, member in made.items():
        if not hasattr(member, "fit_options"):
            raise UsageError(f"{name} makes no sets", hint=f"these do: {POLICIES}")
    known = options_of(run, estimator)
    rows = [{"policy": name, **tried(member, known, folds, seed)} for name, member in made.items()]
    if out is not None:
        fitted = made[spelled[0]].fit_options(options=known.scores, right=known.right, cluster=known.cluster)
        write(json.dumps(fitted.to_json(), ensure_ascii=False) + "\n", out)
    if as_json:
        content = {"schema": "doxa.sets/1", "run": str(run), "estimator": estimator, "folds": folds, "rows": rows}
        sys.stdout.write(json.dumps(content, ensure_ascii=False, allow_nan=False) + "\n")
    else:
        show(lines(rows, f"{estimator} · {len(known.scores):,} questions", folds))


def options_of(run: Path, estimator: str) -> Options:
    """What a run keeps of its options. Raises `UsageError` where that estimator keeps none."""
    import polars as pl

    from doxa.errors import UsageError
    from doxa.scoring import read_table, where

    table = where(read_table(run), [f"estimator={estimator}"])
    if "details" not in table.columns:
        raise UsageError(f"{run} is not a run", hint="give the directory that doxa run wrote")
    chosen = table.filter((pl.col("kind") == "choice") & pl.all_horizontal(pl.col("details", "accepted").is_not_null()))
    if not chosen.height:
        hint = "ask choice questions, for example bank:capitals_choice, with --estimators option_likelihood"
        raise UsageError(f"{estimator} kept no probabilities of options in {run}", hint=hint)
    return Options(read(chosen, "details"), read(chosen, "accepted"), chosen["cluster"].to_list())


def read(table: pl.DataFrame, column: str) -> list[Any]:
    """A column of JSON."""
    return [json.loads(cell) for cell in table[column]]


def tried(policy: Any, known: Options, folds: int, seed: int) -> dict[str, Any]:
    """How the sets of each fold turn out, made by what was fitted on the others."""
    from dataclasses import asdict

    from doxa.calibrators.maths.folds import fold_of
    from doxa.metrics.maths.intervals import wilson
    from doxa.types import Case

    fold, decided = fold_of(known.cluster, folds=folds, seed=seed), []
    for each in range(int(fold.max()) + 1):
        rest, here = (known.only([i for i, f in enumerate(fold) if (f == each) == out]) for out in (False, True))
        fitted = policy.fit_options(options=rest.scores, right=rest.right, cluster=rest.cluster)
        pairs = zip(here.scores, here.right, strict=True)
        decided += [(fitted.decide(Case(None, options=options)), set(right)) for options, right in pairs]
    n, holds = len(decided), [bool(right & set(d.payload)) for d, right in decided]
    answered = [right & set(d.payload) for d, right in decided if d.act == "answer"]
    low, high = wilson(sum(holds), n)
    threshold = fitted.to_json()["state"]["threshold"]
    return {
        "n": n,
        "promised": 1 - fitted.risk,
        "covered": sum(holds) / n,
        "low": low,
        "high": high,
        "size": sum(len(d.payload) for d, _ in decided) / n,
        "answered": len(answered),
        "answered_right": sum(map(bool, answered)),
        "guarantee": None if isinstance(threshold, str) else asdict(fitted.guarantee),
        "reason": threshold if isinstance(threshold, str) else "",
    }


def lines(rows: list[dict[str, Any]], title: str, folds: int) -> list[Line]:
    """The table."""
    from doxa.cli.layout import WIDTH

    head = f"{'policy':<{NAME}}{'promised':>9}{'holds the right one':>22}{'size':>7}{'of one':>8}{'right':>7}"
    told: list[Line] = [(title, "bold"), (head, "bold")]
    for row in rows:
        held = f"{row['covered']:.1%} ({row['low']:.0%} to {row['high']:.0%})"
        right = f"{row['answered_right'] / row['answered']:.0%}" if row["answered"] else "—"
        name = row["policy"]
        if len(name) >= NAME:
            told.append((name, ""))
            name = ""
        text = f"{name:<{NAME}}{row['promised']:>9.0%}{held:>22}{row['size']:>7.2f}{row['answered']:>8}{right:>7}"
        told.append((text, ""))
        told += [(part, "dim") for part in textwrap.wrap(row["reason"], WIDTH)]
    note = (
        f"each of {folds} folds by what was fitted on the others; size: options in a set; of one: sets of one option, "
        "which are answers, and how many of them are right: no guarantee is about these alone"
    )
    return [*told, *((part, "dim") for part in textwrap.wrap(note, WIDTH))]

"""`doxa cascade`: what asking a cheap model first, and dear ones where it is unsure, costs and leaves of errors."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from doxa.cascading import Lined, Row, Told
    from doxa.cli.layout import Line

LABEL, CELL = 25, 11


def cascade(
    files: Annotated[list[Path], typer.Argument(help="a file or run per model, or one file with --across")],
    price: Annotated[
        list[str] | None, typer.Option(metavar="NAME=X", help="what a question costs a model; repeatable")
    ] = None,
    across: Annotated[str | None, typer.Option(metavar="COL", help="of one file: the column of the models")] = None,
    item: Annotated[
        str | None, typer.Option("--id", metavar="COL", help="column that names the question [of a run: question]")
    ] = None,
    risk: Annotated[float, typer.Option(help="bound on the share of wrong answers")] = 0.1,
    delta: Annotated[float, typer.Option(help="probability with which the bound may fail")] = 0.05,
    coverage: Annotated[float, typer.Option(help="share of questions to answer; 1: the last answers always")] = 1.0,
    signal: Annotated[
        str | None, typer.Option(metavar="COL", help="known before asking: choose one model by it (routing)")
    ] = None,
    confidence: Annotated[str | None, typer.Option(metavar="COL", help="column of the confidence")] = None,
    correct: Annotated[str | None, typer.Option(metavar="COL", help="column that says whether it was right")] = None,
    cluster: Annotated[str | None, typer.Option(metavar="COL", help="rows that share it stay together")] = None,
    where: Annotated[list[str] | None, typer.Option(metavar="COL=VALUE", help="only these rows; repeatable")] = None,
    estimator: Annotated[str | None, typer.Option(help="of runs: the estimator")] = None,
    scale: Annotated[str, typer.Option(help="unit: confidences in [0, 1]; real: any number")] = "unit",
    seed: Annotated[int, typer.Option(min=0, help="of folds, halves and the bootstrap")] = 0,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="write the chosen policy, as JSON")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="only JSON on stdout")] = False,
) -> None:
    """Ask a cheap model first, and a dear one where it is unsure.

    Prints cost and errors of such cascades beside each model alone, and chooses the cheapest that keeps a bound on
    errors with a guarantee.
    """
    from doxa.cascading import alone, held_out, lined_up, named_prices
    from doxa.cli.layout import show
    from doxa.cli.outputs import check_output
    from doxa.cli.score import chosen
    from doxa.files import write

    check_output(out, *files)
    columns = {"confidence": confidence, "correct": correct, "cluster": cluster, "estimator": estimator}
    options = {**columns, "conditions": where or (), "scale": chosen(scale)}
    parts = _read(files, across, item, named_prices(price or ()), signal, options)
    lined = lined_up(parts, routed=signal is not None)
    policy = _policy(lined, risk, delta, coverage, seed)
    rows = {"alone": alone(lined, seed=seed), "held_out": held_out(lined, coverage=coverage, seed=seed)}
    content = {**policy.to_json(), **_about(columns, signal, scale)}
    if out is not None:
        write(json.dumps(content, ensure_ascii=False) + "\n", out)
    if as_json:
        sys.stdout.write(json.dumps(_as_dict(lined, rows, content), ensure_ascii=False) + "\n")
    else:
        show([*_table(lined, rows, coverage), *_told(lined, policy, rows["alone"], out)])


def _about(columns: Mapping[str, str | None], signal: str | None, scale: str) -> dict[str, Any]:
    """What of a table the policy decides by, as `doxa apply` reads it."""
    from doxa import __version__

    by, estimator = signal or columns["confidence"], columns["estimator"]
    return {
        "columns": {"confidence": [by] if by else [], **{name: columns[name] for name in ("correct", "cluster")}},
        "scales": ["real" if signal else scale],
        "estimators": [estimator] if estimator else [],
        "versions": {"doxa": __version__},
    }


def _read(
    files: Sequence[Path],
    across: str | None,
    item: str | None,
    prices: Any,
    signal: str | None,
    options: dict[str, Any],
) -> list[Told]:
    """Each model's answers. Raises `UsageError` where files, names and prices do not go together."""
    from doxa.cascading import model_of, priced, split, told
    from doxa.errors import UsageError
    from doxa.scoring import existing, open_log

    logs = [open_log(path, **options) for path in files]
    if across is None:
        if len(logs) < 2:
            raise UsageError("a cascade needs two models", hint="give a file each, or --across the column of models")
        named = list(zip(map(model_of, files), logs, strict=True))
    elif len(logs) > 1 or len(prices) < 2:
        hint = "give one file, and a --price NAME=X for each model to use"
        raise UsageError(f"--across {across} with {len(logs)} files and {len(prices)} prices", hint=hint)
    else:
        named = split(logs[0], existing(logs[0].table, across), list(prices))
    names = [name for name, _ in named]
    prices = priced(prices, names)
    if len(set(names)) < len(names):
        raise UsageError(f"two of {', '.join(names)} have one name", hint="rename a file")
    if item is None and not all(path.is_dir() for path in files):
        raise UsageError("which questions are the same?", hint="name the column of the questions with --id")
    return [told(log, name, item or "question", price=prices.get(name), signal=signal) for name, log in named]


def _policy(lined: Lined, risk: float, delta: float, coverage: float, seed: int) -> Any:
    """The cheapest cascade, or route, that keeps the bound."""
    from doxa.errors import UsageError
    from doxa.policies.cascade import Cascade
    from doxa.policies.routing import Routing

    answers = lined.answers
    data: dict[str, Any] = {"correct": answers.correct, "price": answers.price, "cluster": lined.cluster or lined.items}
    if not answers.routed:
        policy = Cascade(models=lined.models, risk=risk, delta=delta, answered=coverage, seed=seed)
        return policy.fit(confidence=answers.confidence, **data)
    if coverage < 1:
        raise UsageError("a route does not abstain", hint="leave out --coverage, or --signal")
    return Routing(models=lined.models, risk=risk, delta=delta, seed=seed).fit(
        confidence=answers.confidence[:, 0], **data
    )


# -- what is shown -----------------------------------------------------------------------------------------------------


def _as_dict(lined: Lined, rows: dict[str, list[Row]], policy: dict[str, Any]) -> dict[str, Any]:
    """What `--json` prints."""
    from dataclasses import asdict

    return {
        "schema": "doxa.cascade/1",
        "models": list(lined.models),
        "prices": lined.answers.price.mean(0).tolist(),
        "n": len(lined.items),
        "left_out": lined.left_out,
        **{name: [asdict(row) for row in some] for name, some in rows.items()},
        "policy": policy,
    }


def _table(lined: Lined, rows: dict[str, list[Row]], coverage: float) -> list[Line]:
    """Each model alone, then policies by their budget; under each value its interval."""
    what = "routes" if lined.answers.routed else "cascades"
    left = f", {lined.left_out:,} not graded for all left out" if lined.left_out else ""
    # Chance and the oracle answer every question, so a policy that abstains is not held against them.
    cells = ["cost", "wrong", "calls", *(["answered"] if coverage < 1 else ["by chance", "oracle"])]
    lines: list[Line] = [
        (f"{len(lined.models)} models, {len(lined.items):,} questions{left}", "bold"),
        (" " * LABEL + "".join(f"{cell:>{CELL}}" for cell in cells), "bold"),
    ]
    for row in rows["alone"]:
        lines += _lines(row.label, row, coverage)
    lines.append((f"{what} on questions that did not choose them", "bold"))
    for row in rows["held_out"]:
        lines += _lines(f"at most {row.budget:.4g}", row, coverage)
    return lines


def _lines(label: str, row: Row, coverage: float) -> list[Line]:
    """Values, and under them the intervals."""
    from doxa.cli.layout import shortened

    shares = [row.risk.value, *([row.answered] if coverage < 1 else [row.chance, row.oracle])]
    wrong, *rest = ("—" if share is None else f"{share:.1%}" for share in shares)
    values = [f"{row.cost.value:.4g}", wrong, f"{row.calls:.2f}", *rest]
    ends = [_ends(row.cost.low, row.cost.high, 1), _ends(row.risk.low, row.risk.high, 100)]
    lines = [(f"{shortened(label, LABEL - 1):<{LABEL}}" + "".join(f"{value:>{CELL}}" for value in values), "")]
    return lines + ([(" " * LABEL + "".join(f"{end:>{CELL}}" for end in ends), "dim")] if any(ends) else [])


def _ends(low: float | None, high: float | None, times: float) -> str:
    """An interval that fits its cell."""
    if low is None or high is None:
        return ""
    if f"{low:.4g}" == f"{high:.4g}":
        return ""
    texts = (f"{low * times:.{digits}g}–{high * times:.{digits}g}" for digits in (4, 3, 2))
    return next((text for text in texts if len(text) < CELL), "")


def _told(lined: Lined, policy: Any, alone: list[Row], out: Path | None) -> list[Line]:
    """The chosen policy in words, with its guarantee."""
    if policy.guarantee is None:
        what = "route" if lined.answers.routed else "cascade"
        words = f"No {what} is sure to keep wrong answers under {policy.risk:.4g}: it would abstain on everything."
    else:
        (cost, risk, answered), chain, dear = policy._came_to, policy._chain, alone[-1]
        steps = [f"{name} from {least:.4g} on" for name, least in zip(chain, policy._thresholds, strict=False)]
        steps += [chain[-1]] if len(steps) < len(chain) else ["no answer"]
        some = f" and {answered:.1%} of the questions were answered" if answered < 1 else ""
        words = (
            f"Chosen: {', else '.join(steps)}. Of its answers at most {policy.risk:.4g} are wrong, with probability "
            f"{1 - policy.delta:.4g}: of {policy._n:,} that did not choose it {risk:.1%} were{some}, at a cost of "
            f"{cost:.4g} a question ({dear.label} alone: {dear.cost.value:.4g})."
        )
    if out is not None:
        words += f" It is written to {out}."
    return [("", ""), *((line, "") for line in textwrap.wrap(words, 80, break_on_hyphens=False))]

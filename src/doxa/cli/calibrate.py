"""`doxa calibrate`: learns the way from raw confidence to probability."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from doxa.scoring import Group, Log
    from doxa.types import Scale

COMPARED = ("brier_loss", "log_loss", "ece", "overconfidence", "auroc")
FEW = 50
"""Under so many answers a warning is given."""


def calibrate(
    file: Annotated[Path, typer.Argument(help="CSV, JSONL (both also .gz), Parquet, or the directory of a run")],
    out: Annotated[Path, typer.Option("-o", "--out", help="where the calibrator is written, as JSON")],
    method: Annotated[str, typer.Option(help="platt, temperature, isotonic or histogram")] = "isotonic",
    confidence: Annotated[str | None, typer.Option(metavar="COL", help="column of the confidence")] = None,
    correct: Annotated[str | None, typer.Option(metavar="COL", help="column that says whether it was right")] = None,
    cluster: Annotated[str | None, typer.Option(metavar="COL", help="rows that share it stay in one fold")] = None,
    where: Annotated[list[str] | None, typer.Option(metavar="COL=VALUE", help="only these rows; repeatable")] = None,
    estimator: Annotated[str | None, typer.Option(help="of a run: the estimator to calibrate")] = None,
    scale: Annotated[str, typer.Option(help="unit: confidences in [0, 1]; real: any number")] = "unit",
    folds: Annotated[int, typer.Option(min=2, help="of the comparison before and after")] = 5,
    seed: Annotated[int, typer.Option(min=0, help="of the folds")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="only JSON on stdout")] = False,
) -> None:
    """Fit a calibrator on logged predictions and write it.

    Before and after are compared on folds that it was not fitted on.
    """
    from dataclasses import asdict

    from doxa import __version__, registry
    from doxa.cli.layout import layout, show
    from doxa.cli.score import as_dict, chosen
    from doxa.errors import UsageError
    from doxa.files import write
    from doxa.scoring import open_log

    if file.is_dir() and estimator is None:
        raise UsageError("a run has several estimators", hint="name one with --estimator")
    log = open_log(
        file,
        confidence=confidence,
        correct=correct,
        cluster=cluster,
        conditions=where or (),
        estimator=estimator,
        scale=chosen(scale),
    )
    calibrator, groups = fitted(log, registry.build("calibrators", method), folds, seed)
    n = groups[0].measurements[0].n
    content = {
        **calibrator.to_json(),
        "n": n,
        "columns": asdict(log.columns),
        "scale": scale_of(log).value,
        "versions": {"doxa": __version__},
    }
    write(json.dumps(content, ensure_ascii=False) + "\n", out)
    if as_json:
        sys.stdout.write(json.dumps({**as_dict(file, log, groups), "calibrator": str(out)}, ensure_ascii=False) + "\n")
        return
    if n < FEW:
        sys.stderr.write(f"only {n} answers: expect little of this calibrator\n")
    show([*layout(groups), (f"after: {folds} folds, each predicted by the others; {out}: fitted on all {n:,}", "dim")])


def fitted(log: Log, calibrator: Any, folds: int, seed: int) -> tuple[Any, list[Group]]:
    """The calibrator fitted on all rows, and measurements of the raw and of the cross-fitted confidence."""
    import polars as pl

    from doxa.calibrators.maths.folds import cross_fit
    from doxa.metrics import measure
    from doxa.scoring import Group
    from doxa.types import Scale

    p, y, c = log.columns.confidence, log.columns.correct, log.columns.cluster
    known = log.table.filter(pl.col(p).is_not_null() & pl.col(y).is_not_null())
    raw, correct = known[p].to_numpy(), known[y].to_numpy()
    cluster = None if c is None else known[c].cast(str).to_numpy()
    after = cross_fit(calibrator, confidence=raw, correct=correct, cluster=cluster, folds=folds, seed=seed)
    groups = []
    for label, values, scale in (("before", raw, scale_of(log)), ("after", after, Scale.UNIT)):
        measured = measure(
            confidence=values,
            correct=correct,
            cluster=cluster,
            metrics=COMPARED,
            scale=scale,
            missing=log.table[p].null_count(),
            seed=seed,
        )
        groups.append(Group({"calibration": label}, measured))
    return calibrator.fit(confidence=raw, correct=correct), groups


def scale_of(log: Log) -> Scale:
    """The scale of the log's confidences; a run says it row by row, the same for all of one estimator."""
    from doxa.types import Scale

    return log.scale or Scale(log.table["scale"][0])

"""`doxa score`: measures logged predictions; needs no model."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from doxa.scoring import Group, Log
    from doxa.types import Scale

PERCENT = "percent"
"""The scale of a file whose confidences are from 0 to 100."""


File = Annotated[
    Path,
    typer.Argument(help="CSV, JSONL (both also .gz), Parquet (or a folder or pattern), or a run"),
]
Cluster = Annotated[str | None, typer.Option(metavar="COL", help="rows that share it are resampled together")]
CompleteBy = Annotated[str | None, typer.Option(metavar="COL", help="only items present for every value of COL")]
Item = Annotated[str | None, typer.Option("--id", metavar="COL", help="column that names the item for --complete-by")]
Taken = Annotated[
    list[str] | None, typer.Option(metavar="NAME=COL", help="what a metric takes from which column; repeatable")
]
Read = Annotated[
    str, typer.Option(help="unit: in [0, 1]; percent: in 0 to 100; real: any number, only its order counts")
]
Digits = Annotated[int | None, typer.Option("--round", min=0, help="round confidences to so many digits first")]
Batches = Annotated[
    bool | None, typer.Option(help="Parquet in batches rather than at once; by itself where it is large")
]
Out = Annotated[Path | None, typer.Option("-o", "--out", help="an .html file: the page; a .json file: the JSON")]


def score(
    file: File,
    confidence: Annotated[str | None, typer.Option(metavar="COL", help="column of the confidence")] = None,
    correct: Annotated[str | None, typer.Option(metavar="COL", help="column that says whether it was right")] = None,
    cluster: Cluster = None,
    by: Annotated[list[str] | None, typer.Option(metavar="COL", help="measure each value apart; repeatable")] = None,
    where: Annotated[list[str] | None, typer.Option(metavar="COL=VALUE", help="only these rows; repeatable")] = None,
    complete_by: CompleteBy = None,
    item: Item = None,
    estimator: Annotated[str | None, typer.Option(help="of a run: only this estimator")] = None,
    metrics: Annotated[str | None, typer.Option(metavar="A,B", help="which metrics, or all")] = None,
    column: Taken = None,
    scale: Read = "unit",
    digits: Digits = None,
    intervals: Annotated[bool, typer.Option(help="95 % intervals")] = True,
    seed: Annotated[int, typer.Option(min=0, help="of the bootstrap")] = 0,
    stream: Batches = None,
    out: Out = None,
    as_json: Annotated[bool, typer.Option("--json", help="only JSON on stdout")] = False,
) -> None:
    """Measure logged predictions: accuracy, calibration and ranking."""
    from dataclasses import asdict

    from doxa.cli.forms import PAGES, of_confidences, score_table, takes_table
    from doxa.cli.large import files_in_batches, score_files, whole_only
    from doxa.cli.outputs import check_output
    from doxa.errors import UsageError
    from doxa.scoring import is_run, open_log, score_log

    check_output(out, file, suffixes=(*PAGES, ".json"))
    names, by, where = metric_names(metrics), by or [], where or []
    drawn: dict[str, Any] = {"intervals": intervals, "seed": seed}
    if takes_table(names or []):
        of_confidences(confidence, correct, complete_by, item, estimator, digits, out)
        which: dict[str, Any] = {"columns": column or [], "cluster": cluster, "by": by, "conditions": where}
        groups, taken = score_table(file, names or [], **which, **drawn)
        return tell(groups, as_dict(file, taken, groups), out, as_json)
    if column:
        raise UsageError("--column is for metrics of other columns", hint="here it is --confidence and --correct")
    columns: dict[str, Any] = {"confidence": confidence, "correct": correct, "cluster": cluster}
    (read,), (percent,) = scales_named([scale])
    how: dict[str, Any] = {"scale": read, "percent": percent, "digits": digits}
    files = files_in_batches(file, stream)
    if files:
        whole_only({"--complete-by": complete_by, "--estimator": estimator, "-o page": out and out.suffix in PAGES})
        groups, taken = score_files(files, {**columns, **how, "by": by, "conditions": where}, metrics=names, **drawn)
        return tell(groups, as_dict(file, taken, groups), out, as_json)
    log = open_log(file, **columns, conditions=where, estimator=estimator, **how)
    by = by or (["estimator"] if is_run(file) else [])
    say_pooled(log, file, by)
    log = completed(log, complete_by, item, by)
    groups = score_log(log, by=by, metrics=names, **drawn)
    html = page(file, log, by, seed) if out is not None and out.suffix.lower() in PAGES else None
    tell(groups, as_dict(file, asdict(log.columns), groups), out, as_json, html)


def say_pooled(log: Log, file: Path, by: list[str]) -> None:
    """Say where the items of a run are measured without telling its estimators apart."""
    run = file.name == "items.parquet" and {"estimator", "question"} <= set(log.table.columns)
    if run and "estimator" not in by and (estimators := log.table["estimator"].n_unique()) > 1:
        sys.stderr.write(f"the rows of {estimators} estimators are taken together; --by estimator tells them apart\n")


def completed(log: Log, complete_by: str | None, item: str | None, by: list[str]) -> Log:
    """The log with the items alone that are there for every value of a column, where one is named."""
    from dataclasses import replace

    from doxa.errors import UsageError
    from doxa.scoring import complete_items, existing

    if (complete_by is None) != (item is None):
        raise UsageError("--complete-by and --id go together", hint="give both: --complete-by model --id question")
    if complete_by is None or item is None:
        return log
    across, item = existing(log.table, complete_by), existing(log.table, item)
    return replace(log, table=complete_items(log.table, log.columns, across, item, by))


def tell(
    groups: list[Group], content: dict[str, Any], out: Path | None, as_json: bool, html: str | None = None
) -> None:
    """Write the JSON (or the page) to a file where one is named, and the JSON or a table to stdout."""
    from doxa.cli.layout import layout, show
    from doxa.files import write

    text = json.dumps(content, ensure_ascii=False) + "\n"
    if out is not None:
        write(text if html is None else html, out)
    if as_json:
        sys.stdout.write(text)
    else:
        show([*layout(groups), *([] if out is None else [(f"{out}: written", "dim")])])


def page(file: Path, log: Log, by: list[str], seed: int) -> str:
    """The page of the log."""
    from doxa.cli.log_page import log_page
    from doxa.report.log import render_log

    return render_log(log_page(file, log, by, seed))


def metric_names(given: str | None) -> list[str] | None:
    """The metrics named with commas; `None` for the default ones."""
    from doxa.cli.forms import COMMA
    from doxa.metrics.maths.rule import rules

    if given is None:
        return None
    return rules() if given == "all" else [name.strip() for name in COMMA.split(given) if name.strip()]


def scales_named(words: Sequence[str]) -> tuple[tuple[Scale, ...], tuple[bool, ...]]:
    """The scales that columns are read to, and which of them are written as percentages. Raises `UsageError`."""
    percent = tuple(word == PERCENT for word in words)
    return tuple(chosen("unit" if word == PERCENT else word) for word in words), percent


def chosen(scale: str) -> Scale:
    """The scale of that name. Raises `UsageError` for another word."""
    from doxa.errors import UsageError
    from doxa.types import Scale

    if scale not in {known.value for known in Scale}:
        hint = "unit for confidences in [0, 1], real for other scores; percent in doxa score and doxa calibrate"
        raise UsageError(f"the scale {scale!r} is none here", hint=hint)
    return Scale(scale)


def as_dict(file: Path, columns: dict[str, Any], groups: list[Group]) -> dict[str, Any]:
    """What `--json` prints."""
    from dataclasses import asdict

    return {
        "schema": "doxa.score/1",
        "file": str(file),
        "columns": columns,
        "groups": [
            {"by": group.by, "measurements": [asdict(m) for m in group.measurements]}
            | ({"bounds": dict(group.bounds)} if group.bounds else {})
            for group in groups
        ],
    }

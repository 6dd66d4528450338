"""`doxa calibrate`: learns the way from raw confidence to probability, and to a decision."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from doxa.cli.evidence import Evidence
    from doxa.cli.fitting import Ruling
    from doxa.scoring import Group

FEW = 50
"""Under so many answers a warning is given."""


def calibrate(
    file: Annotated[Path, typer.Argument(help="CSV, JSONL (both also .gz), Parquet, or the directory of a run")],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="where the calibrator is written, as JSON; else nowhere")
    ] = None,
    method: Annotated[
        str, typer.Option(metavar="NAME", help="of doxa list calibrators, e.g. 'histogram(bins=20)', or all")
    ] = "isotonic",
    confidence: Annotated[
        list[str] | None, typer.Option(metavar="COL", help="column of the confidence; repeatable for ensembles")
    ] = None,
    correct: Annotated[str | None, typer.Option(metavar="COL", help="column that says whether it was right")] = None,
    cluster: Annotated[str | None, typer.Option(metavar="COL", help="rows that share it stay in one fold")] = None,
    by: Annotated[
        list[str] | None, typer.Option(metavar="COL", help="column of the groups, which may overlap; repeatable")
    ] = None,
    where: Annotated[list[str] | None, typer.Option(metavar="COL=VALUE", help="only these rows; repeatable")] = None,
    estimator: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="of a run: the estimator; repeatable for ensembles")
    ] = None,
    scale: Annotated[
        list[str] | None,
        typer.Option(metavar="unit|percent|real", help="in [0, 1], 0 to 100, or any number; repeatable  [unit]"),
    ] = None,
    policy: Annotated[
        str | None, typer.Option(metavar="NAME", help="of doxa list policies, to decide with, e.g. 'penalty(cost=3)'")
    ] = None,
    folds: Annotated[int, typer.Option(min=2, help="of the comparison before and after")] = 5,
    seed: Annotated[int, typer.Option(min=0, help="of the folds")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="only JSON on stdout")] = False,
) -> None:
    """Fit a calibrator on logged predictions, and a policy.

    Before and after are compared on folds that it was not fitted on. With `--method all` every calibrator that takes
    what there is goes through that comparison, and the one of the least Brier score is written.
    """
    from doxa.cli.contest import best_of_all
    from doxa.cli.evidence import Names, open_evidence
    from doxa.cli.fitting import before, calibrator_for, cross_fitted, measured, rule
    from doxa.cli.outputs import check_output
    from doxa.cli.score import scales_named

    check_output(out, file)
    scales, percent = scales_named(scale or ["unit"])
    names = Names(tuple(confidence or ()), correct, cluster, tuple(by or ()), scales, tuple(estimator or ()), percent)
    whole = open_evidence(file, names, where or ())
    evidence, missing = whole.graded(), whole.ungraded()
    raw = before(evidence, missing, seed)
    every: list[Group] = []
    if method == "all":
        method, evidence, every = best_of_all(evidence, folds, seed)
    calibrator = calibrator_for(method, evidence)
    probability = cross_fitted(evidence, calibrator, folds, seed)
    after = every or [measured(evidence, "after", probability, missing=missing, seed=seed)]
    ruling = None if policy is None else rule(policy, evidence, probability)
    if out is not None:
        write_bundle(out, evidence, calibrator, ruling)
    notes = [f"cross-fitted on {folds} folds: each was predicted by what was fitted on the others"]
    notes += [f"{method} is the best of {len(every)} here, which flatters its figures a little"] if every else []
    tell(file, evidence, raw + after, method, ruling, out, notes + unhelpful(raw, after, method), as_json)


def unhelpful(before: list[Group], after: list[Group], method: str) -> list[str]:
    """The warning that the calibrated are worse than some confidences were, by their Brier scores on other folds."""
    raw, new = ([g.measurements[0].value for g in groups] for groups in (before, after))
    best, made = min((each for each in raw if each is not None), default=None), new[0]
    if best is None or made is None or made <= best:
        return []
    others = [f"--method {name}" for name in ("platt", "all") if len(after) == 1 and name != method]
    hint = f"; {' or '.join(others)} may" if others else ""
    return [f"calibration does not help here: the Brier score goes from {best:.4f} to {made:.4f}{hint}"]


def write_bundle(out: Path, evidence: Evidence, calibrator: Any, ruling: Ruling | None) -> None:
    """Write the calibrator, fitted on all graded answers, with its policy and what both are about."""
    from doxa import __version__
    from doxa.cli.fitting import fit
    from doxa.cli.score import PERCENT
    from doxa.files import write

    names = evidence.names
    content = {
        **fit(evidence, calibrator).to_json(),
        **({} if ruling is None else {"policy": ruling.policy.to_json()}),
        "n": evidence.table.height,
        "columns": columns_of(evidence),
        "scales": [PERCENT if percent else s.value for s, percent in zip(names.scales, names.percent, strict=True)],
        "estimators": list(names.estimators),
        "versions": {"doxa": __version__},
    }
    write(json.dumps(content, ensure_ascii=False) + "\n", out)


def columns_of(evidence: Evidence) -> dict[str, Any]:
    """Which column meant what, as JSON."""
    names = evidence.names
    return {
        "confidence": list(names.confidence),
        "correct": names.correct,
        "cluster": names.cluster,
        "by": list(names.by),
    }


def tell(
    file: Path,
    evidence: Evidence,
    groups: list[Group],
    method: str,
    ruling: Ruling | None,
    out: Path | None,
    notes: list[str],
    as_json: bool,
) -> None:
    """Print the comparison and the policy."""
    import textwrap
    from dataclasses import asdict

    from doxa.cli.layout import WIDTH, layout, show

    n = evidence.table.height
    if as_json:
        content = {
            "schema": "doxa.calibrate/1",
            "file": str(file),
            "columns": columns_of(evidence),
            "groups": [{"by": g.by, "measurements": [asdict(m) for m in g.measurements]} for g in groups],
            "method": method,
            "policy": ruling and ruling.to_json(),
            "calibrator": out and str(out),
        }
        sys.stdout.write(json.dumps(content, ensure_ascii=False) + "\n")
        return
    if n < FEW:
        sys.stderr.write(f"only {n} answers: expect little of this calibrator\n")
    where = "not written; -o cal.json would keep" if out is None else f"{out}:"
    kept = f"{where} {method}, fitted on all {n:,}" + (", with the policy" if ruling else "")
    said = [*notes, kept, *(ruling.lines() if ruling else [])]
    show([*layout(groups), *((line, "dim") for note in said for line in textwrap.wrap(note, WIDTH))])

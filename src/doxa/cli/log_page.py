"""What the page of a log is drawn from: its groups, each studied, and the commands that come next."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

    from doxa.logged import Graded
    from doxa.scoring import Log


def log_page(file: Path, log: Log, by: Sequence[str], seed: int) -> dict[str, Any]:
    """Everything the page says of a log, of schema `doxa.log/1`."""
    from doxa.logged import SCHEMA, study
    from doxa.scoring import parts

    groups = [study(graded(log, part), by=key, seed=seed) for key, part in parts(log.table, by)]
    counts = {key: sum(group["counts"][key] for group in groups) for key in ("missing", "errors")}
    return {
        "schema": SCHEMA,
        "file": str(file),
        "name": file.name,
        "columns": asdict(log.columns),
        "n": sum(group["n"] for group in groups),
        **counts,
        "groups": groups,
        "next": _next(file, log, groups),
    }


def graded(log: Log, part: pl.DataFrame) -> Graded:
    """The rows with both values; in a run, rows with a failed call are errors and not missing."""
    import polars as pl

    from doxa.logged import Graded
    from doxa.types import Scale

    columns, scale, errors = log.columns, log.scale, 0
    if scale is None:
        scale = Scale.REAL if (part["scale"] == Scale.REAL.value).any() else Scale.UNIT
        errors = int((part["error"] != "").sum())
        part = part.filter(part["error"] == "")
    known = part.filter(pl.col(columns.confidence).is_not_null() & pl.col(columns.correct).is_not_null())
    return Graded(
        known[columns.confidence].to_numpy(),
        known[columns.correct].to_numpy(),
        None if columns.cluster is None else known[columns.cluster].cast(pl.String).to_list(),
        scale,
        missing=part.height - known.height,
        errors=errors,
    )


def _next(file: Path, log: Log, groups: Sequence[dict[str, Any]]) -> str:
    """The commands that fit what helps, a calibrator and the strictest promise that can be kept, and use them."""
    from doxa.logged import helpful

    usual = {"confidence": log.columns.confidence, "correct": log.columns.correct, "cluster": log.columns.cluster}
    given = [part for name, column in usual.items() if column and column != name for part in (f"--{name}", column)]
    given += ["--scale", "percent"] if log.percent else []
    given += ["--scale", "real"] if log.scale and log.scale.value == "real" else []
    best = helpful(groups[0]) if len(groups) == 1 else None
    kept = [one["risk"] for one in groups[0]["promises"] if one["threshold"] is not None] if len(groups) == 1 else []
    fit = ["doxa", "calibrate", str(file), *given, "--method", best or ("all" if len(groups) > 1 else "platt")]
    risk = 0.05 if 0.05 in kept else next(iter(kept), None)
    fit += [] if risk is None else ["--policy", f"selective_risk(risk={risk})"]
    return f"{shlex.join([*fit, '-o', 'cal.json'])}\ndoxa apply cal.json tomorrow.csv -o calibrated.csv"

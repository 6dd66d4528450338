"""`doxa watch`: has anything changed between yesterday's file and today's? Alarms that hold however often one looks."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import polars as pl

    from doxa.cli.layout import Line
    from doxa.metrics.maths.martingale import Evidence
    from doxa.types import Scale

ALARM = 10
"""Exit code of an alarm."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One test: what is compared, its mean before and now, and the evidence; or why it could not be made."""

    name: str
    before: float | None = None
    now: float | None = None
    evidence: Evidence | None = None
    reason: str = ""


def watch(
    old: Annotated[Path, typer.Argument(help="what all was well with: CSV, JSONL, Parquet, or a run")],
    new: Annotated[Path, typer.Argument(help="what came since, in the order in which it came")],
    confidence: Annotated[str | None, typer.Option(metavar="COL", help="column of the confidence")] = None,
    correct: Annotated[str | None, typer.Option(metavar="COL", help="column of the outcomes, where there are")] = None,
    probability: Annotated[
        str, typer.Option(metavar="COL", help="column of calibrated probabilities, as doxa apply adds it")
    ] = "probability",
    labels: Annotated[
        Path | None, typer.Option(metavar="FILE", help="outcomes of NEW that came later, in the order they came")
    ] = None,
    item: Annotated[
        str | None, typer.Option("--id", metavar="COL", help="column that names the answer in NEW and --labels")
    ] = None,
    where: Annotated[list[str] | None, typer.Option(metavar="COL=VALUE", help="only these rows; repeatable")] = None,
    estimator: Annotated[str | None, typer.Option(help="of runs: the estimator")] = None,
    scale: Annotated[str, typer.Option(help="unit: confidences in [0, 1]; real: any number")] = "unit",
    level: Annotated[float, typer.Option(help="probability that there is ever a false alarm")] = 0.01,
    seed: Annotated[int, typer.Option(min=0, help="of the order of equal confidences")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="only JSON on stdout")] = False,
) -> None:
    """Raise an alarm when answers are no longer like before.

    Tests whether confidences are drawn as before, which needs no outcomes; whether errors are, where both files have
    outcomes; and whether calibrated probabilities come true. Leaves with 10 when the alarm is raised.
    """
    from doxa.cli.layout import show
    from doxa.cli.score import chosen
    from doxa.policies.maths.bounds import check_levels

    check_levels(level=level)
    conditions = [*(where or ()), *([f"estimator={estimator}"] if estimator else [])]
    unit = chosen("real" if old.is_dir() else scale)
    before = _read(old, conditions, confidence, correct, probability, unit, None)
    now = _read(new, conditions, confidence, None if labels else correct, probability, unit, item)
    if labels is not None:
        now = _labelled(now, labels, item, correct)
    tests = _tests(before, now, unit, level, seed)
    alarm = any(test.evidence is not None and test.evidence.raised is not None for test in tests)
    if as_json:
        content = {"schema": "doxa.watch/1", "level": level, "alarm": alarm, "tests": [asdict(test) for test in tests]}
        sys.stdout.write(json.dumps(content, ensure_ascii=False) + "\n")
    else:
        show(_lines(tests, level))
    if alarm:
        raise typer.Exit(ALARM)


# -- reading -----------------------------------------------------------------------------------------------------------


def _read(
    path: Path,
    conditions: Sequence[str],
    confidence: str | None,
    correct: str | None,
    probability: str,
    scale: Scale,
    item: str | None,
) -> pl.DataFrame:
    """The columns confidence, correct, probability (those there are not are empty) and id, in the order of rows."""
    import polars as pl

    from doxa.errors import UsageError
    from doxa.scoring import existing, numbers_of, read_table, usual, where
    from doxa.types import Scale

    table = where(read_table(path), conditions)
    if path.is_dir() and table["estimator"].n_unique() > 1:
        raise UsageError(f"{path} has several estimators", hint="name one with --estimator")

    def named(role: str, given: str | None) -> str | None:
        return existing(table, given) if given else usual(table, role)

    told = named("confidence", confidence)
    if told is None:
        raise UsageError(f"{path} has no column of confidences", hint="name it with --confidence")
    outcome = named("correct", correct)
    told_as = {"confidence": numbers_of(table, told, scale, str(path))}
    if probability in table.columns and not path.is_dir():
        told_as["probability"] = numbers_of(table, probability, Scale.UNIT, str(path))
    return pl.DataFrame(
        {
            "confidence": told_as["confidence"],
            "correct": pl.Series([None] * table.height, dtype=pl.Boolean)
            if outcome is None
            else _truth(table, outcome),
            "probability": told_as.get("probability", pl.Series([None] * table.height, dtype=pl.Float64)),
            "id": table[existing(table, item)].cast(pl.String) if item else pl.Series([""] * table.height),
        }
    )


def _truth(table: pl.DataFrame, column: str) -> pl.Series:
    """Outcomes; whatever is neither true nor false has none yet."""
    import polars as pl

    from doxa.scoring import truth

    text = pl.col(column).cast(pl.String, strict=False).str.strip_chars().str.to_lowercase()
    return table.select(truth(text)).to_series()


def _labelled(now: pl.DataFrame, labels: Path, item: str | None, correct: str | None) -> pl.DataFrame:
    """NEW with the outcomes of a file of later labels; those that have one come last, in the order of the labels."""
    import polars as pl

    from doxa.errors import UsageError
    from doxa.scoring import existing, read_table, usual

    if item is None:
        raise UsageError("which label belongs to which answer?", hint="name the column of both files with --id")
    table = read_table(labels)
    column = correct or usual(table, "correct") or "correct"
    late = pl.DataFrame(
        {"id": table[existing(table, item)].cast(pl.String), "late": _truth(table, existing(table, column))}
    )
    for name, ids in (("NEW", now["id"]), (str(labels), late["id"])):
        if ids.is_duplicated().any():
            raise UsageError(f"{name} has several rows of one {item}", hint="one row per answer, and one label")
    strange = late.join(now, on="id", how="anti").height
    if strange:
        sys.stderr.write(f"{strange:,} of {late.height:,} labels are of no answer in NEW\n")
    late = late.with_row_index("arrival")
    return now.join(late, on="id", how="left", maintain_order="left").with_columns(correct=pl.col("late"))


# -- testing -----------------------------------------------------------------------------------------------------------


def _tests(before: pl.DataFrame, now: pl.DataFrame, scale: Scale, level: float, seed: int) -> list[Finding]:
    """All three tests; those that can be made share the level evenly, so that all of them together keep it."""
    from doxa.metrics.maths.martingale import Drift, Invalidity
    from doxa.types import Scale

    known, sure = before.drop_nulls("confidence"), now.drop_nulls("confidence")
    was, came = known.drop_nulls("correct"), _arrived(sure)
    told = _arrived(now.drop_nulls("probability"))
    able = {"confidences": bool(known.height and sure.height), "errors": bool(was.height and came.height)}
    able["probabilities"] = bool(told.height)
    share = level / max(1, sum(able.values()))

    def gap(table: pl.DataFrame) -> pl.Series:
        # Of scores that are no probabilities, the outcome alone says something about errors.
        return table["correct"].cast(float) - (table["confidence"] if scale is Scale.UNIT else 0)

    def drift(old: pl.Series, new: pl.Series) -> Evidence:
        return Drift(old.to_numpy(), level=share, seed=seed).update(new.to_numpy())

    makers: dict[str, Callable[[], Finding]] = {
        "confidences": lambda: Finding(
            "confidences",
            _mean(known["confidence"]),
            _mean(sure["confidence"]),
            drift(known["confidence"], sure["confidence"]),
        ),
        "errors": lambda: Finding(
            "errors", 1 - _mean(was["correct"]), 1 - _mean(came["correct"]), drift(gap(was), gap(came))
        ),
        "probabilities": lambda: Finding(
            "probabilities",
            _mean(told["probability"]),
            _mean(told["correct"]),
            Invalidity(level=share).update(
                probability=told["probability"].to_numpy(), correct=told["correct"].to_numpy()
            ),
        ),
    }
    reasons = {
        "confidences": "one of the files has no confidence",
        "errors": "not both files have outcomes that are true or false, 1 or 0",
        "probabilities": "NEW has no probability with an outcome; doxa apply adds probabilities",
    }
    return [make() if able[name] else Finding(name, reason=reasons[name]) for name, make in makers.items()]


def _arrived(table: pl.DataFrame) -> pl.DataFrame:
    """Rows with an outcome, in the order in which the outcomes came."""
    rows = table.drop_nulls("correct")
    return rows.sort("arrival") if "arrival" in rows.columns else rows


def _mean(values: pl.Series) -> float:
    return float(values.cast(float).mean())  # type: ignore[arg-type]


# -- what is shown -----------------------------------------------------------------------------------------------------


def _lines(tests: Sequence[Finding], level: float) -> list[Line]:
    """A line per test; below, what was not tested and what the alarm means."""
    lines: list[Line] = [(f"{'':<15}{'before':>9}{'now':>9}{'answers':>10}{'evidence':>11}{'alarm at':>10}", "bold")]
    for test in tests:
        if test.evidence is None:
            continue
        found = test.evidence
        end = "no alarm" if found.raised is None else f"ALARM ({found.raised:,})"
        values = f"{test.before:>9.3f}{test.now:>9.3f}{found.seen:>10,}{_odds(found.peak):>11}{_odds(found.needed):>10}"
        lines.append((f"{test.name:<15}{values}  {end}", "" if found.raised is None else "bold red"))
    notes = [f"{test.name} not tested: {test.reason}" for test in tests if test.evidence is None]
    notes.append(
        f"Evidence is the most that a bet of 1 had grown to. That it ever reaches the alarm although nothing has "
        f"changed has a probability of at most {level:g}, for all tests together. In brackets: after how many answers."
    )
    if tests[-1].evidence is not None:
        notes.append("Of probabilities, before is their mean and now the share that came true.")
    return lines + [(line, "dim") for note in notes for line in textwrap.wrap(note, 80, subsequent_indent="  ")]


def _odds(power: float) -> str:
    """Ten to a power, short."""
    return f"{10**power:,.4g}" if power < 6 else f"1e{power:.0f}"

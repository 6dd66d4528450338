"""`doxa apply`: adds calibrated probabilities, and decisions, to a file."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import polars as pl

    from doxa.cli.evidence import Evidence

PROBABILITY, LOW, HIGH = "probability", "probability_low", "probability_high"
ACT, REASON, ASK = "act", "reason", "ask"


def apply(
    calibrator: Annotated[Path, typer.Argument(help="what doxa calibrate or doxa cascade wrote")],
    file: Annotated[Path, typer.Argument(help="CSV, JSONL (both also .gz), Parquet, or the directory of a run")],
    out: Annotated[Path, typer.Option("-o", "--out", help="a .csv, .jsonl or .parquet file")],
    confidence: Annotated[
        list[str] | None, typer.Option(metavar="COL", help="column of the confidence [as fitted]; repeatable")
    ] = None,
    by: Annotated[
        list[str] | None, typer.Option(metavar="COL", help="column of the groups [as fitted]; repeatable")
    ] = None,
    correct: Annotated[
        str | None, typer.Option(metavar="COL", help="column that says whether it was right [as fitted, if there]")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="only JSON on stdout")] = False,
) -> None:
    """Add calibrated probabilities and decisions to a file.

    They are the columns `probability` and, with a policy, `act`; where the confidence is missing the probability stays
    empty. From calibrators that give one there is an interval, too. By the policy of a cascade answers of its first
    model are kept or not, and the column `ask` names the model to ask next.
    """
    from doxa.cli.outputs import check_output
    from doxa.cli.tables import write_table
    from doxa.scoring import LINE

    check_output(out, calibrator, file)
    content = read_json(calibrator)
    fitted, policy = parts_of(content, calibrator)
    evidence = opened(content, file, tuple(confidence or ()), tuple(by or ()), correct)
    added = [] if fitted is None else probabilities(fitted, evidence)
    summary: dict[str, Any] = {"out": str(out), "rows": evidence.table.height}
    summary["missing"] = evidence.table.height - int(evidence.given().sum())
    if policy is not None:
        acts = decisions(policy, evidence, added[0] if added else None)
        added += acts
        summary |= outcome(acts[0], evidence)
    refuse_taken(evidence.source, [column.name for column in added], file)
    write_table(evidence.source.drop(LINE).with_columns(added), out)
    sys.stdout.write((json.dumps(summary, ensure_ascii=False) if as_json else told(summary)) + "\n")


def parts_of(content: dict[str, Any], path: Path) -> tuple[Any, Any]:
    """The calibrator and the policy of a file, one of which may be missing.

    Raises `UsageError` for a policy that confidences in a column do not decide.
    """
    from doxa.errors import UsageError
    from doxa.state import revive, room_of

    member = revive(content)
    if room_of(content) == "calibrators":
        return member, revive(content["policy"]) if "policy" in content else None
    if "columns" not in content:
        raise UsageError(
            f"{path} is the policy {content['method']}, which one confidence per answer does not decide",
            hint=f"{getattr(member, 'learnt_by', 'doxa sets')} wrote it; in Python, doxa.policies."
            f"{type(member).__name__}.from_json reads it and decides on a case",
        )
    return None, member


def opened(
    content: dict[str, Any], file: Path, confidence: tuple[str, ...], by: tuple[str, ...], correct: str | None
) -> Evidence:
    """The file or the run, read as the calibrator was fitted, but for columns that have other names now."""
    from doxa.cli.evidence import Names, open_evidence
    from doxa.cli.score import scales_named
    from doxa.errors import UsageError

    if file.is_dir() and not content.get("estimators"):
        raise UsageError(
            f"{file} is a run, and it is not known for which of its estimators this is",
            hint="name it where the policy or calibrator is made: doxa calibrate RUN --estimator NAME -o cal.json",
        )
    columns = content.get("columns", {})
    for option, given, wanted in (("confidence", confidence, "confidence"), ("by", by, "by")):
        if given and len(given) != len(columns.get(wanted, given)):
            raise UsageError(
                f"--{option} names {len(given)} columns, and it was fitted on {len(columns[wanted])}",
                hint=f"in fitting these were: {', '.join(columns[wanted]) or 'none'}",
            )
    scales, percent = scales_named(content.get("scales", ["unit"]))
    names = Names(
        confidence or tuple(columns.get("confidence", ())),
        correct,
        None,
        by or tuple(columns.get("by", ())),
        scales,
        tuple(content.get("estimators", ())),
        percent,
    )
    return open_evidence(file, names, graded=False, usual=columns.get("correct"))


def probabilities(fitted: Any, evidence: Evidence) -> list[pl.Series]:
    """The columns that a calibrator adds; they are empty where no confidence is given."""
    import polars as pl

    given = evidence.given()
    rows = evidence.only(given)
    found = {PROBABILITY: fitted.predict(confidence=rows.confidence(), **rows.groups())} if given.any() else {}
    if given.any() and hasattr(fitted, "interval"):
        found[LOW], found[HIGH] = fitted.interval(confidence=rows.confidence())
    empty = pl.Series([None] * evidence.table.height, dtype=pl.Float64)
    names = [PROBABILITY, *([LOW, HIGH] if hasattr(fitted, "interval") else [])]
    return [
        (empty.scatter(given.arg_true(), rounded(found[name])) if given.any() else empty.clone()).alias(name)
        for name in names
    ]


def rounded(probabilities: Any) -> list[float]:
    """Six significant digits, but never a 0 or a 1 that was none."""
    short = ((each, float(f"{each:.6g}")) for each in map(float, probabilities))
    return [each if brief in (0, 1) else brief for each, brief in short]


def decisions(policy: Any, evidence: Evidence, probability: pl.Series | None) -> list[pl.Series]:
    """What the policy would do with each answer, and why; of a policy alone, also which model is asked next."""
    import polars as pl

    from doxa.cli.fitting import decide

    confidence = evidence.table[evidence.names.confidence[0]].to_list()
    found = decide(policy, confidence, [None] * len(confidence) if probability is None else probability.to_list())
    told: dict[str, list[Any]] = {ACT: [d.act for d in found], REASON: [d.reason for d in found]}
    if probability is None:
        told[ASK] = [d.payload if d.act == "escalate" else None for d in found]
    return [pl.Series(name, cells, pl.String) for name, cells in told.items()]


def outcome(act: pl.Series, evidence: Evidence) -> dict[str, Any]:
    """How often it does what, and how many of the graded answers it gives are wrong."""
    counts = {"acts": dict(Counter(act.to_list()).most_common())}
    if evidence.names.correct is None:
        return counts
    judged = evidence.table[evidence.names.correct].filter(act == "answer").drop_nulls()
    return {**counts, "answered_graded": judged.len(), "answered_wrong": judged.len() - int(judged.sum())}


def told(summary: dict[str, Any]) -> str:
    """The summary in words."""
    from doxa.cli.fitting import counted

    lines = [f"{summary['out']}: {summary['rows']:,} rows, {summary['missing']:,} without a confidence"]
    if "acts" in summary:
        lines.append(counted(Counter(summary["acts"])))
    if summary.get("answered_graded"):
        n, wrong = summary["answered_graded"], summary["answered_wrong"]
        lines.append(f"of the {n:,} answered that are graded {wrong:,} are wrong ({wrong / n:.1%})")
    return "\n".join(lines)


def refuse_taken(table: pl.DataFrame, names: list[str], file: Path) -> None:
    """Raise `UsageError` where a column of that name is there already."""
    from doxa.errors import UsageError

    for name in names:
        if name in table.columns:
            raise UsageError(f"{file} already has a column {name!r}", hint="rename it first; nothing is overwritten")


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file. Raises `DataError`."""
    from doxa.errors import DataError

    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"there is no file {path}", hint="doxa calibrate FILE --out cal.json writes one") from None
    except (OSError, ValueError) as error:
        raise DataError(f"{path} is not JSON: {error}", hint="doxa calibrate FILE --out cal.json writes one") from None
    if not isinstance(content, dict):
        raise DataError(f"{path} is not a calibrator", hint="doxa calibrate FILE --out cal.json writes one")
    return content

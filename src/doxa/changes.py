"""What the methods' own answers change: answers that become right or wrong, and how sure the model is before and after.

From the items of a run to the section `changes` of its measurements. A method whose number is about its own answer
(think again, vote, reason first) is held against the reply on the same questions.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

PERSISTENCE = "persistence"
_CELLS = ("right_right", "right_wrong", "wrong_right", "wrong_wrong")


def changes(items: pl.DataFrame, *, seed: int = 0) -> dict[str, list[dict[str, Any]]]:
    """Three tables with a row for each estimator that has one.

    `answers`: verdict on the reply against the verdict on the method's own answer. `shifts`: mean of `after` minus
    `before` where the details of a number hold both, for right and for wrong answers. `kept`: accuracy of the replies
    that were kept and of those that were not, where a method asks for another try.
    """
    parts = {part["estimator"][0]: part for part in items.partition_by("estimator", maintain_order=True)}
    kept = {name: part for name, part in parts.items() if name.partition("(")[0] == PERSISTENCE}
    answers = [_answers(name, part, seed) for name, part in parts.items() if (part["about"] == "own").any()]
    shifts = [row for name, part in parts.items() if (row := _shift(name, part, seed))]
    return {
        "answers": sorted(answers, key=_gain),
        "shifts": shifts,
        "kept": [_kept(name, part, seed) for name, part in kept.items()],
    }


def _gain(row: dict[str, Any]) -> tuple[float, str]:
    """The greatest gain first; what has none comes last."""
    measured = row["difference"]
    return -measured["value"] if measured else 2.0, row["name"]


def _counts(part: pl.DataFrame, usable: pl.DataFrame, failed: pl.Series) -> dict[str, int]:
    """All rows of a part: n, missing and errors add up to them."""
    errors = int(failed.sum())
    return {"n": usable.height, "missing": part.height - errors - usable.height, "errors": errors}


def _answers(name: str, part: pl.DataFrame, seed: int) -> dict[str, Any]:
    """Reply against own answer, on the questions where both could be graded."""
    from doxa.metrics.maths.verdicts import compare_verdicts

    failed = (part["error"] != "") | part["finish"].str.starts_with("failed")
    both = (part["about"] == "own") & part["correct"].is_not_null() & part["reply_correct"].is_not_null()
    usable = part.filter(both & ~failed)
    counts = _counts(part, usable, failed)
    measured = ("reply", "own", "difference", "mcnemar", "kappa")
    if not usable.height:
        return {"name": name, **counts, **dict.fromkeys((*_CELLS, *measured))}
    found = compare_verdicts(
        usable["reply_correct"].to_list(),
        usable["correct"].to_list(),
        cluster=usable["cluster"].to_list(),
        missing=counts["missing"],
        errors=counts["errors"],
        seed=seed,
    )
    values = (found.first, found.second, found.difference, found.mcnemar, found.kappa)
    cells = {cell: getattr(found, cell) for cell in _CELLS}
    return {"name": name, **counts, **cells} | {m: asdict(v) for m, v in zip(measured, values, strict=True)}


def _shift(name: str, part: pl.DataFrame, seed: int) -> dict[str, Any] | None:
    """How much surer the model is afterwards, apart for right and wrong answers; `None` without both numbers."""
    import polars as pl

    from doxa.metrics.maths.verdicts import mean_shift

    details = [json.loads(text) if text else {} for text in part["details"]]
    if not any({"before", "after"} <= set(each) for each in details):
        return None
    pairs = ((each.get("before"), each.get("after")) for each in details)
    shift = [None if before is None or after is None else after - before for before, after in pairs]
    rows = part.with_columns(shift=pl.Series(shift, dtype=pl.Float64))
    usable = rows.filter(pl.col("shift").is_not_null() & pl.col("correct").is_not_null())
    sides = {"right": usable.filter(pl.col("correct")), "wrong": usable.filter(~pl.col("correct"))}
    measured = {
        side: asdict(mean_shift(chosen["shift"].to_list(), cluster=chosen["cluster"].to_list(), seed=seed))
        for side, chosen in sides.items()
    }
    return {"name": name, **_counts(part, usable, part["error"] != ""), **measured}


def _kept(name: str, part: pl.DataFrame, seed: int) -> dict[str, Any]:
    """How often a reply that was kept is right, and one that was changed."""
    import polars as pl

    from doxa.metrics import measure

    failed = part["error"] != ""
    usable = part.filter(~failed & part["confidence"].is_not_null() & part["reply_correct"].is_not_null())
    row: dict[str, Any] = {"name": name, **_counts(part, usable, failed)}
    for side, value in (("kept", 1.0), ("changed", 0.0)):
        chosen = usable.filter(pl.col("confidence") == value)
        (found,) = measure(
            confidence=chosen["confidence"].to_list(),
            correct=chosen["reply_correct"].to_list(),
            cluster=chosen["cluster"].to_list(),
            metrics=["accuracy"],
            seed=seed,
        )
        row[side] = asdict(found)
    return row

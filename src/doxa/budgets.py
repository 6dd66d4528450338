"""What thinking buys, and whether it was needed: the section `thinking` of a run's measurements.

From the items of a run. `final_answer` at several budgets shows how many questions are answered above a threshold of
confidence, how many of those rightly, and what that is worth; `early_answering` shows how often an answer changes when
its reasoning is cut, with one chain and with the vote of several.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

    from doxa.types import Measurement

    Row = dict[str, Any]

THRESHOLDS = (0.0, 0.5, 0.95)
"""Confidences from which a question is answered: always, if as likely right as not, if nearly sure."""
RISKS = (0, 1, 20)
"""What a wrong answer costs where a right one gains 1: in an exam, in a quiz, where stakes are high."""


def thinking(items: pl.DataFrame, *, seed: int = 0) -> dict[str, list[Row]]:
    """Three tables, each with a row for whatever the run has of it.

    `budgets`: every `final_answer` at every threshold; a question without a confidence is not answered. `early`: every
    `early_answering`. `between`: the one with the fewest chains against each other one, on the same questions.
    """
    asked = items.filter(items["estimator"].str.contains(r"^(final_answer|early_answering)(\(|$)"))
    parts = {part["estimator"][0]: _rows(part) for part in asked.partition_by("estimator", maintain_order=True)}
    budgets, early = _by_size(parts, "final_answer", "budget"), _by_size(parts, "early_answering", "chains")
    return {
        "budgets": [_budget(name, rows, threshold, seed) for name, rows in budgets for threshold in THRESHOLDS],
        "early": [_early(name, rows, seed) for name, rows in early],
        "between": [_between(early[0], other, seed) for other in early[1:]],
    }


def _rows(part: pl.DataFrame) -> list[Row]:
    """The rows of one estimator with their details."""
    return [row | {"details": json.loads(row["details"] or "{}")} for row in part.iter_rows(named=True)]


def _by_size(parts: Mapping[str, list[Row]], member: str, key: str) -> list[tuple[str, list[Row]]]:
    """The estimators of one kind, by label, in the order of a knob that their details tell."""
    found = [(name, rows) for name, rows in parts.items() if name.partition("(")[0] == member]
    return sorted(found, key=lambda each: _size(each[1], key) or 0)


def _size(rows: Sequence[Row], key: str) -> int | None:
    """A knob from the details of any row that has some."""
    return next((int(row["details"][key]) for row in rows if key in row["details"]), None)


def _counts(rows: Sequence[Row], usable: Sequence[Row]) -> dict[str, int]:
    """All rows: n, missing and errors add up to them."""
    errors = sum(row["error"] != "" for row in rows)
    return {"n": len(usable), "missing": len(rows) - errors - len(usable), "errors": errors}


def _share(name: str, outcomes: Sequence[bool], rows: Sequence[Row], seed: int) -> Measurement:
    """A share of the rows, with the interval of a share."""
    from doxa.metrics import measure

    cluster = [row["cluster"] for row in rows]
    (found,) = measure(
        confidence=[1.0] * len(rows), correct=list(outcomes), cluster=cluster, metrics=["accuracy"], seed=seed
    )
    return replace(found, name=name)


def _mean(name: str, values: Sequence[float], rows: Sequence[Row], seed: int, better: str = "high") -> Measurement:
    """A mean over the rows, with the interval of the cluster bootstrap."""
    from doxa.metrics.maths.verdicts import mean_shift

    found = mean_shift(values, cluster=[row["cluster"] for row in rows], seed=seed)
    return replace(found, name=name, better=better)


# -- budgets -----------------------------------------------------------------------------------------------------------


def _budget(name: str, rows: list[Row], threshold: float, seed: int) -> Row:
    """What answering from a threshold on is worth at one budget. Where nothing is answered, accuracy is 0."""
    from doxa.metrics.maths.utility import worth

    given = [row for row in rows if row["error"] == ""]
    usable = [row for row in given if row["confidence"] is None or row["correct"] is not None]
    answered = [row["confidence"] is not None and row["confidence"] >= threshold for row in usable]
    correct = [bool(row["correct"]) for row in usable]
    chosen = [row for row, each in zip(usable, answered, strict=True) if each]
    accuracy = _share("accuracy", [row["correct"] for row in chosen], chosen, seed)
    if not chosen:
        accuracy = replace(accuracy, value=0.0, reason="nothing is answered, which counts as an accuracy of 0")
    utilities = {
        f"utility_{risk}": _mean(
            f"utility_{risk}", worth(answered=answered, correct=correct, risk=risk).tolist(), usable, seed
        )
        for risk in RISKS
    }
    measured = {"answered": _share("answered", answered, usable, seed), "accuracy": accuracy, **utilities}
    row = {"name": name, "budget": _size(rows, "budget"), "threshold": threshold, **_counts(rows, usable)}
    return row | {key: asdict(m) for key, m in measured.items()}


# -- early answers -----------------------------------------------------------------------------------------------------


def _early(name: str, rows: list[Row], seed: int) -> Row:
    """How often answers change when their reasoning is cut, and how often the answer is right to begin with.

    `needed` is the mean share of changed early answers, `unaided` the share of questions whose answer is the same
    without any reasoning, `unreadable` the number of early answers that count as neither.
    """
    usable = [row for row in rows if row["details"].get("necessity") is not None]
    graded = [row for row in rows if _graded(row)]
    unaided = [row for row in usable if row["details"].get("kept_0") is not None]
    measured = {
        "accuracy": _share("accuracy", [row["correct"] for row in graded], graded, seed),
        "needed": _mean("needed", [row["details"]["necessity"] for row in usable], usable, seed),
        "unaided": _mean("unaided", [row["details"]["kept_0"] for row in unaided], unaided, seed, "zero"),
    }
    unreadable = sum(int(row["details"].get("unreadable", 0)) for row in rows)
    row = {"name": name, "chains": _size(rows, "chains"), "unreadable": unreadable, **_counts(rows, usable)}
    return row | {key: asdict(m) for key, m in measured.items()}


def _graded(row: Row) -> bool:
    """Whether a row has a verdict on an answer of the method's own."""
    return row["error"] == "" and row["about"] == "own" and row["correct"] is not None


def _between(few: tuple[str, list[Row]], many: tuple[str, list[Row]], seed: int) -> Row:
    """Few chains against more: does the vote make answers right more often, and their reasoning more needed?

    Questions are easy where few chains were right and hard where they were not: `broken` is the share of easy ones that
    the vote gets wrong, `solved` that of hard ones it gets right. `effect` is Cohen's d of the share of changed early
    answers.
    """
    from doxa.metrics.maths.effect import cohens_d
    from doxa.metrics.maths.verdicts import compare_verdicts

    others = {row["question"]: row for row in many[1]}
    pairs = [(row, others[row["question"]]) for row in few[1] if row["question"] in others]
    graded = [(one, other) for one, other in pairs if _graded(one) and _graded(other)]
    easy, hard = ([pair for pair in graded if pair[0]["correct"] is side] for side in (True, False))
    needed = [(one, other) for one, other in pairs if None not in (_needed(one), _needed(other))]
    effect = cohens_d(
        [one["details"]["necessity"] for one, _ in needed],
        [other["details"]["necessity"] for _, other in needed],
        cluster=[one["cluster"] for one, _ in needed],
        seed=seed,
    )
    measured: dict[str, Measurement | None] = {
        "broken": _share("broken", [not other["correct"] for _, other in easy], [one for one, _ in easy], seed),
        "solved": _share("solved", [other["correct"] for _, other in hard], [one for one, _ in hard], seed),
        "effect": effect,
        "difference": None,
        "mcnemar": None,
    }
    if graded:
        cluster = [one["cluster"] for one, _ in graded]
        sides = ([pair[i]["correct"] for pair in graded] for i in (0, 1))
        found = compare_verdicts(*sides, cluster=cluster, seed=seed)
        measured |= {"difference": found.difference, "mcnemar": found.mcnemar}
    failed = [one | {"error": one["error"] or other["error"]} for one, other in pairs]
    row = {"name": many[0], "against": few[0], **_counts(failed, [one for one, _ in graded])}
    return row | {key: None if m is None else asdict(m) for key, m in measured.items()}


def _needed(row: Row) -> float | None:
    needed: float | None = row["details"].get("necessity")
    return needed

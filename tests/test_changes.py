"""From items to the tables of changes: which rows count where, and what is said where there is nothing to count."""

from __future__ import annotations

from typing import Any

import pytest

from doxa.changes import changes
from doxa.items import frame as table_of
from doxa.metrics.maths.intervals import wilson
from doxa.types import Confidence, Failure, Outcome, Question, Record, Reply, Usage, Verdict

N = 24


def story(number: int, confidence: Confidence, reply: bool | None, own: bool | None, error: str = "") -> Record:
    came: Outcome = Failure("timeout", "too late") if error == "reply" else Reply("so")
    return Record(
        Question(f"q{number:02}", "What?", ("so",)),
        came,
        Verdict(None if error == "reply" else reply),
        {"m": confidence},
        {"m": Verdict(own)} if confidence.answer is not None else {},
        usage={"m": Usage(1, 1, 1)},
        errors={"m": error} if error == "m" else {},
    )


def own(value: float | None = 0.5, **details: float | None) -> Confidence:
    return Confidence(value, answer="so", reason="" if value is not None else "none", details=details)


def section(records: list[Record], name: str = "m") -> dict[str, list[dict[str, Any]]]:
    frame = table_of(records)
    return changes(frame.with_columns(estimator=frame["estimator"].replace("m", name)))


def test_own_answers_are_held_against_the_replies_and_all_rows_are_counted() -> None:
    cells = [(True, True)] * 7 + [(True, False)] * 2 + [(False, True)] * 5 + [(False, False)] * 4
    records = [story(i, own(), *cell) for i, cell in enumerate(cells)]
    records += [story(18, own(), None, True), story(19, own(), True, None)]
    records += [story(20, Confidence(None, reason="no answer of its own"), True, None)]
    records += [story(21, own(None), True, True), story(22, own(), True, True, "reply")]
    records += [story(23, Confidence(None, reason="failed"), True, None, "m")]
    (row,) = section(records)["answers"]
    assert [row[cell] for cell in ("right_right", "right_wrong", "wrong_right", "wrong_wrong")] == [8, 2, 5, 4]
    assert (row["n"], row["missing"], row["errors"]) == (19, 3, 2) and sum((19, 3, 2)) == N
    assert row["reply"]["value"] == pytest.approx(10 / 19) and row["own"]["value"] == pytest.approx(13 / 19)
    assert row["difference"]["value"] == pytest.approx(3 / 19)
    assert row["mcnemar"]["value"] == pytest.approx(2 * (1 + 7 + 21) / 2**7)


def test_an_answer_counts_even_without_a_number() -> None:
    (row,) = section([story(0, own(None), True, False), story(1, own(), False, True)])["answers"]
    assert (row["n"], row["right_wrong"], row["wrong_right"]) == (2, 1, 1)


def test_nothing_to_compare_is_none_and_not_zero() -> None:
    (row,) = section([story(0, own(), None, True)])["answers"]
    assert row["right_right"] is None and row["difference"] is None and (row["n"], row["missing"]) == (0, 1)


def test_numbers_about_the_reply_have_no_table_of_answers() -> None:
    records = [story(i, Confidence(0.5), bool(i % 2), None) for i in range(4)]
    assert section(records) == {"answers": [], "shifts": [], "kept": []}


def test_the_greatest_gain_comes_first() -> None:
    parts = []
    for name, right in (("worse", False), ("none", None), ("better", True)):
        frame = table_of([story(i, own(), i < 2, right) for i in range(4)])
        parts.append(frame.with_columns(estimator=frame["estimator"].replace("m", name)))
    import polars as pl

    assert [row["name"] for row in changes(pl.concat(parts))["answers"]] == ["better", "worse", "none"]


@pytest.mark.parametrize("whose", ["reply", "own"])
def test_shifts_are_told_apart_by_whether_the_answer_is_right(whose: str) -> None:
    def number(before: float | None, after: float | None) -> Confidence:
        return Confidence(after, reason="", answer="so" if whose == "own" else None, details=told(before, after))

    def told(before: float | None, after: float | None) -> dict[str, float | None]:
        return {"before": before, "after": after}

    given = [(0.4, 0.6, True), (0.5, 0.5, True), (0.9, 0.4, False), (0.5, 0.6, None), (None, 0.4, True)]
    records = [story(i, number(b, a), right, right) for i, (b, a, right) in enumerate(given)]
    (row,) = section(records)["shifts"]
    assert (row["n"], row["missing"], row["errors"]) == (3, 2, 0)
    assert row["right"]["value"] == pytest.approx(0.1) and row["right"]["n"] == 2
    assert row["wrong"]["value"] == pytest.approx(-0.5) and row["wrong"]["low"] is None


@pytest.mark.parametrize("label", ["persistence", "persistence(style=neutral)"])
def test_kept_and_changed_replies_have_accuracies_of_their_own(label: str) -> None:
    given = [(1.0, True)] * 6 + [(1.0, False)] * 2 + [(0.0, True)] * 1 + [(0.0, False)] * 4
    given_none = [story(13, Confidence(None, reason="neither"), True, None), story(14, Confidence(1.0), None, None)]
    records = [story(i, Confidence(value), right, None) for i, (value, right) in enumerate(given)] + given_none
    (row,) = section(records, label)["kept"]
    assert (row["name"], row["n"], row["missing"], row["errors"]) == (label, 13, 2, 0)
    for side, right, n in (("kept", 6, 8), ("changed", 1, 5)):
        assert (row[side]["value"], row[side]["n"]) == (pytest.approx(right / n), n)
        assert (row[side]["low"], row[side]["high"]) == pytest.approx(wilson(right, n))


def test_no_reply_was_changed() -> None:
    (row,) = section([story(0, Confidence(1.0), True, None)], "persistence")["kept"]
    assert row["changed"]["value"] is None and row["changed"]["n"] == 0 and row["changed"]["reason"]

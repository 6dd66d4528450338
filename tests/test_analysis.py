"""From items to measurements: what is counted where, and that nothing is measured on what it was fitted on."""

from __future__ import annotations

import polars as pl
import pytest

from doxa import analysis
from doxa.items import frame as table_of
from doxa.types import Confidence, Failure, Outcome, Question, Record, Reply, Usage, Verdict

N = 60


def record(number: int) -> Record:
    """Of 60 questions 5 fail, 7 cannot be graded, 11 further ones have no confidence; a third of the rest is wrong."""
    failed, ungraded, missing = number < 5, 5 <= number < 12, 12 <= number < 23
    reply: Outcome = Failure("timeout", "too late") if failed else Reply("so")
    confidence = Confidence(None, reason="no number") if failed or missing else Confidence(number / N)
    return Record(
        Question(f"q{number:02}", "What?", ("so",), cluster=f"c{number // 2}", tags={"half": "ab"[number % 2]}),
        reply,
        Verdict(None if failed or ungraded else number % 3 > 0),
        {"persistence": confidence},
        usage={"persistence": Usage(2, 3, None)},
        errors={"persistence": "timeout: too late"} if failed else {},
    )


def items() -> pl.DataFrame:
    return table_of([record(number) for number in range(N)])


def test_failed_ungraded_and_missing_are_counted_apart() -> None:
    found = analysis.analyse(analysis.cross_fitted(items()))
    right = sum(number % 3 > 0 for number in range(12, N))
    assert found["verdicts"] == {"right": right, "wrong": 48 - right, "ungraded": 7, "errors": 5}
    accuracy = found["accuracy"]
    assert (accuracy["n"], accuracy["missing"], accuracy["errors"]) == (48, 7, 5)
    assert accuracy["value"] == pytest.approx(right / 48)
    (entry,) = found["estimators"]
    auroc = entry["raw"]["auroc"]
    assert (auroc["n"], auroc["missing"], auroc["errors"]) == (37, 18, 5)
    assert (entry["n"], entry["missing"], entry["errors"]) == (37, 18, 5)
    assert entry["reasons"] == {"no number": 11, "the answer could not be graded": 7}
    assert entry["usage"] == {"calls": 2 * N, "tokens_in": 3 * N, "tokens_out": None}
    calibrated = entry["calibrated"]["brier_loss"]
    assert (calibrated["n"], calibrated["errors"]) == (37, 0)
    assert {group["value"]: group["n"] for group in found["groups"]} == {"a": 30, "b": 30}


def test_whose_confidence_is_set_against_the_share_right_is_said() -> None:
    found = analysis.analyse(analysis.cross_fitted(items()))
    (entry,) = found["estimators"]
    mean, off = (entry["raw"][key]["value"] for key in ("mean_confidence", "overconfidence"))
    assert found["sentences"][1].startswith(f"By {entry['name']} it is {100 * mean:.0f} % sure on average, ")
    assert f"{abs(100 * off):.0f} points {'more' if off > 0 else 'less'} than it is right" in found["sentences"][1]
    for group in found["groups"]:
        assert group["estimator"] == entry["name"] and group["overconfidence"]["value"] is not None
    real = analysis.analyse(analysis.cross_fitted(items().with_columns(scale=pl.lit("real"))))
    assert len(real["sentences"]) == 1 and {group["overconfidence"] for group in real["groups"]} == {None}
    assert all(group["auroc"]["n"] > 0 for group in real["groups"])


def test_no_probability_knows_the_outcomes_of_its_own_cluster() -> None:
    before = items()
    flipped = before.with_columns(
        pl.when(pl.col("cluster") == "c20").then(~pl.col("correct")).otherwise("correct").alias("correct")
    )
    one, other = (
        analysis.cross_fitted(rows).select("cluster", "probability").drop_nulls() for rows in (before, flipped)
    )
    own = pl.col("cluster") == "c20"
    assert one.filter(own).height == 2
    assert one.filter(own).equals(other.filter(own))
    assert not one.filter(~own).equals(other.filter(~own))


def test_the_examples_are_the_surest_wrong_and_the_least_sure_right() -> None:
    examples = analysis.analyse(analysis.cross_fitted(items()))["examples"]
    assert [row["question"] for row in examples["surest_wrong"]] == ["q57", "q54", "q51", "q48"]
    assert [row["question"] for row in examples["least_sure_right"]] == ["q23", "q25", "q26", "q28"]

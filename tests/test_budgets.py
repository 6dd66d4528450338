"""From items to what thinking buys: which questions count as answered, what that is worth, what a vote changes."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import pytest

from doxa.budgets import RISKS, THRESHOLDS, thinking
from doxa.items import frame
from doxa.metrics.maths.intervals import wilson
from doxa.metrics.maths.verdicts import tango
from doxa.types import Confidence, Question, Record, Reply, Usage, Verdict

Own = tuple[Confidence, bool | None]
NOTHING: Own = (Confidence(None, reason="the final answer cannot be read", details={"budget": 8.0}), None)


def story(number: int, own: Mapping[str, Own], cluster: str = "") -> Record:
    return Record(
        Question(f"q{number:03}", "What?", ("so",), cluster=cluster),
        Reply("so"),
        Verdict(True),
        {name: confidence for name, (confidence, _) in own.items()},
        {name: Verdict(correct) for name, (confidence, correct) in own.items() if confidence.answer is not None},
        usage=dict.fromkeys(own, Usage(1, 1, 1)),
        errors={name: "timeout" for name, (confidence, _) in own.items() if confidence.reason == "failed"},
    )


def final(value: float, correct: bool | None, budget: int = 8) -> Own:
    return Confidence(value, answer="so", details={"budget": float(budget), "thought": 3.0}), correct


def early(necessity: float | None, correct: bool | None, chains: int = 1, **details: float | None) -> Own:
    details = {"chains": float(chains), "necessity": necessity, "unreadable": 0.0, **details}
    value = None if necessity is None else 1 - necessity
    return Confidence(value, answer="so", reason="" if value is not None else "none", details=details), correct


def section(records: list[Record]) -> dict[str, list[dict[str, Any]]]:
    return thinking(frame(records))


def test_the_published_utilities_come_out_of_the_items_of_a_run() -> None:
    # Above one half 30 are right and 10 wrong; 20 are not answered, two of them without any confidence.
    given = [final(0.9, True)] * 30 + [final(0.7, False)] * 10 + [final(0.2, True)] * 18 + [NOTHING] * 2
    rows = section([story(i, {"final_answer(budget=8)": own}) for i, own in enumerate(given)])["budgets"]
    assert [row["threshold"] for row in rows] == list(THRESHOLDS)
    half = rows[1]
    assert (half["name"], half["budget"], half["n"], half["missing"]) == ("final_answer(budget=8)", 8, 60, 0)
    utilities = [half[f"utility_{risk}"]["value"] for risk in RISKS]
    assert utilities == pytest.approx([0.5, 0.333333, -2.833333], abs=5e-7)
    assert half["answered"]["value"] == pytest.approx(40 / 60) and half["accuracy"]["value"] == 0.75
    assert (half["accuracy"]["low"], half["accuracy"]["high"]) == pytest.approx(wilson(30, 40))
    assert half["utility_20"]["low"] < half["utility_20"]["value"] < half["utility_20"]["high"]
    assert rows[0]["answered"]["value"] == pytest.approx(58 / 60)


def test_where_nothing_is_answered_accuracy_and_utility_are_nothing() -> None:
    row = section([story(i, {"final_answer": final(0.9, i > 3)}) for i in range(8)])["budgets"][2]
    assert [row[key]["value"] for key in ("answered", "accuracy", *(f"utility_{risk}" for risk in RISKS))] == [0] * 5
    assert row["accuracy"]["low"] is None and row["accuracy"]["n"] == 0 and "counts as" in row["accuracy"]["reason"]


def test_failed_calls_and_ungraded_answers_are_counted_apart() -> None:
    failed: Own = (Confidence(None, reason="failed"), None)
    given = [final(0.9, True), final(0.9, None), failed, NOTHING]
    row = section([story(i, {"final_answer": own}) for i, own in enumerate(given)])["budgets"][0]
    assert (row["n"], row["missing"], row["errors"]) == (2, 1, 1) and row["answered"]["value"] == 0.5


def test_budgets_stand_in_their_order_and_other_estimators_have_none() -> None:
    own = {f"final_answer(budget={b})": final(0.6, True, b) for b in (128, 8)} | {"final_answers": final(0.5, True)}
    rows = section([story(0, own)])["budgets"]
    assert [row["budget"] for row in rows] == [8] * 3 + [128] * 3
    assert section([story(0, {"p_true": final(0.5, True)})]) == {"budgets": [], "early": [], "between": []}


def test_early_answers_are_summed_up_and_the_unreadable_counted() -> None:
    given = [
        early(0.25, True, kept_0=1.0),
        early(0.75, False, kept_0=0.0),
        early(1.0, True, kept_0=None, unreadable=3.0),
    ]
    given += [early(None, True, unreadable=4.0), early(0.0, None, kept_0=1.0)]
    (row,) = section([story(i, {"early_answering": own}) for i, own in enumerate(given)])["early"]
    assert (row["chains"], row["unreadable"]) == (1, 7)
    assert (row["n"], row["missing"], row["errors"]) == (4, 1, 0)
    assert row["needed"]["value"] == pytest.approx(0.5) and row["needed"]["n"] == 4
    assert row["unaided"]["value"] == pytest.approx(2 / 3) and row["unaided"]["n"] == 3
    assert row["accuracy"]["value"] == 0.75 and row["accuracy"]["n"] == 4


def test_a_vote_is_held_against_one_chain_on_easy_and_on_hard_questions() -> None:
    few = "early_answering(chains=1)"
    verdicts = [(True, True)] * 7 + [(True, False)] * 3 + [(False, True)] * 4 + [(False, False)] * 6
    needed = [(0.0, 0.5), (0.25, 0.5), (0.5, 1.0), (0.25, 0.0)] * 5
    records = [
        story(i, {few: early(a, one), "early_answering(chains=5)": early(b, other, 5)})
        for i, ((one, other), (a, b)) in enumerate(zip(verdicts, needed, strict=True))
    ]
    (row,) = section(records)["between"]
    assert (row["name"], row["against"]) == ("early_answering(chains=5)", few)
    assert (row["n"], row["missing"], row["errors"]) == (20, 0, 0)
    assert row["broken"]["value"] == pytest.approx(0.3) and row["broken"]["n"] == 10
    assert row["solved"]["value"] == pytest.approx(0.4) and row["solved"]["n"] == 10
    assert row["difference"]["value"] == pytest.approx(1 / 20)
    assert (row["difference"]["low"], row["difference"]["high"]) == pytest.approx(tango(4, 3, 20))
    assert row["mcnemar"]["value"] == pytest.approx(1.0)
    # Means .25 and .5; of 20 values each, five of every kind.
    spread = Fraction(5, 19) * (Fraction(1, 16) + 0 + Fraction(1, 16) + 0 + 0 + 0 + Fraction(1, 4) + Fraction(1, 4))
    assert row["effect"]["value"] == pytest.approx(0.25 / float(spread / 2) ** 0.5)


def test_without_a_verdict_on_both_there_is_no_comparison() -> None:
    own = {"early_answering(chains=1)": early(None, None), "early_answering(chains=5)": early(0.5, True, 5)}
    (row,) = section([story(0, own)])["between"]
    assert (row["n"], row["missing"], row["difference"], row["mcnemar"]) == (0, 1, None, None)
    assert row["broken"]["value"] is None and row["effect"]["reason"]

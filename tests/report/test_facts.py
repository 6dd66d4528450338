"""What all reports say alike."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from doxa.report import facts
from report import runs

Rows = list[tuple[float | None, int]]


def estimators(rows: Rows) -> list[dict[str, Any]]:
    return [
        {
            "name": str(i),
            "raw": {"auroc": {"value": value}},
            "usage": {"calls": calls},
            "n": 1,
            "missing": 0,
            "errors": 0,
        }
        for i, (value, calls) in enumerate(rows)
    ]


@given(st.lists(st.tuples(st.none() | st.sampled_from([0.5, 0.6, 0.7, 0.8]), st.integers(1, 5)), max_size=12))
def test_the_frontier_is_what_a_sweep_from_cheap_to_dear_keeps(rows: Rows) -> None:
    kept, best = set(), -1.0
    for cost in sorted({calls for _, calls in rows}):
        top = max((value for value, calls in rows if calls == cost and value is not None), default=-1.0)
        if top > best:
            best = top
            kept |= {str(i) for i, row in enumerate(rows) if row == (top, cost)}
    assert facts.frontier(estimators(rows)) == kept


def test_cost_on_the_frontier_is_per_question() -> None:
    many, few = estimators([(0.7, 100), (0.7, 90)])
    many |= {"n": 150, "missing": 5, "errors": 0}
    few |= {"n": 40, "missing": 0, "errors": 0}
    assert facts.frontier([many, few]) == {"0"}


def test_the_risk_line_speaks_of_the_belief_of_the_table_not_of_the_best_ranked() -> None:
    metrics = runs.metrics()
    metrics["agreement"]["corners"]["knows"]["estimator"] = "p_true_own_samples"
    row = next(r for r in metrics["estimators"] if r["name"] == "p_true_own_samples")
    row["selective"] = {"coverage": 0.75, "risk": 0.3, "upper": 0.41, "threshold": 0.2}
    expected = "Refusing the least sure 25 % by p_true_own_samples would leave 30 % errors (at most 41 %, 95 %)."
    assert facts.risk_line(metrics) == expected
    metrics["agreement"] = None
    metrics["estimators"].reverse()
    chosen = facts.refuser(metrics)
    assert chosen and chosen["name"] == "self_consistency"


def test_the_risk_line_is_said_once_or_not_at_all() -> None:
    metrics = runs.metrics(sentences=["It is right."])
    assert facts.sentences(metrics) == ["It is right.", facts.risk_line(metrics)]
    assert facts.sentences(runs.metrics()) == runs.metrics()["sentences"]
    for row in metrics["estimators"]:
        row["selective"] = None
    assert facts.sentences(metrics) == ["It is right."]


def test_what_is_missing_is_said() -> None:
    verdicts = {"right": 1, "wrong": 1, "ungraded": 1, "errors": 2}
    questions = {**runs.run()["questions"], "limit": 5}
    run = runs.run(status="interrupted", errors={"timeout": 3, "rate limit": 1}, questions=questions)
    assert facts.losses(run, runs.metrics(verdicts=verdicts)) == [
        "the run is interrupted: these are the numbers so far",
        "limited to 5 questions",
        "1 reply could not be graded",
        "2 questions without a reply",
        "4 failed calls: timeout 3, rate limit 1",
    ]


def test_the_dear_ones_and_the_services_are_named() -> None:
    run = runs.run(few={"luq": 40, "sar": 40}, services={"entailment": "judge"}, judge="gpt")
    assert "tried on 40 questions alone, being dear: luq, sar" in facts.losses(run, runs.metrics())
    assert facts.services(run) == "entailment by judge, the judge is gpt"
    assert facts.services(runs.run()) == ""


def test_the_bill_is_that_of_all_sessions() -> None:
    run = runs.run(calls=0, paid={"calls": 2900, "tokens_in": 900, "tokens_out": 100})
    assert facts.bill(run) == ["4 m 41 s in the last session", "2,900 calls", "1,000 tokens"]
    assert facts.bill(runs.run()) == ["4 m 41 s", "2,900 calls", "92 k tokens"]

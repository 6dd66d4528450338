"""`doxa act`: the route on claims with documents, other policies, bundles, resuming, what is refused."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import doxa
from doxa import flow
from doxa.acted import Mandate, decided, measured, table
from doxa.cli.main import _run
from doxa.errors import UsageError
from doxa.journal import entries
from doxa.metrics.maths.intervals import wilson
from doxa.metrics.maths.verdicts import mcnemar
from doxa.policies.penalty import Penalty
from doxa.policies.verification_route import VerificationRoute
from doxa.types import Confidence, Question, Record, Reply, Scale, Usage, Verdict

CLAIMS = ("bank:capitals_claims", "--model", "mock/honest", "--entailment", "judge", "--limit", "40")
ROUTE = ("--policy", "verification_route(alpha=0.4)", "--documents", "documents")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    documents = tmp_path / "documents"
    documents.mkdir()
    said = [f"The capital of {name} is {capital}." for name, capital in capitals()]
    (documents / "capitals.txt").write_text("\n\n".join(said))
    return tmp_path


def capitals() -> list[tuple[str, str]]:
    from doxa.questions.facts.countries import countries

    return [(country.name, country.capital) for country in countries()]


def act(capsys: pytest.CaptureFixture[str], *options: str, code: int = 0) -> dict[str, Any]:
    assert _run(["act", *options, "--json"]) == code
    out = capsys.readouterr().out
    return dict(json.loads(out)) if out else {}


def test_what_is_looked_up_is_right_more_often(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    told = act(capsys, *CLAIMS, *ROUTE, "-o", "run")
    rows = pl.read_parquet(folder / "run" / "acts.parquet")
    assert rows.height == told["all"]["n"] == sum(row["n"] for row in told["acts"]) == 40
    assert {row["act"] for row in told["acts"]} == {"answer", "retrieve", "reflect", "search"}
    assert told == json.loads((folder / "run" / "acts.json").read_text()) | {"folder": "run"}
    for row in told["acts"]:
        part = rows.filter(pl.col("act") == row["act"])
        right, n = int(part["after_correct"].sum()), part.height
        assert (row["after"]["value"], row["after"]["low"], row["after"]["high"]) == (right / n, *wilson(right, n))
        gained = part.filter(~pl.col("before_correct") & pl.col("after_correct")).height
        lost = part.filter(pl.col("before_correct") & ~pl.col("after_correct")).height
        assert row["mcnemar"]["value"] == mcnemar(gained, lost)
        assert row["difference"]["value"] == pytest.approx((gained - lost) / n)
        assert row["per_question"]["calls"] == part["calls"].mean()
        if row["act"] in ("retrieve", "search"):
            assert row["per_question"]["passages"] == 5 and row["after"]["value"] > 0.9
            assert set(json.loads(part["sources"][0])[0].split(":")) >= {"capitals.txt"}
        elif row["act"] == "answer":
            assert row["before"]["value"] == row["after"]["value"] and row["per_question"]["calls"] == 0
    assert told["all"]["difference"]["value"] > 0 and (folder / "run" / "report.html").is_file()


def test_the_same_again_asks_nothing_and_another_policy_only_what_is_new(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    first = act(capsys, *CLAIMS, *ROUTE, "-o", "run")
    again = act(capsys, *CLAIMS, *ROUTE, "-o", "run")
    assert again["spent"]["calls"] == 0 < first["spent"]["calls"]
    assert {**again, "spent": None} == {**first, "spent": None}
    paid = sum(1 for _ in entries(folder / "run"))
    everything = act(capsys, *CLAIMS, "--policy", "penalty(cost=0)", "--estimator", "pcc", "-o", "run")
    assert [row["act"] for row in everything["acts"]] == ["answer"] and everything["run"] == first["run"]
    assert sum(1 for _ in entries(folder / "run")) == paid


def test_a_limit_of_calls_stops_and_the_same_command_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    few = (*CLAIMS[:-1], "10", *ROUTE, "-o", "run")
    whole = act(capsys, *few[:-1], "whole")
    used = json.loads(Path("whole/run.json").read_text())["calls"]
    assert whole["spent"]["calls"] > 1
    act(capsys, *few, "--max-calls", "20", code=3)
    told = act(capsys, *few, "--max-calls", str(used + 1 - 20), code=3)
    assert told["status"] == "incomplete" and told["all"]["errors"] > 0
    done = act(capsys, *few)
    assert {**done, "spent": None, "folder": None} == {**whole, "spent": None, "folder": None}


def test_a_bundle_decides_with_its_calibrator(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    assert _run(["run", *CLAIMS, "--estimators", "pcc", "--out", "run"]) == 0
    fitted = ["calibrate", "run", "--estimator", "pcc", "--method", "platt", "--policy", "penalty(cost=3)"]
    assert _run([*fitted, "-o", "bundle.json"]) == 0
    capsys.readouterr()
    told = act(capsys, *CLAIMS, "--bundle", "bundle.json", "-o", "run")
    rows = pl.read_parquet("run/acts.parquet")
    bundle = json.loads(Path("bundle.json").read_text())
    from doxa.state import revive

    p = revive(bundle).predict(confidence=rows["confidence"].to_numpy())
    assert [each == "answer" for each in rows["act"]] == [bool(each > 0.75) for each in p]
    abstained = next(row for row in told["acts"] if row["act"] == "abstain")
    assert abstained["given"] == 0 and abstained["after"] is None and abstained["before"]["n"] == abstained["n"]
    assert sum(abstained["not_done"].values()) == abstained["n"] and told["policy"] == "bundle.json"


def test_escalating_asks_the_stronger_model(capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    from doxa.types import Case, Decision

    monkeypatch.setattr(Penalty, "decide", lambda _, case: Decision("escalate", case.confidence, reason="as ever"))
    assert isinstance(Penalty().decide(Case(0.5)), Decision)
    told = act(capsys, *CLAIMS[:-1], "5", "--policy", "penalty", "--stronger", "mock/stubborn", "-o", "run")
    assert [(row["act"], row["given"], row["per_question"]["calls"]) for row in told["acts"]] == [("escalate", 5, 1.0)]
    assert {each.model.partition("@")[0] for each in entries(Path("run"))} == {"mock/honest", "mock/stubborn"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), ["name a policy or a bundle"]),
        (("--policy", "verification_route"), ["--documents FOLDER"]),
        (("--policy", "penalty", "--bundle", "x.json"), ["name a policy or a bundle"]),
        (("--policy", "verification_rout", "--documents", "documents"), ["verification_route"]),
        (("--policy", "selective_risk"), ["selective_risk: it is not fitted", "--fit"]),
        (("--bundle", "none.json"), ["none.json"]),
        (("--bundle", "none.json", "--policy", "penalty", "--fit"), ["a bundle"]),
        (("--policy", "penalty", "--documents", "nowhere"), ["nowhere is not a folder"]),
        (("--policy", "penalty", "--estimator", "p_true,deed"), ["one estimator"]),
        (("--policy", "penalty", "--estimator", "auto"), ["one estimator"]),
    ],
)
def test_what_does_not_go_together_is_refused(
    options: tuple[str, ...], words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(["act", *CLAIMS, *options]) == 2
    said = capsys.readouterr().err
    assert all(word in said for word in words)


def test_an_estimator_without_any_number_is_said_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(["act", *CLAIMS[:3], "--limit", "5", *ROUTE]) == 2
    assert "pcc can give no confidence here: there is no entailment service" in capsys.readouterr().err


def test_the_table_fits_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(["act", *CLAIMS, *ROUTE, "--fit", "-o", "run"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert max(map(len, out)) <= 80 and any(line.startswith("all ") for line in out)
    assert "pcc 1" in next(line for line in out if line.startswith("deciding took"))


def test_what_is_withheld_takes_two_lines(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["act", "bank:planted", "--limit", "60", "--model", "mock/honest", "--policy", "penalty(cost=1)"]
    assert _run([*asked, "-o", "run"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    rows = pl.read_parquet("run/acts.parquet")
    silent = rows.filter(pl.col("act") == "abstain")
    assert 1 < silent.height < 60 and said.count("without an answer") == 1
    assert f"abstain: {silent.height} without an answer: an answer is worth -" in said
    right = silent["before_correct"].mean()
    assert (
        f"all: {60 - silent.height} of 60 are still answered; of the others {right:.3f} would have been right" in said
    )


# -- deciding ----------------------------------------------------------------------------------------------------------


def records(values: list[float | None]) -> list[Record]:
    return [
        Record(
            Question(f"q{i}", f"Question {i}?", ("yes",), kind="boolean"),
            Reply("yes" if i % 4 else "no"),
            Verdict(bool(i % 4)),
            {"pcc": Confidence(value, reason="none", details={"tau": value, "gamma": 1.0} if value else {})},
            usage={"pcc": Usage(3)},
        )
        for i, value in enumerate(values)
    ]


def test_a_policy_is_learnt_on_other_folds() -> None:
    told = records([0.2 if i % 4 == 0 else 0.9 for i in range(40)])
    mandate = Mandate("pcc", VerificationRoute(alpha=0, beta=0), "route", learn=True)
    assert [each.act for each in decided(told, mandate)[0]] == [
        "reflect" if i % 4 == 0 else "answer" for i in range(40)
    ]
    as_is = Mandate("pcc", VerificationRoute(alpha=0, beta=0), "route")
    assert {each.act for each in decided(told, as_is)[0]} == {"answer"}
    with pytest.raises(UsageError, match="pcc gave no confidence: none"):
        decided(records([None, None]), as_is)


def test_probabilities_are_cross_fitted_on_the_run_where_there_is_no_calibrator() -> None:
    told = records([0.2 if i % 4 == 0 else 0.9 for i in range(40)])
    found, source = decided(told, Mandate("pcc", Penalty(), "penalty"))
    assert source == "calibrated on the other folds of this run"
    assert [each.act for each in found] == ["abstain" if i % 4 == 0 else "answer" for i in range(40)]
    assert all(each.confidence is not None for each in found)


def test_a_confidence_stands_for_the_probability_where_nothing_can_be_calibrated() -> None:
    told = records([0.4, 0.9, 0.6, None])
    found, source = decided(told, Mandate("pcc", Penalty(cost=1), "penalty"))
    assert [each.act for each in found] == ["abstain", "answer", "answer", "abstain"]
    assert source.startswith("the confidence itself: too few graded answers")
    real = [replace(each, confidences={"pcc": replace(each.confidences["pcc"], scale=Scale.REAL)}) for each in told]
    found, source = decided(real, Mandate("pcc", Penalty(cost=1), "penalty"))
    assert {each.reason for each in found} == {"no calibrated probability"} and source.startswith("none: ")


OPEN = ("Lima is the capital of which country?", "What is the capital of Peru?", "Who wrote Hamlet?")


@pytest.mark.parametrize(("model", "estimator"), [("honest", "normalized_probability"), ("silent", "self_consistency")])
def test_the_estimator_fits_open_questions_and_what_the_model_shows(
    model: str, estimator: str, capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    rows = [json.dumps({"question": f"{text} ({n})", "answer": "x"}) for n in range(4) for text in OPEN]
    (folder / "open.jsonl").write_text("\n".join(rows))
    told = act(capsys, "open.jsonl", "--model", f"mock/{model}", "--policy", "penalty(cost=0.2)", "-o", "run")
    assert told["estimator"] == estimator and told["probability"].startswith("the confidence itself")
    made = pl.read_parquet("run/acts.parquet")
    assert [each == "answer" for each in made["act"]] == [each > 0.2 / 1.2 for each in made["confidence"]]


def test_a_method_that_cannot_judge_these_questions_is_refused_before_any_call(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    (folder / "open.jsonl").write_text(json.dumps({"question": OPEN[0], "answer": "Peru"}))
    asked = ["act", "open.jsonl", "--model", "mock/honest", "--entailment", "judge", *ROUTE, "-o", "run"]
    assert _run(asked) == 2 and not (folder / "run").exists()
    said = capsys.readouterr().err
    assert "pcc can give no confidence here: the answer is no claim" in said and "--estimator" in said


def test_rows_without_a_verdict_are_counted_and_not_graded() -> None:
    blank = {"question": "q", "cluster": "q", "act": "answer", "before_correct": None, "after_correct": None,
             "after": "x", "reason": "", "error": "", "passages": 0, "calls": 0, "tokens_in": None, "tokens_out": 0,
             "estimate_calls": 1, "confidence": 0.5}  # fmt: skip
    told = measured([blank, blank | {"before_correct": True, "cluster": "r"}])
    assert told["all"]["n"] == 2 and told["all"]["before"]["n"] == 1
    assert told["all"]["after"] is None and told["all"]["mcnemar"] is None
    assert told["all"]["per_question"]["tokens_in"] is None
    assert table([blank]).schema["after_correct"] == pl.Boolean


def test_the_documents_of_the_capitals_hold_every_capital(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "docs"))
    from capitals_documents import write  # type: ignore[import-not-found]

    assert write(tmp_path / "made") == len(capitals())
    text = "".join(path.read_text() for path in (tmp_path / "made").iterdir())
    assert all(f"The capital of {name} is {capital}." in text for name, capital in capitals())
    sys.modules.pop("capitals_documents")
    assert {q.text for q in doxa.bank("capitals_claims", n=3)} and callable(flow.act)

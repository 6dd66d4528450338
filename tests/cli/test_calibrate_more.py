"""`doxa calibrate` and `doxa apply` by group, from several estimators, and with a policy."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from doxa import metrics, registry
from doxa.calibrators.maths.folds import cross_fit
from doxa.cli.main import main
from doxa.state import revive

Call = Callable[..., tuple[int, str, str]]
N = 400


@pytest.fixture
def doxa(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["doxa", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        return (int(end.value.code or 0), *capsys.readouterr())

    return call


def table() -> pl.DataFrame:
    """A stated confidence, a margin with gaps, two kinds of groups, and outcomes that differ by one of them."""
    rng = np.random.default_rng(0)
    p = rng.integers(0, 21, N) / 20
    lang = rng.choice(["en", "sw"], N)
    margin = [None if i % 5 == 0 else float(z) for i, z in enumerate(4 * p + rng.normal(size=N))]
    return pl.DataFrame(
        {
            "confidence": p,
            "margin": margin,
            "lang": lang,
            "continent": rng.choice(["Africa", "Asia"], N),
            "question": [f"q{i // 2}" for i in range(N)],
            "correct": rng.random(N) < np.where(lang == "sw", p**3, p),
            "p": p**2,
        }
    )


@pytest.fixture
def log(tmp_path: Path) -> Path:
    table().write_csv(tmp_path / "log.csv")
    return tmp_path / "log.csv"


def values(group: dict[str, Any]) -> dict[str, float]:
    return {m["name"]: m["value"] for m in group["measurements"]}


def applied(doxa: Call, bundle: Path, file: Path, *options: object) -> tuple[pl.DataFrame, dict[str, Any]]:
    out = bundle.with_name("applied.parquet")
    code, said, err = doxa("apply", bundle, file, "-o", out, "--json", *options)
    assert code == 0, err
    return pl.read_parquet(out), json.loads(said)


@pytest.mark.parametrize("method", registry.names("calibrators"))
def test_every_calibrator_can_be_fitted_and_applied(doxa: Call, log: Path, tmp_path: Path, method: str) -> None:
    kind = registry.find("calibrators", method)
    groups = ["--by", "lang"] if getattr(kind, "grouped", False) else []
    several = ["--confidence", "confidence", "--confidence", "margin", "--scale", "unit", "--scale", "real"]
    columns = several if hasattr(kind, "scales") else []
    code, _, err = doxa("calibrate", log, "--method", method, *groups, *columns, "-o", tmp_path / "cal.json")
    assert code == 0, err
    frame, summary = applied(doxa, tmp_path / "cal.json", log)
    assert summary["missing"] == 0
    assert frame["probability"].is_between(0, 1).all()
    fitted = revive(json.loads((tmp_path / "cal.json").read_text()))
    assert hasattr(fitted, "interval") == ("probability_low" in frame.columns)
    if hasattr(fitted, "interval"):
        assert (frame["probability_low"] <= frame["probability"] + 1e-12).all()
        assert (frame["probability"] <= frame["probability_high"] + 1e-12).all()


def test_a_method_is_spelled_with_its_knobs(doxa: Call, log: Path, tmp_path: Path) -> None:
    doxa("calibrate", log, "--method", "histogram(bins=4, equal=count)", "-o", tmp_path / "cal.json")
    content = json.loads((tmp_path / "cal.json").read_text())
    assert (content["method"], content["knobs"]["bins"], content["knobs"]["equal"]) == ("histogram", 4, "count")
    code, _, err = doxa("calibrate", log, "--method", "histogram(bin=4)")
    assert code == 2
    assert "no knob 'bin'" in err


def test_groups_are_cross_fitted_and_asked_for_again(doxa: Call, log: Path, tmp_path: Path) -> None:
    cal = tmp_path / "cal.json"
    code, out, err = doxa(
        "calibrate", log, "--method", "stratified", "--by", "lang", "--cluster", "question", "-o", cal, "--json"
    )
    assert code == 0, err
    frame = table()
    given = {"confidence": frame["confidence"].to_numpy(), "correct": frame["correct"].to_numpy()}
    by = frame["lang"].to_numpy()
    q = cross_fit(registry.make("calibrators", "stratified"), **given, by=by, cluster=frame["question"].to_numpy())
    after = values(json.loads(out)["groups"][1])
    assert after["brier_loss"] == pytest.approx(metrics.brier_loss(confidence=q, correct=given["correct"]), abs=1e-12)
    new, _ = applied(doxa, cal, log)
    fitted = revive(json.loads(cal.read_text()))
    assert new["probability"].to_numpy() == pytest.approx(
        fitted.predict(confidence=given["confidence"], by=by), rel=1e-5
    )
    frame.drop("lang").write_csv(tmp_path / "without.csv")
    code, _, err = doxa("apply", cal, tmp_path / "without.csv", "-o", tmp_path / "x.csv")
    assert code == 2
    assert "there is no column 'lang'" in err and "--by" in err
    frame.rename({"lang": "language"}).write_csv(tmp_path / "renamed.csv")
    renamed, _ = applied(doxa, cal, tmp_path / "renamed.csv", "--by", "language")
    assert (renamed["probability"] == new["probability"]).all()


def test_groups_of_several_columns_overlap(doxa: Call, log: Path, tmp_path: Path) -> None:
    cal = tmp_path / "cal.json"
    code, _, err = doxa(
        "calibrate", log, "--method", "multicalibration(least=20)", "--by", "lang", "--by", "continent", "-o", cal
    )
    assert code == 0, err
    content = json.loads(cal.read_text())
    assert content["state"]["groups"] == ["0=en", "0=sw", "1=Africa", "1=Asia"]
    assert content["columns"]["by"] == ["lang", "continent"]
    frame, _ = applied(doxa, cal, log)
    labels = np.array([frame["lang"].to_list(), frame["continent"].to_list()], dtype=object).T
    expected = revive(content).predict(confidence=table()["confidence"].to_numpy(), by=labels)
    assert frame["probability"].to_numpy() == pytest.approx(expected, rel=1e-5)
    # A new file may hold groups that were never seen, or none at all.
    rows = [{"confidence": 0.5, "lang": "xx", "continent": None}]
    pl.DataFrame(rows, schema={"confidence": float, "lang": str, "continent": str}).write_parquet(
        tmp_path / "n.parquet"
    )
    assert applied(doxa, cal, tmp_path / "n.parquet")[0]["probability"].null_count() == 0


def test_an_ensemble_has_a_number_where_one_confidence_is_there(doxa: Call, log: Path, tmp_path: Path) -> None:
    cal, new = tmp_path / "cal.json", tmp_path / "new.csv"
    two = ["--confidence", "confidence", "--confidence", "margin"]
    code, out, err = doxa(
        "calibrate",
        log,
        "--method",
        "logistic_ensemble",
        *two,
        "--scale",
        "unit",
        "--scale",
        "real",
        "-o",
        cal,
        "--json",
    )
    assert code == 0, err
    names = [group["by"]["calibration"] for group in json.loads(out)["groups"]]
    assert names == ["before: confidence", "before: margin", "after"]
    assert json.loads(cal.read_text())["knobs"]["scales"] == ["unit", "real"]
    new.write_text("confidence,margin\n0.9,2.5\n0.9,\n,2.5\n,\n")
    frame, summary = applied(doxa, cal, new)
    assert summary == {"out": summary["out"], "rows": 4, "missing": 1}
    fitted = revive(json.loads(cal.read_text()))
    expected = fitted.predict(confidence=np.array([[0.9, 2.5], [0.9, None], [None, 2.5]], dtype=object))
    assert frame["probability"].to_list()[:3] == pytest.approx(expected.tolist(), rel=1e-5)
    assert frame["probability"][3] is None


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of two estimators about the reply, and one about its own answer."""
    frame = table()
    parts = [
        frame.select(
            question=pl.Series([f"n{i}" for i in range(N)]),
            cluster=pl.col("question"),
            kind=pl.lit("open"),
            reply=pl.lit("x"),
            correct=pl.col("correct"),
            **{"tag.lang": pl.col("lang")},
            estimator=pl.lit(name),
            confidence=pl.col(column),
            scale=pl.lit(scale),
            about=pl.lit(about),
            error=pl.lit(""),
            reason=pl.lit(""),
            probability=pl.lit(0.5),
        )
        for name, column, scale, about in [
            ("stated", "confidence", "unit", "reply"),
            ("margin", "margin", "real", "reply"),
            ("guess", "confidence", "unit", "own"),
        ]
    ]
    (tmp_path / "run").mkdir()
    pl.concat(parts).sample(fraction=1, shuffle=True, seed=0).write_parquet(tmp_path / "run" / "items.parquet")
    return tmp_path / "run"


def test_estimators_of_a_run_are_joined_by_question(doxa: Call, run: Path, tmp_path: Path) -> None:
    cal = tmp_path / "cal.json"
    two = ["--estimator", "stated", "--estimator", "margin"]
    code, _, err = doxa("calibrate", run, *two, "--method", "isotonic_ensemble", "-o", cal)
    assert code == 0, err
    content = json.loads(cal.read_text())
    assert (content["n"], content["scales"], content["estimators"]) == (N, ["unit", "real"], ["stated", "margin"])
    frame, _ = applied(doxa, cal, run)
    direct = registry.build("calibrators", "isotonic_ensemble", scales=("unit", "real"))
    source = table()
    both = np.array([source["confidence"].to_list(), source["margin"].to_list()], dtype=object).T
    q = direct.fit(confidence=both, correct=source["correct"].to_numpy()).predict(confidence=both)
    there = dict(frame.select("question", "probability").iter_rows())
    assert [there[f"n{i}"] for i in range(N)] == pytest.approx(q.tolist(), rel=1e-5)


def test_one_estimator_of_a_run_is_applied_to_a_run(doxa: Call, run: Path, tmp_path: Path) -> None:
    cal = tmp_path / "cal.json"
    options = ["--estimator", "margin", "--method", "stratified", "--by", "tag.lang", "--policy", "penalty"]
    code, _, err = doxa("calibrate", run, *options, "-o", cal)
    assert code == 0, err
    content = json.loads(cal.read_text())
    assert (content["n"], content["scales"]) == (N - N // 5, ["real"])
    frame, summary = applied(doxa, cal, run)
    assert (frame.height, summary["missing"], summary["answered_graded"]) == (N, N // 5, summary["acts"]["answer"])
    assert frame.filter(pl.col("confidence").is_null())["act"].unique().to_list() == ["abstain"]


def test_what_does_not_fit_together_is_refused(doxa: Call, log: Path, run: Path, tmp_path: Path) -> None:
    two = ["--confidence", "confidence", "--confidence", "lang"]
    both = ["--confidence", "confidence", "--confidence", "p"]
    ensemble = ["--method", "logistic_ensemble"]
    frame = table()
    frame.with_columns(correct=pl.lit(None, pl.Boolean)).write_parquet(tmp_path / "ungraded.parquet")
    doxa("calibrate", log, "--method", "stratified", "--by", "lang", "-o", tmp_path / "cal.json")
    for arguments, complaint in [
        (["calibrate", log, "--by", "lang"], "isotonic takes no groups"),
        (["calibrate", log, *ensemble, *both[:2] * 2], "names 'confidence' twice"),
        (["calibrate", run, *ensemble, *["--estimator", "stated"] * 2], "names 'stated' twice"),
        (["calibrate", log, *ensemble, *both[:2], "--confidence", "x"], "no column 'x'"),
        (["calibrate", log, "--method", "platt", *two, "--scale", "real"], "line 2: lang is"),
        (["calibrate", log, "--method", "platt", *both], "takes one confidence, and 2 are given"),
        (["calibrate", log, "--method", "temperature", "--confidence", "margin", "--scale", "real"], "scale is real"),
        (
            ["calibrate", log, *ensemble, *two, "--scale", "unit", "--scale", "real", "--scale", "real"],
            "3 scales for 2",
        ),
        (["calibrate", log, "--policy", "penalt"], "no 'penalt' in policies"),
        (
            ["calibrate", log, *ensemble, *both, "--policy", "penalty"],
            "a policy decides on one confidence",
        ),
        (["calibrate", tmp_path / "ungraded.parquet"], "no answer has both"),
        (["calibrate", run], "a run has several estimators"),
        (["calibrate", run, "--estimator", "stated", "--estimator", "none"], "estimator = none"),
        (
            ["calibrate", run, *ensemble, "--estimator", "stated", "--estimator", "guess"],
            "about the method's own answer",
        ),
        (["apply", tmp_path / "cal.json", log, "-o", "x.csv", "--by", "lang", "--by", "continent"], "fitted on 1"),
        (["apply", tmp_path / "cal.json", log, "-o", "x.csv", *two], "fitted on 1"),
    ]:
        code, _, err = doxa(*arguments)
        assert code == 2, arguments
        assert complaint in err
        assert "hint:" in err


def test_a_policy_goes_into_the_file_and_decides(
    doxa: Call, log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    cal = Path("cal.json")  # a long path would break lines elsewhere
    code, out, err = doxa("calibrate", log, "--method", "platt", "--policy", "penalty(cost=3)", "-o", cal)
    assert code == 0, err
    assert max(map(len, out.splitlines())) <= 80
    assert "on the calibration data" in out and "guarantees nothing" in out and "with the policy" in out
    content = json.loads(cal.read_text())
    assert content["policy"]["method"] == "penalty" and content["policy"]["knobs"] == {"cost": 3.0}
    frame, summary = applied(doxa, cal, log)
    answers = frame["probability"] > 0.75
    assert frame["act"].to_list() == ["answer" if sure else "abstain" for sure in answers]
    wrong = int((answers & ~table()["correct"]).sum())
    assert summary["acts"] == {"answer": int(answers.sum()), "abstain": int((~answers).sum())}
    assert (summary["answered_graded"], summary["answered_wrong"]) == (int(answers.sum()), wrong)
    assert frame["reason"][0].startswith("an answer is worth")
    _, said, _ = doxa("apply", cal, log, "-o", tmp_path / "x.csv")
    assert f"of the {int(answers.sum())} answered that are graded {wrong} are wrong" in said


def test_without_outcomes_or_confidence_it_still_decides(doxa: Call, log: Path, tmp_path: Path) -> None:
    doxa("calibrate", log, "--method", "platt", "--policy", "penalty", "-o", tmp_path / "cal.json")
    (tmp_path / "new.csv").write_text("confidence,id\n1.0,a\n,b\n")
    frame, summary = applied(doxa, tmp_path / "cal.json", tmp_path / "new.csv")
    assert frame["act"].to_list() == ["answer", "abstain"]
    assert "answered_graded" not in summary


def test_a_guarantee_is_said_in_plain_words(doxa: Call, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    p = rng.random(2000).round(2)
    pl.DataFrame({"confidence": p, "correct": rng.random(2000) < p**0.2}).write_csv(tmp_path / "log.csv")
    options = ["--method", "platt", "--policy", "selective_risk(risk=0.1)"]
    code, out, err = doxa("calibrate", tmp_path / "log.csv", *options, "-o", tmp_path / "cal.json", "--json")
    assert code == 0, err
    policy = json.loads(out)["policy"]
    assert (policy["guarantee"]["bound"], policy["guarantee"]["delta"]) == (0.1, 0.05)
    assert policy["acts"]["answer"] == int((p >= policy["threshold"]).sum())
    assert policy["wrong_on_calibration_data"] < 0.1 * policy["acts"]["answer"]
    _, said, _ = doxa("calibrate", tmp_path / "log.csv", *options)
    text = " ".join(said.split())
    assert f"from a confidence of {policy['threshold']:.4g} upwards" in text
    assert "at most 0.1, with probability 0.95" in text and "if new questions" in text
    frame, _ = applied(doxa, tmp_path / "cal.json", tmp_path / "log.csv")
    assert (frame["act"] == "answer").sum() == policy["acts"]["answer"]


def test_a_policy_that_answers_nothing_says_why(doxa: Call, log: Path) -> None:
    code, out, _ = doxa("calibrate", log, "--policy", "selective_risk(risk=0.001)")
    assert code == 0
    assert "answers none of 400" in out and "could, if all were right" in " ".join(out.split())
    _, out, _ = doxa("calibrate", log, "--policy", "selective_risk(risk=0.001)", "--json")
    assert json.loads(out)["policy"]["reason"]


def test_all_calibrators_are_compared_and_the_best_is_written(doxa: Call, log: Path, tmp_path: Path) -> None:
    code, out, err = doxa("calibrate", log, "--method", "all", "--by", "lang", "-o", tmp_path / "cal.json", "--json")
    assert code == 0, err
    content = json.loads(out)
    names = [group["by"]["calibration"] for group in content["groups"]]
    kinds = {name: registry.find("calibrators", name) for name in registry.names("calibrators")}
    assert {*names} == {
        "before",
        *(name for name, kind in kinds.items() if getattr(kind, "several", False) is not True),
    }
    losses = [values(group)["brier_loss"] for group in content["groups"][1:]]
    assert losses == sorted(losses)
    assert content["method"] == names[1] == json.loads((tmp_path / "cal.json").read_text())["method"]
    assert doxa("calibrate", log, "--method", "all", "--confidence", "margin", "--scale", "real")[0] == 0
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".json"] == ["cal.json"]


def test_all_ensembles_are_compared_where_there_are_several_confidences(doxa: Call, log: Path) -> None:
    two = ["--confidence", "confidence", "--confidence", "margin", "--scale", "unit", "--scale", "real"]
    code, out, err = doxa("calibrate", log, "--method", "all", *two, "--json")
    assert code == 0, err
    names = {group["by"]["calibration"] for group in json.loads(out)["groups"]}
    assert names == {"before: confidence", "before: margin", "isotonic_ensemble", "logistic_ensemble"}

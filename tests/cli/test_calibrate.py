"""`doxa calibrate` and `doxa apply`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from doxa import metrics
from doxa.calibrators.maths.folds import cross_fit
from doxa.cli.apply import rounded
from doxa.cli.main import main
from doxa.state import revive

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def doxa(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["doxa", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        return (int(end.value.code or 0), *capsys.readouterr())

    return call


@pytest.fixture
def log(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    p = rng.integers(0, 21, 300) / 20
    table = {"confidence": p, "correct": rng.random(300) < p**3, "question": [f"q{i // 2}" for i in range(300)]}
    pl.DataFrame(table).write_csv(tmp_path / "log.csv")
    return tmp_path / "log.csv"


@pytest.mark.parametrize("method", ["platt", "temperature", "isotonic", "histogram"])
def test_before_and_after_are_measured_out_of_fold(doxa: Call, log: Path, tmp_path: Path, method: str) -> None:
    cal = tmp_path / "cal.json"
    code, out, err = doxa("calibrate", log, "--method", method, "--cluster", "question", "-o", cal, "--json")
    assert (code, err) == (0, "")
    before, after = ({m["name"]: m["value"] for m in group["measurements"]} for group in json.loads(out)["groups"])
    frame = pl.read_csv(log)
    given = {"confidence": frame["confidence"].to_numpy(), "correct": frame["correct"].to_numpy()}
    calibrator = revive(json.loads(cal.read_text()))
    q = cross_fit(type(calibrator)(), cluster=frame["question"].to_numpy(), **given)
    assert before["brier_loss"] == metrics.brier_loss(**given)
    assert after["brier_loss"] == pytest.approx(metrics.brier_loss(confidence=q, correct=given["correct"]), abs=1e-12)
    assert calibrator == type(calibrator)().fit(**given)


def test_the_file_says_what_it_was_fitted_on(doxa: Call, log: Path, tmp_path: Path) -> None:
    code, out, _ = doxa("calibrate", log, "-o", tmp_path / "cal.json")
    content = json.loads((tmp_path / "cal.json").read_text())
    assert code == 0
    assert max(map(len, out.splitlines()[:-1])) <= 80
    assert content["schema"] == "doxa.calibrator/1"
    assert (content["method"], content["n"], content["scales"]) == ("isotonic", 300, ["unit"])
    assert content["columns"] == {"confidence": ["confidence"], "correct": "correct", "cluster": None, "by": []}


def test_apply_adds_a_probability_and_disarms_formulas(doxa: Call, log: Path, tmp_path: Path) -> None:
    cal, new, out = tmp_path / "cal.json", tmp_path / "new.csv", tmp_path / "out.csv"
    doxa("calibrate", log, "--method", "platt", "-o", cal)
    new.write_text('=id,note,confidence,gain\n1,"=cmd()|x",0.5,-3\n2,"@a\nb",,+4\n3,"-safe, no",0.9,5\n4,plain,1,\n')
    code, said, _ = doxa("apply", cal, new, "-o", out, "--json")
    assert code == 0
    assert json.loads(said) == {"out": str(out), "rows": 4, "missing": 1}
    frame = pl.read_csv(out, infer_schema=False)
    assert frame.columns == ["'=id", "note", "confidence", "gain", "probability"]
    assert frame["note"].to_list() == ["'=cmd()|x", "'@a\nb", "'-safe, no", "plain"]
    assert frame["gain"].to_list()[:3] == ["-3", "+4", "5"]
    assert frame["probability"][1] in (None, "")
    expected = revive(json.loads(cal.read_text())).predict(confidence=[0.5, 0.9, 1])
    assert [float(frame["probability"][i]) for i in (0, 2, 3)] == pytest.approx(expected.tolist(), rel=1e-5)


@pytest.mark.parametrize("name", ["out.jsonl", "out.parquet"])
def test_other_formats_keep_their_texts(doxa: Call, log: Path, tmp_path: Path, name: str) -> None:
    cal, new = tmp_path / "cal.json", tmp_path / "new.jsonl"
    doxa("calibrate", log, "-o", cal)
    new.write_text('{"p": 0.5, "note": "=x"}\n{"p": null, "note": "y"}\n')
    code, _, err = doxa("apply", cal, new, "-o", tmp_path / name, "--confidence", "p")
    assert code == 0, err
    frame = pl.read_parquet(tmp_path / name) if "parquet" in name else pl.read_ndjson(tmp_path / name)
    assert frame["note"].to_list() == ["=x", "y"]
    assert frame["probability"][1] is None


def test_a_run_needs_an_estimator_and_keeps_its_scale(doxa: Call, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    score = rng.normal(size=200)
    pl.DataFrame(
        {
            "confidence": score,
            "correct": rng.random(200) < 1 / (1 + np.exp(-score)),
            "cluster": [f"q{i}" for i in range(200)],
            "estimator": "margin",
            "scale": "real",
            "error": "",
        }
    ).write_parquet(tmp_path / "items.parquet")
    cal = tmp_path / "cal.json"
    assert doxa("calibrate", tmp_path, "-o", cal)[0] == 2
    code, out, err = doxa("calibrate", tmp_path, "--estimator", "margin", "--method", "platt", "-o", cal, "--json")
    assert code == 0, err
    before, after = json.loads(out)["groups"]
    assert before["measurements"][0]["value"] is None
    assert "calibrate it first" in before["measurements"][0]["reason"]
    assert after["measurements"][0]["value"] < 0.25
    assert json.loads(cal.read_text())["scales"] == ["real"]


def test_mistakes_are_one_sentence_with_a_hint(doxa: Call, log: Path, tmp_path: Path) -> None:
    cal, bad = tmp_path / "cal.json", tmp_path / "bad.json"
    doxa("calibrate", log, "-o", cal)
    bad.write_text("[]")
    percent = tmp_path / "percent.csv"
    percent.write_text("confidence\n90\n")
    done = tmp_path / "done.csv"
    done.write_text("confidence,probability\n0.9,1\n")
    for arguments, complaint in [
        (["calibrate", log, "--method", "plat", "-o", cal], "no 'plat' in calibrators"),
        (["apply", tmp_path / "none.json", log, "-o", cal], "there is no file"),
        (["apply", log, log, "-o", cal], "is not JSON"),
        (["apply", bad, log, "-o", cal], "is not a calibrator"),
        (["apply", cal, percent, "-o", tmp_path / "o.csv"], "line 2: confidence is '90'"),
        (["apply", cal, done, "-o", tmp_path / "o.csv"], "already has a column 'probability'"),
        (["apply", cal, log, "-o", tmp_path / "o.xls"], "cannot write o.xls"),
        (["apply", cal, log, "-o", tmp_path / "o.csv", "--confidence", "p"], "there is no column 'p'"),
    ]:
        code, _, err = doxa(*arguments)
        assert code == 2
        assert complaint in err
        assert "hint:" in err


def test_a_small_log_gets_a_warning(doxa: Call, tmp_path: Path) -> None:
    path = tmp_path / "few.csv"
    path.write_text("confidence,correct\n" + "0.9,1\n0.2,0\n0.4,1\n" * 4)
    code, _, err = doxa("calibrate", path, "-o", tmp_path / "cal.json", "--method", "platt")
    assert code == 0
    assert "only 12 answers" in err


@pytest.mark.parametrize("verb", ["calibrate", "score", "apply"])
def test_a_file_that_cannot_be_written_is_refused(doxa: Call, log: Path, tmp_path: Path, verb: str) -> None:
    given = [log]
    if verb == "apply":
        doxa("calibrate", log, "-o", tmp_path / "cal.json")
        given = [tmp_path / "cal.json", log]
    (tmp_path / "folder.csv").mkdir()
    code, out, err = doxa(verb, *given, "-o", tmp_path / "folder.csv")
    assert (code, out) == (2, "")
    assert "folder.csv cannot be written" in err and "hint:" in err
    new = tmp_path / "new" / ("x.csv" if verb == "apply" else "x.json")
    assert doxa(verb, *given, "-o", new)[0] == 0
    assert new.stat().st_size > 0


def test_lists_go_into_no_csv(doxa: Call, log: Path, tmp_path: Path) -> None:
    doxa("calibrate", log, "-o", tmp_path / "cal.json")
    (tmp_path / "lists.jsonl").write_text('{"confidence": 0.5, "guesses": ["a", "b"]}\n')
    code, _, err = doxa("apply", tmp_path / "cal.json", tmp_path / "lists.jsonl", "-o", tmp_path / "x.csv")
    assert code == 2
    assert ".parquet" in err
    assert doxa("apply", tmp_path / "cal.json", tmp_path / "lists.jsonl", "-o", tmp_path / "x.jsonl")[0] == 0


def test_it_says_where_calibration_does_not_help(doxa: Call, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    p = rng.random(60).round(3)
    pl.DataFrame({"confidence": p, "correct": rng.random(60) < p}).write_csv(tmp_path / "fine.csv")
    code, out, _ = doxa("calibrate", tmp_path / "fine.csv")
    assert code == 0
    assert "calibration does not help here: the Brier score goes from" in " ".join(out.split())
    assert "--method platt" in out
    off = pl.DataFrame({"confidence": 0.5 + p / 2, "correct": rng.random(60) < p / 2})
    off.write_csv(tmp_path / "off.csv")
    assert "does not help" not in doxa("calibrate", tmp_path / "off.csv", "--method", "platt")[1]


def test_probabilities_are_written_in_six_digits_and_never_become_certain() -> None:
    given = [1 / 3, 0.9999999, 1.0, 0.0, 1.23456789e-9, 0.5]
    assert rounded(np.array(given)) == [0.333333, 0.9999999, 1.0, 0.0, 1.23457e-9, 0.5]

"""`doxa sets` on runs of the mock, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import doxa
from doxa import registry
from doxa.cli.main import _run
from doxa.questions.planted import Planted

ESTIMATORS = ("option_likelihood", "self_consistency(samples=2)")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("sets") / "choice"
    questions = Planted(n=150, kind="choice").questions()
    doxa.assay(doxa.load_model("mock/honest"), questions, estimators=list(ESTIMATORS), out=folder)
    return str(folder)


def test_sets_hold_the_right_option_as_often_as_promised(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert _run(["sets", run, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [row["policy"] for row in rows] == [
        "conformal_set",
        "conformal_set(score='aps')",
        "pac_set",
        "pac_set(learnt=True)",
    ]
    for row in rows:
        assert row["n"] == 150
        assert row["high"] >= row["promised"] == 0.9
        assert row["low"] <= row["covered"] <= row["high"]
        assert row["answered_right"] <= row["answered"]


def test_the_table_fits_the_terminal_and_says_when_sets_are_full(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert _run(["sets", run, "--policy", "pac_set(risk=0.001, delta=0.0001, learnt=False)"]) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    assert "all options are in: 120 questions cannot show a risk of 0.001" in " ".join(out.split())
    assert "100.0%" in out


def test_one_policy_is_written_fitted_on_all(run: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "sets.json"
    assert _run(["sets", run, "--policy", "conformal_set", "--out", str(out)]) == 0
    from doxa.state import revive

    assert revive(json.loads(out.read_text())).guarantee.n == 150
    assert _run(["sets", run, "--out", str(out)]) == 2
    assert "one policy" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments, complaint",
    [
        (["--policy", "penalty"], "makes no sets"),
        (["--estimator", "self_consistency(samples=2)"], "kept no probabilities"),
        (["--estimator", "p_true"], "no row has estimator = p_true"),
    ],
)
def test_what_makes_no_sets_is_refused(
    run: str, arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert _run(["sets", run, *arguments]) == 2
    assert complaint in capsys.readouterr().err


def test_every_policy_that_makes_sets_is_shown_without_asking() -> None:
    from doxa.cli.sets import POLICIES

    makers = {n for n in registry.names("policies") if hasattr(registry.find("policies", n), "fit_options")}
    assert makers == {spelled.partition("(")[0] for spelled in POLICIES.split(", ")}


def test_calibrate_sends_policies_that_make_sets_here(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert _run(["calibrate", run, "--estimator", "option_likelihood", "--policy", "pac_set"]) == 2
    assert "doxa sets RUN" in capsys.readouterr().err

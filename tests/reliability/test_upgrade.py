"""Runs of every schema there has been can be read and gone on with; others are refused in one sentence."""

import json
import shutil
from pathlib import Path

import pytest

from doxa.cli import main
from doxa.errors import UsageError
from doxa.journal import entries
from doxa.runs import Run
from doxa.upkeep import verify

FIXTURES = sorted((Path(__file__).parent / "fixtures").iterdir())


@pytest.fixture(params=FIXTURES, ids=lambda path: path.name)
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of a fixture, as the working folder."""
    shutil.copytree(request.param, tmp_path / "old")
    monkeypatch.chdir(tmp_path / "old")
    return tmp_path / "old"


def test_an_old_run_can_be_read(folder: Path) -> None:
    run = Run.open(folder / "run")
    assert run.frame().height == run.info["questions"]["n"] * len(run.info["estimators"])
    assert "24 questions" in run.table()
    assert run.report(folder / "page.html").read_text().startswith("<!doctype html>")
    assert all(health.sound for health in verify(folder / "run"))
    assert len(list(entries(folder / "run"))) == run.info["paid"]["calls"]


def test_an_old_run_goes_on_without_a_call(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = Run.open(folder / "run")
    rows, calls = before.frame(), before.info["paid"]["calls"]
    for lost in ("items.parquet", "metrics.json"):
        (folder / "run" / lost).unlink()
    assert main._run(["resume", "run"]) == 0, capsys.readouterr().err
    after = Run.open(folder / "run")
    assert (after.info["status"], after.info["calls"], after.info["paid"]["calls"]) == ("complete", 0, calls)
    kept = ["question", "estimator", "reply", "confidence", "correct"]
    assert after.frame().select(kept).equals(rows.select(kept))


def test_a_run_of_a_later_schema_is_refused(folder: Path) -> None:
    path = folder / "run" / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "schema": "doxa.run/2"}))
    with pytest.raises(UsageError, match="schema") as caught:
        Run.open(folder / "run")
    assert "doxa that wrote it" in caught.value.hint

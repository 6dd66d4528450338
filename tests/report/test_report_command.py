"""`doxa report`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from doxa.cli.report import report
from doxa.errors import DataError, UsageError
from report import runs

app = typer.Typer()
app.command()(report)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "run.json").write_text(json.dumps(runs.run()))
    (tmp_path / "metrics.json").write_text(json.dumps(runs.metrics()))
    return tmp_path


def test_it_draws_the_page_and_says_the_summary(folder: Path) -> None:
    result = CliRunner().invoke(app, [str(folder)])
    assert result.exit_code == 0
    assert (folder / "report.html").read_text().startswith("<!doctype html>")
    assert "Refusing the least sure 40 %" in result.stdout


def test_a_name_in_md_gives_markdown_and_json_gives_only_json(folder: Path) -> None:
    result = CliRunner().invoke(app, [str(folder), "-o", str(folder / "x.md"), "--json"])
    assert json.loads(result.stdout) == {"run": runs.run()["id"], "report": str(folder / "x.md")}
    assert (folder / "x.md").read_text().startswith("# Does smollm2")


def test_a_page_has_the_name_of_a_page(folder: Path) -> None:
    result = CliRunner().invoke(app, [str(folder), "-o", str(folder / "x.pdf")])
    assert isinstance(result.exception, UsageError)
    assert not (folder / "x.pdf").exists()


def test_a_folder_without_a_run_is_an_error_with_a_hint(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, [str(tmp_path)])
    assert isinstance(result.exception, DataError) and result.exception.hint

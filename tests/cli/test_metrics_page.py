"""The page of metrics beyond confidence: each of its files is scored by each of the commands below it."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest

from doxa.cli.main import main
from doxa.cli.papers import papers
from doxa.metrics.maths.form import forms

PAGE = (Path(__file__).parents[2] / "docs" / "metrics-beyond-confidence.md").read_text()
FILES = re.findall(r"^```(csv|jsonl)\n(.*?)^```\n(.*?)(?=^```|\Z)", PAGE, re.M | re.S)
RUNS = [
    (kind, body, command)
    for kind, body, after in FILES
    for command in re.findall(r"^    doxa (score log\..*)$", after, re.M)
]


def score(command: str, directory: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.chdir(directory)
    monkeypatch.setattr(sys, "argv", ["doxa", *shlex.split(command), "--no-intervals"])
    with pytest.raises(SystemExit) as end:
        main()
    return int(end.value.code or 0)


@pytest.mark.parametrize(("kind", "body", "command"), RUNS, ids=[command for *_, command in RUNS])
def test_files_are_scored_by_the_commands_below_them(
    kind: str,
    body: str,
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / f"log.{kind}").write_text(body)
    assert score(command, tmp_path, monkeypatch) == 0, capsys.readouterr().err
    assert capsys.readouterr().out.startswith(("n ", "  "))


def test_every_metric_of_other_columns_is_on_the_page() -> None:
    assert [name for name in forms() if f"`{name}`" not in PAGE] == []
    shown = {name for _, _, command in RUNS for name in re.findall(r"\w+", command.partition("--metrics")[2])}
    assert [name for name in forms() if name not in shown] == []


def test_commands_of_published_systems_run_on_a_file_of_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    checked = 0
    for row in papers():
        for member, command in zip(row["members"], row["commands"], strict=True):
            name = member["name"].partition("/")[2]
            if member["name"].startswith("metrics/") and name in forms():
                kind, body = next((kind, body) for kind, body, shown in RUNS if re.search(rf"\b{name}\b", shown))
                (tmp_path / f"log.{kind}").write_text(body)
                assert score(command.removeprefix("doxa "), tmp_path, monkeypatch) == 0, capsys.readouterr().err
                checked += 1
    assert checked >= 20

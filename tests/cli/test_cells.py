"""Cells and headings as people write them: missing values, words, percentages, upper case."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl
import pytest

from doxa.cli.main import main

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def doxa(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Call:
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["doxa", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        return (int(end.value.code or 0), *capsys.readouterr())

    return call


def table(path: str, rows: Sequence[tuple[str, ...]], head: str = "confidence,correct") -> str:
    Path(path).write_text("\n".join([head, *(",".join(row) for row in rows), ""]))
    return path


def scored(doxa: Call, *arguments: object) -> dict[str, dict[str, float]]:
    code, out, err = doxa("score", *arguments, "--json")
    assert code == 0, err
    return {each["name"]: each for each in json.loads(out)["groups"][0]["measurements"]}


@pytest.mark.parametrize("word", ["NA", "N/A", "nan", "NaN", "null", "NULL", "", "n/a"])
def test_words_for_nothing_are_missing(doxa: Call, word: str) -> None:
    rows = [("0.2", "0"), ("0.7", "1"), (word, "1"), ("0.9", word), ("0.9", "1")]
    found = scored(doxa, table("log.csv", rows))["brier_loss"]
    assert (found["n"], found["missing"]) == (3, 2)


@pytest.mark.parametrize("words", [("Y", "n"), ("T", "f"), ("Right", "WRONG"), ("correct", "Incorrect")])
def test_words_for_outcomes(doxa: Call, words: tuple[str, str]) -> None:
    rows = [("0.2", words[1]), ("0.7", words[0]), ("0.9", words[0]), ("0.9", words[0])]
    assert scored(doxa, table("log.csv", rows))["accuracy"]["value"] == 0.75


def test_headings_in_upper_case_are_found_and_exact_ones_are_preferred(doxa: Call) -> None:
    rows = [("0.2", "0"), ("0.7", "1"), ("0.9", "1")]
    assert scored(doxa, table("log.csv", rows, "Confidence,Correct"))["accuracy"]["n"] == 3
    both = [("0.2", "x", "0"), ("0.7", "x", "1")]
    assert scored(doxa, table("both.csv", both, "confidence,Confidence,CORRECT"))["accuracy"]["n"] == 2


@pytest.mark.parametrize("sign", ["", "%", " %"])
def test_percentages_are_read_calibrated_and_applied_as_such(doxa: Call, sign: str) -> None:
    shares = [(f"{i % 11 / 10}", str(int(i % 3 > 0))) for i in range(60)]
    percents = [(f"{i % 11 * 10}{sign}", str(int(i % 3 > 0))) for i in range(60)]
    unit, percent = table("unit.csv", shares), table("percent.csv", percents)
    assert scored(doxa, percent, "--scale", "percent") == scored(doxa, unit)
    assert doxa("calibrate", unit, "--method", "platt", "-o", "unit.json")[0] == 0
    assert doxa("calibrate", percent, "--method", "platt", "--scale", "percent", "-o", "percent.json")[0] == 0
    fits = [json.loads(Path(f"{each}.json").read_text()) for each in ("unit", "percent")]
    assert fits[0]["state"] == fits[1]["state"] and fits[1]["scales"] == ["percent"]
    for each in ("unit", "percent"):
        code, _, err = doxa("apply", f"{each}.json", f"{each}.csv", "-o", f"{each}.parquet")
        assert code == 0, err
    found = [pl.read_parquet(f"{each}.parquet") for each in ("unit", "percent")]
    assert found[0]["probability"].equals(found[1]["probability"])
    assert found[1]["confidence"].to_list() == [each for each, _ in percents]


@pytest.mark.parametrize(
    ("cells", "hint"),
    [
        (["0.2", "0.9", "85", "0.7"], "correct the cell"),
        (["0.2", "high", "0.9"], "correct the cell"),
        (["20", "90", "85", "0.7"], "--scale percent"),
        (["20%", "90%", "8%"], "--scale percent"),
        (["-2.5", "-0.1", "-7"], "--scale real"),
    ],
)
def test_the_hint_fits_what_most_cells_are(doxa: Call, cells: list[str], hint: str) -> None:
    code, _, err = doxa("score", table("log.csv", [(cell, "1") for cell in cells]))
    assert code == 2 and hint in err
    assert ("--scale" in err) is ("--scale" in hint)


def test_a_percentage_over_100_is_refused(doxa: Call) -> None:
    code, _, err = doxa("score", table("log.csv", [("20", "1"), ("110", "0")]), "--scale", "percent")
    assert code == 2 and "line 3: confidence is '110'" in err and "0 to 100" in err


def test_headings_alone_and_a_folder_that_is_no_run(doxa: Call, tmp_path: Path) -> None:
    code, _, err = doxa("score", table("log.csv", []))
    assert code == 2 and "log.csv has no rows" in err
    (tmp_path / "folder").mkdir()
    code, _, err = doxa("score", "folder")
    assert code == 2 and "folder is not a run's directory" in err

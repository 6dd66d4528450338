"""`doxa score` for metrics of other columns: which column is taken, broken cells, groups, output."""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from doxa.cli.main import main
from doxa.metrics import measure_table

Said = tuple[int, str, str]
ROWS = [(f"q{i}", "ab"[i % 2], i % 3 == 0, (i % 3 == 0) ^ (i % 7 == 0)) for i in range(80)]


@pytest.fixture
def score(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    def call(*arguments: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["doxa", "score", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        return int(end.value.code or 0), *capsys.readouterr()

    return call


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.csv"
    path.write_text("id,model,first_pass,is_wrong\n" + "".join(f"{','.join(map(str, row))}\n" for row in ROWS))
    return path


TAKEN = ("--column", "refused=first_pass", "--column", "wrong=is_wrong")


def test_columns_are_named_and_groups_measured_apart(score: Callable[..., Said], log: Path) -> None:
    code, out, _ = score(log, "--metrics", "refusal_index", *TAKEN, "--by", "model", "--json")
    found = json.loads(out)
    assert code == 0 and found["columns"] == {"refused": "first_pass", "wrong": "is_wrong"}
    assert [group["by"] for group in found["groups"]] == [{"model": "a"}, {"model": "b"}]
    columns = {"refused": [r[2] for r in ROWS if r[1] == "a"], "wrong": [r[3] for r in ROWS if r[1] == "a"]}
    [expected] = measure_table(columns, metrics=["refusal_index"])
    [made] = found["groups"][0]["measurements"]
    assert (made["value"], made["low"], made["high"], made["n"]) == (expected.value, expected.low, expected.high, 40)


def test_columns_of_the_usual_names_need_no_telling_and_conditions_hold(
    score: Callable[..., Said], log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    log.write_text(log.read_text().replace("first_pass,is_wrong", "refused,wrong"))
    args = ("--metrics", "refusal_index, refusal_index(silent=drop)", "--where", "model=b", "--cluster", "id")
    code, out, _ = score(log, *args, "--out", "out.json")
    assert code == 0 and out.startswith("n 40\nrefusal_index ") and "higher is better" in out
    assert all(len(line) <= 80 for line in out.splitlines())
    assert len(json.loads((tmp_path / "out.json").read_text())["groups"][0]["measurements"]) == 2
    assert "to" not in score(log, "--metrics", "refusal_index", "--no-intervals")[1].partition("higher")[0]


def test_what_cannot_be_taken_is_said(score: Callable[..., Said], log: Path) -> None:
    def said(*arguments: str) -> str:
        code, out, err = score(log, *arguments)
        assert code == 2 and not out
        return " ".join(err.split())

    one = ("--metrics", "refusal_index")
    assert "there is no column 'refused'" in said(*one) and "id, model, first_pass, is_wrong" in said(*one)
    assert "there is no column 'nope'" in said(*one, "--column", "refused=nope", *TAKEN[2:])
    assert "log.csv, line 2: id is 'q0'" in said(*one, "--column", "refused=id", *TAKEN[2:])
    assert "write NAME=COL for: refused, wrong" in said(*one, "--column", "confidence=id")
    assert "there is no column 'who'" in said(*one, *TAKEN, "--by", "who")
    assert "take different columns" in said("--metrics", "auroc,refusal_index")
    assert "--column is for metrics of other columns" in said("--metrics", "auroc", *TAKEN)
    assert "cannot read" in said("--metrics", "refusal_index(")
    assert "--confidence is for confidences" in said(*one, *TAKEN, "--confidence", "id")
    assert "--round is for confidences" in said(*one, *TAKEN, "--round", "2")
    assert "a page is about confidences" in said(*one, *TAKEN, "--out", "page.html")
    log.write_text(log.read_text().replace("q1,b", "q1,"))
    assert "log.csv, line 3: model is empty" in said(*one, *TAKEN, "--cluster", "model")


def test_objects_keep_the_order_of_their_keys(score: Callable[..., Said], tmp_path: Path) -> None:
    options = {f"option {i * 37 % 50}": -float(i) for i in range(50)} | {"IDK": 3.0}
    lines = "\n\n".join(json.dumps({"options": options, "gold": "option 0"}) for _ in range(3))
    for path, write in ((tmp_path / "log.jsonl", open), (tmp_path / "log.jsonl.gz", gzip.open)):
        with write(path, "wt") as file:
            file.write(lines)
        code, out, err = score(path, "--metrics", "distributional_correctness_score(normalise=False)", "--json")
        assert code == 0, err
        made = json.loads(out)["groups"][0]["measurements"][0]
        [expected] = measure_table(
            {"options": [options] * 3, "gold": ["option 0"] * 3},
            metrics=["distributional_correctness_score(normalise=False)"],
        )
        assert made["value"] == pytest.approx(expected.value, abs=1e-12)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{", "line 2 is not JSON"),
        ("[1]", "line 2 is '[1]'"),
        ('{"options": 3, "gold": "a"}', "line 2: options is '3'"),
    ],
)
def test_broken_lines_are_named(score: Callable[..., Said], tmp_path: Path, line: str, complaint: str) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(json.dumps({"options": {"a": 1, "b": 2}, "gold": "a"}) + f"\n{line}\n")
    code, _, err = score(path, "--metrics", "distributional_correctness_score")
    assert code == 2 and complaint in " ".join(err.split())

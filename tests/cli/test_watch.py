"""`doxa watch`: which tests can be made, when the alarm is raised, and outcomes that come late."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from doxa.cli.main import main
from doxa.metrics.maths.martingale import Drift, Invalidity

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def doxa(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Call:
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["doxa", "watch", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        return (int(end.value.code or 0), *capsys.readouterr())

    return call


def table(n: int, seed: int, *, odds: Callable[[Any], Any] = lambda p: p, told: bool = False) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    p = rng.integers(0, 21, n) / 20
    columns = {"id": [f"q{i}" for i in range(n)], "confidence": p, "correct": rng.random(n) < odds(p)}
    return pl.DataFrame(columns | ({"probability": p} if told else {}))


@pytest.fixture
def files(tmp_path: Path) -> Path:
    table(600, 1).write_csv(tmp_path / "old.csv")
    table(300, 2, told=True).write_csv(tmp_path / "same.csv")
    table(300, 3, told=True, odds=lambda p: p**3).write_csv(tmp_path / "worse.csv")
    table(300, 4).with_columns(pl.col("confidence") ** 3).drop("correct").write_csv(tmp_path / "lower.csv")
    return tmp_path


def findings(said: tuple[int, str, str]) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in json.loads(said[1])["tests"]}


def test_files_alike_raise_no_alarm(doxa: Call, files: Path) -> None:
    said = doxa("old.csv", "same.csv", "--json")
    found = findings(said)
    assert said[0] == 0 and json.loads(said[1])["alarm"] is False
    assert all(each["evidence"]["raised"] is None for each in found.values())
    old, new = pl.read_csv("old.csv"), pl.read_csv("same.csv")
    # Three tests share the level.
    drift = Drift(old["confidence"].to_numpy(), level=0.01 / 3).update(new["confidence"].to_numpy())
    assert found["confidences"]["evidence"]["capital"] == drift.capital
    gaps = [(t["correct"].cast(float) - t["confidence"]).to_numpy() for t in (old, new)]
    assert found["errors"]["evidence"]["peak"] == Drift(gaps[0], level=0.01 / 3).update(gaps[1]).peak
    valid = Invalidity(level=0.01 / 3).update(probability=new["probability"], correct=new["correct"])
    assert found["probabilities"]["evidence"]["capital"] == valid.capital
    assert found["errors"]["before"] == pytest.approx(1 - old["correct"].mean())


def test_errors_that_became_more_raise_the_alarm(doxa: Call, files: Path) -> None:
    said = doxa("old.csv", "worse.csv", "--json")
    found = findings(said)
    assert said[0] == 10 and json.loads(said[1])["alarm"] is True
    assert found["probabilities"]["evidence"]["raised"] is not None
    assert found["confidences"]["evidence"]["raised"] is None


def test_confidences_alone_raise_it_without_outcomes(doxa: Call, files: Path) -> None:
    code, out, _ = doxa("old.csv", "lower.csv")
    assert code == 10 and "ALARM (" in out and max(map(len, out.splitlines())) <= 80
    words = " ".join(out.split())
    assert "errors not tested" in words and "probabilities not tested" in words
    assert findings(doxa("old.csv", "lower.csv", "--json"))["errors"]["evidence"] is None


def test_late_labels_count_in_the_order_they_came(doxa: Call, files: Path) -> None:
    new = pl.read_csv("worse.csv")
    late = new.select("id", "correct").sample(fraction=0.8, shuffle=True, seed=5)
    late.write_csv("late.csv")
    new.drop("correct").write_csv("today.csv")
    found = findings(doxa("old.csv", "today.csv", "--labels", "late.csv", "--id", "id", "--json"))
    joined = late.join(new.drop("correct"), on="id", how="left", maintain_order="left")
    valid = Invalidity(level=0.01 / 3).update(probability=joined["probability"], correct=joined["correct"])
    assert found["probabilities"]["evidence"]["capital"] == valid.capital
    assert found["confidences"]["evidence"]["seen"] == 300
    pl.concat([late, pl.DataFrame({"id": ["who"], "correct": [True]})]).write_csv("late.csv")
    _, _, err = doxa("old.csv", "today.csv", "--labels", "late.csv", "--id", "id")
    assert "1 of 241 labels are of no answer in NEW" in err
    # Yesterday's answers need no ids, and the outcomes may have another name.
    pl.read_csv("old.csv").drop("id").rename({"correct": "right"}).write_csv("old.csv")
    late.rename({"correct": "right"}).write_csv("late.csv")
    again = findings(doxa("old.csv", "today.csv", "--labels", "late.csv", "--id", "id", "--correct", "right", "--json"))
    assert again == found


def test_scores_of_any_scale_are_watched(doxa: Call, files: Path) -> None:
    for name in ("old", "same"):
        pl.read_csv(f"{name}.csv").select("correct", pl.col("confidence").sub(3).alias("score")).write_csv(
            f"{name}.csv"
        )
    code, _, err = doxa("old.csv", "same.csv", "--confidence", "score")
    assert code == 2 and "--scale real" in err
    found = findings(doxa("old.csv", "same.csv", "--confidence", "score", "--scale", "real", "--json"))
    outcomes = [pl.read_csv(f"{name}.csv")["correct"].cast(float).to_numpy() for name in ("old", "same")]
    assert found["errors"]["evidence"]["peak"] == Drift(outcomes[0], level=0.005).update(outcomes[1]).peak


def test_missing_confidences_and_outcomes_are_passed_over(doxa: Call, files: Path) -> None:
    holes = pl.read_csv("same.csv").with_row_index()
    gone = {
        name: pl.when(pl.col("index") % step > 0).then(pl.col(name))
        for name, step in [("confidence", 3), ("correct", 2)]
    }
    holes.with_columns(**gone).write_csv("same.csv")
    found = findings(doxa("old.csv", "same.csv", "--json"))
    seen = {name: each["evidence"]["seen"] for name, each in found.items()}
    assert seen == {"confidences": 200, "errors": 100, "probabilities": 150}


def test_runs_are_watched(doxa: Call, tmp_path: Path) -> None:
    for name, odds in (("before", 0.9), ("now", 0.5)):
        (tmp_path / name).mkdir()
        part = table(300, len(name), odds=lambda p, odds=odds: p * 0 + odds)
        parts = [part.with_columns(estimator=pl.lit(each), scale=pl.lit("unit")) for each in "ab"]
        pl.concat(parts).write_parquet(tmp_path / name / "items.parquet")
    assert "several estimators" in doxa("before", "now")[2]
    code, out, _ = doxa("before", "now", "--estimator", "a", "--json")
    found = findings((code, out, ""))
    assert code == 10 and found["errors"]["evidence"]["raised"] is not None
    assert found["confidences"]["evidence"]["raised"] is None and found["probabilities"]["evidence"] is None


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("old.csv", "none.csv"), "there is no file"),
        (("old.csv", "same.csv", "--confidence", "nothing"), "no column 'nothing'"),
        (("old.csv", "same.csv", "--labels", "same.csv"), "which label belongs"),
        (("old.csv", "same.csv", "--labels", "same.csv", "--id", "correct"), "several rows of one correct"),
        (("old.csv", "same.csv", "--level", "0"), "level=0"),
        (("old.csv", "same.csv", "--level", "2"), "level=2"),
        (("bare.csv", "same.csv"), "no column of confidences"),
    ],
)
def test_misuse_is_told(doxa: Call, files: Path, arguments: tuple[str, ...], says: str) -> None:
    (files / "bare.csv").write_text("id\n1\n")
    code, out, err = doxa(*arguments)
    assert (code, out) == (2, "") and says in err and "hint:" in err

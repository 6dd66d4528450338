"""Scores of Parquet read in batches: the numbers of the same rows in memory, whatever the batches and files."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doxa.cli import large
from doxa.cli.main import main
from doxa.errors import DataError, UsageError
from doxa.metrics import measure
from doxa.metrics.maths.kernels import Places, Sums
from doxa.metrics.maths.rule import rule, rules
from doxa.scoring import Group, Log, open_log, parquet_files, score_log
from doxa.streaming import passes
from doxa.streaming.passes import score_source
from doxa.streaming.rows import count, open_source
from doxa.streaming.tally import APART, Grid, Tally, chunk
from doxa.types import Scale

STREAMED = [name for name in rules() if isinstance(rule(name).kernel, Sums | Places)]


class Said(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def doxa(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    def call(*arguments: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["doxa", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        return Said(int(end.value.code or 0), *capsys.readouterr())

    return call


def table(
    n: int = 300, seed: int = 0, digits: int | None = None, clusters: int = 40, missing: bool = True
) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    cluster = rng.integers(0, clusters, n)
    sure = np.clip(rng.random(n) ** 0.7 + 0.2 * rng.standard_normal(clusters)[cluster], 0, 1)
    sure = sure if digits is None else sure.round(digits)
    right = rng.random(n) < 0.1 + 0.7 * sure
    gone, ungraded = (rng.random(n) < 0.05 * missing for _ in range(2))
    return pl.DataFrame(
        {
            "confidence": [None if g else float(p) for p, g in zip(sure, gone, strict=True)],
            "correct": [None if u else bool(y) for y, u in zip(right, ungraded, strict=True)],
            "cluster": [f"c{c}" for c in cluster],
            "model": [f"m{m}" for m in rng.integers(0, 3, n)],
        }
    )


def streamed(folder: Path, *tables: pl.DataFrame, batch: int = 1000, **how: object) -> list[Group]:
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.parquet"):
        old.unlink()
    for i, one in enumerate(tables):
        one.write_parquet(folder / f"{i}.parquet")
    drawn = {key: how.pop(key) for key in ("metrics", "intervals") if key in how}
    return score_source(open_source(parquet_files(folder), **how), batch=batch, **drawn)  # type: ignore[arg-type]


def numbers(groups: list[Group]) -> dict[tuple[str, ...], list[float]]:
    return {
        (*group.by.values(), m.name): [float("nan") if x is None else x for x in (m.value, m.low, m.high)]
        + [m.n, m.missing]
        for group in groups
        for m in group.measurements
    }


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 400), st.integers(0, 99), st.sampled_from([None, 1, 2]), st.integers(10, 200), st.booleans())
def test_values_are_those_of_the_rows_in_memory(
    tmp_path: Path, n: int, seed: int, digits: int | None, batch: int, by: bool
) -> None:
    rows = table(n, seed, digits)
    how = {"by": ["model"]} if by else {}
    rows.write_parquet(tmp_path / "all.parquet")
    expected = score_log(open_log(tmp_path / "all.parquet"), metrics=STREAMED, intervals=False, **how)
    found = streamed(
        tmp_path / "parts", rows[: n // 3], rows[n // 3 :], batch=batch, metrics=STREAMED, intervals=False, **how
    )
    assert [group.by for group in found] == [group.by for group in expected]
    for ours, theirs in zip(found, expected, strict=True):
        for a, b in zip(ours.measurements, theirs.measurements, strict=True):
            bound = ours.bounds.get(a.name, 0.0)
            assert replace(a, value=None) == replace(b, value=None)
            if b.value is None:
                assert a.value is None
                continue
            assert a.value == pytest.approx(b.value, rel=1e-12, abs=bound + 1e-12)
            assert digits is None or bound == 0
            assert (a.name in ours.bounds) == (isinstance(rule(a.name).kernel, Places))


@pytest.mark.parametrize("bins", [64, 1 << 16])
def test_order_of_rows_batches_and_files_do_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bins: int
) -> None:
    monkeypatch.setattr(passes, "BINS", bins)
    rows = table(500)
    one = numbers(streamed(tmp_path / "one", rows, cluster="cluster", by=["model"]))
    shuffled = rows.sample(fraction=1, shuffle=True, seed=1)
    files = [shuffled[i : i + 77] for i in range(0, 500, 77)]
    many = numbers(streamed(tmp_path / "many", *files, batch=13, cluster="cluster", by=["model"]))
    assert list(one) == list(many)
    for name, values in one.items():
        assert many[name] == pytest.approx(values, rel=1e-7, abs=1e-12, nan_ok=True)


def test_the_same_files_give_the_same_bits(tmp_path: Path) -> None:
    rows = table(2000)
    again = [numbers(streamed(tmp_path, rows, batch=50, cluster="cluster")) for _ in range(2)]
    assert again[0] == again[1]


def test_intervals_by_formula_are_those_of_the_rows_in_memory(tmp_path: Path) -> None:
    rows = table(400, digits=2, missing=False)
    names = ("accuracy", "mean_confidence", "overconfidence", "brier_loss", "log_loss", "auroc")
    found = streamed(tmp_path, rows, metrics=names)[0].measurements
    for a, b in zip(found, measure(confidence=rows["confidence"], correct=rows["correct"], metrics=names), strict=True):
        assert (a.reason, a.n) == (b.reason, b.n)
        assert (a.low, a.high) == (pytest.approx(b.low, abs=1e-12), pytest.approx(b.high, abs=1e-12))


@pytest.mark.parametrize("cluster", [None, "cluster"])
def test_linearised_intervals_agree_with_the_bootstrap(tmp_path: Path, cluster: str | None) -> None:
    rows = table(6000, clusters=300, missing=False)
    names = ["accuracy", "brier_loss", "ece", "auroc", "aurc", "excess_aurc", "brier_resolution", "mean_confidence"]
    found = streamed(tmp_path, rows, metrics=names, cluster=cluster)[0].measurements
    units = None if cluster is None else rows[cluster]
    known = measure(confidence=rows["confidence"], correct=rows["correct"], cluster=units, metrics=names)
    for a, b in zip(found, known, strict=True):
        assert None not in (a.low, a.high, b.low, b.high)
        assert (a.high - a.low) / (b.high - b.low) == pytest.approx(1, abs=0.1), a.name  # type: ignore[operator]
        assert (a.high + a.low) / 2 == pytest.approx((b.high + b.low) / 2, abs=0.2 * (b.high - b.low))  # type: ignore[operator]


def by_hand(rows: pl.DataFrame) -> float:
    """Width of the cluster-robust interval of the accuracy, without Student's correction."""
    mean = rows["correct"].mean()
    sums = rows.group_by("cluster").agg((pl.col("correct") - mean).sum().alias("sum"))["sum"].to_numpy()
    return float(2 * 1.96 * np.sqrt((sums**2).sum()) / rows.height)


def test_more_clusters_than_groups_give_the_same_interval_on_average(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passes, "BINS", 1 << 10)
    rows = table(40_000, clusters=8000, missing=False)
    accuracy = streamed(tmp_path, rows, batch=10_000, metrics=["accuracy"], cluster="cluster")[0].measurements[0]
    assert accuracy.high is not None
    assert accuracy.low is not None
    assert "1,024 groups of clusters" in accuracy.reason
    assert (accuracy.high - accuracy.low) / by_hand(rows) == pytest.approx(1, abs=0.06)


def test_rows_that_are_all_right_leave_room_for_wrong_ones(tmp_path: Path) -> None:
    rows = pl.DataFrame({"confidence": [0.5] * 30, "correct": [True] * 30, "cluster": [i // 3 for i in range(30)]})
    accuracy, aurc, auroc = streamed(tmp_path, rows, metrics=["accuracy", "aurc", "auroc"], cluster="cluster")[
        0
    ].measurements
    assert (accuracy.value, accuracy.high) == (1, 1)
    assert accuracy.low == pytest.approx(0.7225, abs=1e-4)
    assert (aurc.value, aurc.low, auroc.value) == (0, None, None)


def test_scores_that_are_no_probabilities_are_ranked(tmp_path: Path) -> None:
    rows = table(500).with_columns(pl.col("confidence") * 60 - 30)
    found = streamed(tmp_path, rows, scale=Scale.REAL)[0]
    expected = score_log(Log(rows, open_source(parquet_files(tmp_path)).columns, Scale.REAL), intervals=False)[0]
    assert [m.name for m in found.measurements] == ["accuracy", "auroc", "aurc"]
    for a, b in zip(found.measurements, expected.measurements, strict=True):
        assert a.value == pytest.approx(b.value, abs=found.bounds.get(a.name, 0) + 1e-12)


@pytest.mark.parametrize(
    ("cell", "field", "said"),
    [
        (1.5, "confidence", "confidence is 1.5"),
        (float("nan"), "confidence", "confidence is nan"),
        (2, "correct", "correct is 2"),
    ],
)
def test_a_bad_cell_is_named(tmp_path: Path, cell: float, field: str, said: str) -> None:
    good = pl.DataFrame({"confidence": [0.5] * 60, "correct": [1] * 60})
    bad = good.with_columns(pl.when(pl.int_range(60) == 41).then(cell).otherwise(pl.col(field)).alias(field))
    with pytest.raises(DataError, match=rf"1\.parquet, line 42: {said}"):
        streamed(tmp_path, good, bad.cast({"confidence": pl.Float64}), batch=7)


@pytest.mark.parametrize("empty", ["", None])
def test_a_row_without_cluster_is_named(tmp_path: Path, empty: str | None) -> None:
    rows = pl.DataFrame({"confidence": [0.5] * 9, "correct": [True] * 9, "cluster": ["a"] * 5 + [empty] + ["b"] * 3})
    for intervals in (True, False):
        with pytest.raises(DataError, match=r"line 6: cluster is"):
            streamed(tmp_path, rows, cluster="cluster", intervals=intervals)


def test_words_for_outcomes_percentages_and_conditions_are_read(tmp_path: Path) -> None:
    rows = table(300, digits=2)
    words = rows.with_columns(
        pl.format("{}%", pl.col("confidence") * 100),
        pl.when(pl.col("correct")).then(pl.lit("Yes")).when(~pl.col("correct")).then(pl.lit("no")).alias("correct"),
    )
    how = {"conditions": ["model=m0", "model=m2"]}
    found = numbers(streamed(tmp_path, words, batch=40, percent=True, digits=2, **how))
    expected = numbers(streamed(tmp_path, rows, **how))
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        assert found[name] == pytest.approx(values, abs=1e-9)
    with pytest.raises(UsageError, match="no row has model = m7"):
        streamed(tmp_path, rows, conditions=["model=m7"])


def test_what_cannot_be_computed_in_batches_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="adaptive_ece, mmce cannot") as refused:
        streamed(tmp_path, table(), metrics=["auroc", "adaptive_ece", "mmce"])
    assert "--no-stream" in refused.value.hint
    with pytest.raises(UsageError, match="over 2,048 groups are too many"):
        many = pl.DataFrame({"confidence": [0.5] * 3000, "correct": [True] * 3000, "model": range(3000)})
        streamed(tmp_path, many, by=["model"])


def test_the_command_reads_files_folders_and_patterns(doxa: Callable[..., Said], tmp_path: Path) -> None:
    rows = table(300)
    for i in range(3):
        rows[i * 100 : (i + 1) * 100].write_parquet(tmp_path / f"part{i}.parquet")
    rows.write_parquet(tmp_path / "all.parquet.whole")
    said = [doxa("score", what, "--cluster", "cluster", "--json") for what in (tmp_path, tmp_path / "part*.parquet")]
    first, second = (json.loads(one.out)["groups"] for one in said)
    assert first == second
    assert first[0]["measurements"][0]["n"] + first[0]["measurements"][0]["missing"] == 300
    assert sorted(first[0]["bounds"]) == ["aurc", "auroc"]
    assert "300 rows" in said[0].err
    text = doxa("score", tmp_path, "--by", "model").out
    assert "auroc: from bins, within" in text
    assert "from bins: within" in doxa("score", tmp_path).out
    assert doxa("score", tmp_path, "--where", "model=m1").code == 0
    assert re.search(r"300 rows, \d+ kB", said[0].err)


def test_folders_and_patterns_are_read_at_once_where_that_is_said(doxa: Callable[..., Said], tmp_path: Path) -> None:
    rows = table(300)
    rows.write_parquet(tmp_path / "whole.parquet")
    (tmp_path / "logs").mkdir()
    for i in range(3):
        rows[i * 100 : (i + 1) * 100].write_parquet(tmp_path / "logs" / f"part{i}.parquet")
    files = tmp_path / "whole.parquet", tmp_path / "logs", tmp_path / "logs" / "*.parquet"
    whole, *others = (json.loads(doxa("score", file, "--no-stream", "--json").out)["groups"] for file in files)
    assert others == [whole, whole]
    page = tmp_path / "page.html"
    assert doxa("score", tmp_path / "logs", "--no-stream", "-o", page).code == 0
    assert f"doxa calibrate {tmp_path / 'logs'}" in page.read_text()
    assert doxa("calibrate", tmp_path / "logs", "--method", "platt", "-o", tmp_path / "cal.json").code == 0
    rows.rename({"confidence": "sure"}).write_parquet(tmp_path / "logs" / "part3.parquet")
    for how, said in (("--stream", "part3.parquet lacks a column"), ("--no-stream", "not readable at once")):
        refused = doxa("score", tmp_path / "logs", how)
        assert (refused.code, said in refused.err, "all files need" in refused.err) == (2, True, True)


def test_large_files_are_read_in_batches_unless_told_otherwise(
    doxa: Callable[..., Said], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table(60).write_parquet(tmp_path / "log.parquet")
    assert "read in batches" not in doxa("score", tmp_path / "log.parquet").err
    monkeypatch.setattr(large, "ROWS", 59)
    assert "60 rows" in doxa("score", tmp_path / "log.parquet").err
    assert "read in batches" not in doxa("score", tmp_path / "log.parquet", "--no-stream").err
    refused = doxa("score", tmp_path / "log.parquet", "--complete-by", "model", "--id", "cluster")
    assert (refused.code, "--complete-by" in refused.err, "--no-stream" in refused.err) == (2, True, True)


def test_files_of_other_types_or_with_marks_of_patterns_in_their_names_are_read(tmp_path: Path) -> None:
    rows = table(300, missing=False)
    rows[:100].write_parquet(tmp_path / "log[1].parquet")
    rows[100:200].with_columns(pl.col("correct").cast(pl.Int8)).write_parquet(tmp_path / "log[2].parquet")
    rows[200:].with_columns(pl.col("model", "cluster").cast(pl.Categorical)).write_parquet(tmp_path / "log?.parquet")
    files = parquet_files(tmp_path)
    assert count(files) == 300
    found = numbers(score_source(open_source(files, by=["model"], cluster="cluster")))
    expected = numbers(streamed(tmp_path / "one", rows, by=["model"], cluster="cluster"))
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        assert found[name] == pytest.approx(values, rel=1e-7, abs=1e-12, nan_ok=True)


def test_what_is_kept_of_the_rows_does_not_grow_with_them() -> None:
    accuracy = {"accuracy": rule("accuracy").kernel}
    seen, rng = Tally(Grid(0, 1, 16)), np.random.default_rng(0)
    for _ in range(300):
        p = rng.random(50)
        seen.add(chunk(accuracy, seen, p, p > 0.5, 0))  # type: ignore[arg-type]
    assert len(seen.sums) <= APART
    assert seen.total().tolist() == [seen.counts[:, 1].sum()]


def test_the_file_that_is_not_whole_is_named(tmp_path: Path) -> None:
    table(9).write_parquet(tmp_path / "a.parquet")
    (tmp_path / "b.parquet").write_bytes(b"PAR1 but not really")
    with pytest.raises(DataError, match=r"b\.parquet is not readable"):
        count(parquet_files(tmp_path))


def test_stream_is_for_parquet(doxa: Callable[..., Said], tmp_path: Path) -> None:
    table(60).write_csv(tmp_path / "log.csv")
    said = doxa("score", tmp_path / "log.csv", "--stream")
    assert (said.code, "is no Parquet" in said.err) == (2, True)
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 but not really")
    said = doxa("score", tmp_path / "broken.parquet", "--stream")
    assert (said.code, "is not readable" in said.err) == (2, True)


@pytest.mark.slow
def test_ten_million_rows_agree_with_memory_and_stay_small(tmp_path: Path) -> None:
    n, rng = 10_000_000, np.random.default_rng(0)
    p = rng.random(n) ** 0.5
    y = rng.random(n) < 0.2 + 0.7 * p
    rows = {"confidence": p, "correct": y, "cluster": rng.integers(0, n // 10, n)}
    pl.DataFrame(rows).write_parquet(tmp_path / "log.parquet")
    command = [sys.executable, "-m", "doxa.cli.main", "score", str(tmp_path), "--cluster", "cluster", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        group = json.loads(process.stdout.read())["groups"][0]
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    assert usage.ru_maxrss < 1024 * 1024
    for ours, theirs in zip(group["measurements"], measure(confidence=p, correct=y, intervals=False), strict=True):
        bound = group["bounds"].get(ours["name"], 0.0)
        assert bound < 1e-4
        assert ours["value"] == pytest.approx(theirs.value, rel=1e-12, abs=max(bound, 1e-12))
        assert ours["low"] < ours["value"] < ours["high"]

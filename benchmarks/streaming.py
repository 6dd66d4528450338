"""Scores of 100 million rows in Parquet, larger than the memory they may take, beside DuckDB.

The table has a confidence (a random number of 53 bits), an outcome and one of ten million clusters in every row. doxa
reads it in batches and returns what `doxa score` prints: accuracy, mean confidence, overconfidence, Brier score, ECE,
AUROC and AURC, each with an interval that respects the clusters; it reads twice, as the intervals need the values.
DuckDB makes the ten calibration bins of the ECE (counts, mean confidence, accuracy), and a mean of the outcomes by
group: by cluster, as intervals need it, or by only a hundred groups. It has no AUROC, AURC or interval to offer. All
use every core. Memory is the largest resident set of the whole process, Python included.

Of 10 million rows the scores from batches are compared with those of the same rows in memory.
"""

from __future__ import annotations

import os
import resource
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from side import Result, Row, Side, Table, Target, main, play

PART = 5_000_000
DUCKDB = ("duckdb==2.0.0",)
BY_CLUSTER, BY_GROUP = "DuckDB, mean by cluster", "DuckDB, mean by 100 groups"
GIB = 1 << 30


def write(folder: Path, rows: int) -> str:
    """Write the table in files of a few million rows; the pattern of their names."""
    import numpy as np
    import polars as pl

    folder.mkdir()
    rng = np.random.default_rng(0)
    for begin in range(0, rows, PART):
        n = min(PART, rows - begin)
        confidence = rng.random(n) ** 0.5
        right = rng.random(n) < 0.2 + 0.7 * confidence
        cluster = rng.integers(0, rows // 10, n, dtype=np.int32)
        part = pl.DataFrame({"confidence": confidence, "correct": right, "cluster": cluster})
        part.write_parquet(folder / f"{begin // PART}.parquet", row_group_size=1 << 20)
    return str(folder / "*.parquet")


def peak() -> int:
    """The largest resident set of this process so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def batches(setup: Any) -> Callable[[], Any]:
    """doxa, in batches."""
    from doxa.scoring import parquet_files
    from doxa.streaming.passes import score_source
    from doxa.streaming.rows import open_source

    source = open_source(parquet_files(Path(setup["files"])), cluster="cluster" if setup["intervals"] else None)

    def turn() -> Any:
        group = score_source(source, intervals=setup["intervals"])[0]
        values = {m.name: [m.value, m.low, m.high] for m in group.measurements}
        return {"values": values, "bounds": dict(group.bounds), "rows": group.measurements[0].n, "bytes": peak()}

    return turn


def memory(setup: Any) -> Callable[[], Any]:
    """doxa, all rows at once."""
    import polars as pl

    from doxa.metrics import measure

    def turn() -> Any:
        table = pl.read_parquet(setup["files"], columns=["confidence", "correct"])
        found = measure(confidence=table["confidence"], correct=table["correct"], intervals=False)
        return {"values": {m.name: [m.value] for m in found}, "bytes": peak()}

    return turn


def duckdb(setup: Any) -> Callable[[], Any]:
    """DuckDB: ten bins, and a grouped mean."""
    import duckdb

    connection = duckdb.connect()
    files, key = setup["files"], setup["key"]
    bins = f"""select greatest(ceil(confidence * 10) - 1, 0) as bin, count(*), avg(confidence), avg(correct::int)
        from '{files}' group by bin order by bin"""
    means = f"select count(*), avg(mean) from (select avg(correct::int) as mean from '{files}' group by {key})"

    def turn() -> Any:
        found = connection.execute(bins).fetchall()
        connection.execute(means).fetchall()
        rows = sum(n for _, n, _, _ in found)
        ece = sum(n * abs(sure - right) for _, n, sure, right in found) / rows
        accuracy = sum(n * right for _, n, _, right in found) / rows
        return {"values": {"ece": [ece], "accuracy": [accuracy]}, "rows": rows, "bytes": peak()}

    return turn


def apart(ours: Any, theirs: Any) -> tuple[float, float]:
    """The largest difference of exact values, and that of values from bins as a share of their bound."""
    by = {name: abs(ours["values"][name][0] - value) for name, (value, *_) in theirs["values"].items()}
    exact = max(gap for name, gap in by.items() if name not in ours["bounds"])
    return exact, max((by[name] / bound for name, bound in ours["bounds"].items() if name in by), default=0.0)


def benchmark(quick: bool) -> Result:
    rows, small = (2_000_000, 1_000_000) if quick else (100_000_000, 10_000_000)
    with tempfile.TemporaryDirectory() as folder:
        files = write(Path(folder) / "large", rows)
        size = sum(file.stat().st_size for file in Path(folder).rglob("*.parquet"))
        sides = (
            Side("doxa", batches, {"files": files, "intervals": True}),
            Side(BY_CLUSTER, duckdb, {"files": files, "key": "cluster"}, DUCKDB),
            Side(BY_GROUP, duckdb, {"files": files, "key": "cluster % 100"}, DUCKDB),
        )
        played = play(sides, rounds=3)
        parts = {"files": write(Path(folder) / "small", small), "intervals": False}
        both = play((Side("in batches", batches, parts), Side("at once", memory, parts)), rounds=3)
    ours = played["doxa"].answers[0]
    seconds = Table(
        f"{rows:,} rows, {size / 1e9:.2f} GB", tuple(Row(n, t.seconds, work=rows) for n, t in played.items()), of="rows"
    )
    held = Table(
        "Memory",
        tuple(Row(n, tuple(a["bytes"] / GIB for a in t.answers)) for n, t in played.items()),
        unit="GiB",
    )
    at_once = Table(
        f"{small:,} rows without intervals", tuple(Row(n, t.seconds, work=small) for n, t in both.items()), of="rows"
    )
    exact, from_bins = apart(both["in batches"].answers[0], both["at once"].answers[0])
    known = [apart(ours, played[side].answers[0])[0] for side in (BY_CLUSTER, BY_GROUP) if side in played]
    targets = (
        Target("times the time of DuckDB with a mean by cluster", _times(seconds, BY_CLUSTER), at_most=3),
        Target("times the time of DuckDB with a mean by 100 groups", _times(seconds, BY_GROUP), at_most=3),
        Target("GiB of memory", max(a["bytes"] for a in played["doxa"].answers) / GIB, at_most=1.5),
        Target("accuracy and ECE differ from DuckDB's by", max(known, default=None), at_most=1e-9),
        Target("exact scores differ from those in memory by", exact, at_most=1e-12),
        Target("scores from bins differ by, as a share of their bound", from_bins, at_most=1),
    )
    shown = ", ".join(f"{name} {ours['values'][name][0]:.6f} ± {bound:.1e}" for name, bound in ours["bounds"].items())
    return Result(
        (seconds, held, at_once),
        targets,
        notes=(f"From 65,536 bins of the confidence: {shown}.", f"{os.cpu_count()} cores."),
        failures=(*played.failures, *both.failures),
        versions=played.versions,
    )


def _times(table: Table, side: str) -> float | None:
    ratio = table.ratio(side)
    return None if ratio is None else 1 / ratio


if __name__ == "__main__":
    main(benchmark)

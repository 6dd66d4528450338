"""A run of any number of questions: the same rows by way of the disk, in a bounded memory (R17)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import doxa
from doxa import items, shelf
from doxa.questions import load
from doxa.runs import Run

SERVER = Path(__file__).parents[2] / "benchmarks" / "side" / "server.py"


def assayed(questions: object, out: Path, estimators: str) -> Run:
    return doxa.assay(doxa.load_model("mock/honest"), questions, estimators=estimators, out=out)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "estimators", ["self_consistency,sequence_probability", "sequence_probability,p_true_few_shot"]
)
def test_rows_and_metrics_are_the_same_by_way_of_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, estimators: str
) -> None:
    asked = load("bank:planted?n=61")
    whole = assayed(asked, tmp_path / "whole", estimators)
    monkeypatch.setattr(items, "PART", 7)
    monkeypatch.setattr(shelf, "ROOM", 100)
    parts = assayed(shelf.shelved(asked), tmp_path / "parts", estimators)
    assert_frame_equal(parts.frame(), whole.frame())
    one, other = ((run.directory / "metrics.json").read_bytes() for run in (whole, parts))
    assert one == other
    assert not list(parts.directory.glob(".*"))


# Not what getrusage says: that begins with the memory of the process that started this one.
RUN = """
import re, sys
from pathlib import Path
from doxa.cli.main import main
try:
    main()
finally:
    print(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1], file=sys.stderr)
"""


def peak(folder: Path, count: int, address: str) -> int:
    """Megabytes that a run of so many questions of 2 kB takes at most."""
    file = folder / f"{count}.jsonl"
    with file.open("w") as lines:
        for number in range(count):
            lines.write(json.dumps({"question": f"#{number} " + "why? " * 390, "answer": "amber"}) + "\n")
    words = ["run", str(file), "--model", "openai/fake-1", "--estimators", "sequence_probability", "--json"]
    environment = {**os.environ, "OPENAI_BASE_URL": address, "OPENAI_API_KEY": "none"}
    command = [sys.executable, "-c", RUN, *words, "--out", str(folder / f"run{count}")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    assert pl.scan_parquet(folder / f"run{count}" / "items.parquet").select(pl.len()).collect().item() == count
    return int(done.stderr.split()[-1]) // 1024


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_questions(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, str(SERVER), "--latency", "0.005"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout and server.stdin
        address = server.stdout.readline().strip()
        small, large = peak(tmp_path, 20_000, address), peak(tmp_path, 60_000, address)
        server.stdin.close()
    assert large < 400
    assert large - small < 60, f"{small} MB for 20,000 questions, {large} MB for 60,000"

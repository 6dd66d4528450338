"""The whole way on a real model: the embedded one, with every estimator."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from doxa import registry

BANKS = "bank:capitals+capitals_choice+arithmetic+fictional"


def doxa_run(folder: Path, *options: str) -> dict[str, Any]:
    """Four questions, one of each bank, put to the embedded model; what `--json` says of the run."""
    command = [
        sys.executable, "-m", "doxa.cli.main", "run", BANKS, "--model", "smollm2", "--limit", "4", "--samples", "4",
        "--max-tokens", "24", "--out", "run", "--json", *options,
    ]  # fmt: skip
    result = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=570)
    assert result.returncode == 0, result.stderr
    return dict(json.loads(result.stdout)["run"])


@pytest.mark.local
def test_some_estimators_run_end_to_end(tmp_path: Path) -> None:
    names = ["p_true", "perplexity", "self_consistency", "stated_two_turn"]
    told = doxa_run(tmp_path, "--estimators", ",".join(names))
    assert told["status"] == "complete"
    items = pl.read_parquet(tmp_path / "run" / "items.parquet")
    assert items.height == 4 * len(names)
    assert (items["error"] == "").all()
    assert set(items["tag.bank"]) == {"capitals", "capitals_choice", "arithmetic", "fictional"}


@pytest.mark.slow
@pytest.mark.local
@pytest.mark.timeout(1200)
def test_every_estimator_runs_end_to_end(tmp_path: Path) -> None:
    told = doxa_run(tmp_path)
    assert told["status"] == "complete"
    items = pl.read_parquet(tmp_path / "run" / "items.parquet")
    taken, left_out = {each["name"] for each in told["estimators"]}, told["left_out"]
    assert taken | set(left_out) == set(registry.names("estimators"))
    assert all("service" in why or "claim" in why for why in left_out.values())
    assert items.height == 4 * len(taken)
    assert (items["error"] == "").all()
    assert items.filter(pl.col("confidence").is_null())["reason"].str.len_chars().min() > 0
    given = items.filter(pl.col("confidence").is_not_null())["estimator"].unique()
    unmarked = {"answer_span_best", "answer_span_probability", "answer_span_vote", "mathprompter"}
    learners = {"certainty_words_fitted", "stated_top_k_scaled", "p_true_few_shot"}  # four questions teach little
    assert taken - set(given) <= unmarked | learners
    assert doxa_run(tmp_path)["calls"] == 0

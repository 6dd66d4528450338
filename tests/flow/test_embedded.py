"""The whole way on a real model: the embedded one, with every estimator."""

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from doxa import registry


@pytest.mark.local
@pytest.mark.timeout(280)
def test_the_embedded_model_is_assayed_end_to_end(tmp_path: Path) -> None:
    command = [
        sys.executable, "-m", "doxa.cli.main", "run", "bank:capitals+capitals_choice+arithmetic+fictional",
        "--model", "smollm2", "--limit", "4", "--samples", "4", "--max-tokens", "24", "--out", "run", "--json",
    ]  # fmt: skip
    result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=270)
    assert result.returncode == 0, result.stderr
    told = json.loads(result.stdout)
    assert told["run"]["status"] == "complete"
    items = pl.read_parquet(tmp_path / "run" / "items.parquet")
    taken, left_out = {each["name"] for each in told["run"]["estimators"]}, told["run"]["left_out"]
    assert taken | set(left_out) == set(registry.names("estimators"))
    assert all("service" in why or "claim" in why for why in left_out.values())
    assert items.height == 4 * len(taken)
    assert (items["error"] == "").all()
    assert items.filter(pl.col("confidence").is_null())["reason"].str.len_chars().min() > 0
    assert set(items["tag.bank"]) == {"capitals", "capitals_choice", "arithmetic", "fictional"}
    given = items.filter(pl.col("confidence").is_not_null())["estimator"].unique()
    unmarked = {"answer_span_best", "answer_span_probability", "answer_span_vote", "mathprompter"}
    learners = {"certainty_words_fitted", "stated_top_k_scaled", "p_true_few_shot"}  # four questions teach little
    assert taken - set(given) <= unmarked | learners
    again = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=200)
    assert json.loads(again.stdout)["run"]["calls"] == 0

"""The page of a log: confidences and outcomes are all there is."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from doxa.cli.log_page import log_page
from doxa.errors import DataError
from doxa.logged import Graded, study
from doxa.report.log import render_log, sentences
from doxa.scoring import open_log
from doxa.types import Scale


def table(n: int = 1500, sharpness: float = 1.0, seed: int = 0) -> pl.DataFrame:
    """A calibrated log where `sharpness` is 1; above, confidence is too high."""
    rng = np.random.default_rng(seed)
    true = rng.beta(4, 1, n)
    stated = np.round(true ** (1 / sharpness), 3)
    return pl.DataFrame({"confidence": stated, "correct": rng.random(n) < true, "model": rng.choice(["a", "b<i>"], n)})


def page(folder: Path, frame: pl.DataFrame, *by: str, **columns: str) -> str:
    path = folder / "log.csv"
    frame.write_csv(path)
    return render_log(log_page(path, open_log(path, **columns), by, 0))


def plain(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html.partition("<body>")[2])).replace("\xa0", " ")


def test_the_four_questions_are_answered_in_their_order(tmp_path: Path) -> None:
    text = plain(page(tmp_path, table()))
    asked = ["Is it calibrated?", "Does it rank?", "What if it refuses below", "Which threshold keeps a promise?"]
    assert [text.index(question) for question in asked] == sorted(text.index(question) for question in asked)
    assert "not shown to be too sure or too unsure" in text
    assert "with 95 % confidence" in text
    assert "doxa apply cal.json tomorrow.csv" in text


def test_overconfidence_and_the_lack_of_a_promise_are_said(tmp_path: Path) -> None:
    frame = table(300, sharpness=6.0).with_columns(correct=pl.int_range(300) % 2 == 0)
    text = plain(page(tmp_path, frame))
    assert "too sure by" in text
    assert "No threshold is shown to keep errors under 5 %" in text


def test_groups_stand_beside_each_other_and_apart(tmp_path: Path) -> None:
    html = page(tmp_path, table(), "model")
    assert "b&lt;i&gt;" in html and "<i>b" not in html
    assert plain(html).count("Which threshold keeps a promise?") == 2


def test_scores_that_are_no_probabilities_are_not_called_too_sure() -> None:
    frame = table()
    score = np.log(frame["confidence"].to_numpy() + 0.01)
    found = study(Graded(score, frame["correct"].to_numpy(), None, Scale.REAL))
    assert found["bins"] is None and "overconfidence" not in found["measurements"]
    assert "no probabilities" in sentences(found)[0]
    assert {one["name"] for one in found["calibrated"]} >= {"platt", "isotonic", "venn_abers"}
    assert "temperature" not in {one["name"] for one in found["calibrated"]}


def test_what_comes_next_is_what_helps(tmp_path: Path) -> None:
    sure = page(tmp_path, table(4000, sharpness=3.0))
    assert "selective_risk(risk=0.05)" in sure and "--method" in sure
    noise = pl.DataFrame({"confidence": [0.1 * (i % 10) for i in range(60)], "correct": [i % 7 < 4 for i in range(60)]})
    text = page(tmp_path, noise)
    assert "selective_risk" not in text.partition("What next?")[2]
    assert "refusing some is not shown to help" in plain(text)


def test_promises_grow_with_what_is_allowed_and_hold_on_other_rows() -> None:
    frame = table(4000)
    found = study(Graded(frame["confidence"].to_numpy(), frame["correct"].to_numpy(), None, Scale.UNIT))
    coverages = [one["coverage"] for one in found["promises"]]
    assert coverages == sorted(coverages) and coverages[-1] > 0.5
    for one in found["promises"]:
        if one["held_out"]["risk"] is not None:
            assert one["held_out"]["low"] <= one["risk"]


def test_thresholds_count_what_is_answered() -> None:
    p, y = np.array([0.2, 0.55, 0.9, 0.9]), np.array([False, True, False, True])
    rows = {row["threshold"]: row for row in study(Graded(p, y, None, Scale.UNIT))["thresholds"]}
    assert (rows[0.0]["answered"], rows[0.0]["risk"]) == (4, 0.5)
    assert (rows[0.5]["answered"], rows[0.5]["avoided"]) == (3, 0.5)
    assert rows[0.95]["risk"] is None and rows[0.95]["avoided"] == 1.0


@pytest.mark.parametrize("right", [True, False])
def test_one_sided_and_tiny_logs_have_a_page(tmp_path: Path, right: bool) -> None:
    frame = pl.DataFrame({"confidence": [0.5, 0.7, 1.0], "correct": [right] * 3})
    text = plain(page(tmp_path, frame))
    assert "Whether it ranks cannot be said" in text and "Too few or too one-sided" in text
    assert not re.search(r"\b(nan|None|inf)\b", text)


def test_a_log_without_a_usable_row_is_refused() -> None:
    with pytest.raises(DataError, match="no row of model = x"):
        study(Graded(np.array([]), np.array([], dtype=bool), None, Scale.UNIT), by={"model": "x"})


def test_one_command_writes_it(tmp_path: Path) -> None:
    table(200).write_csv(tmp_path / "log.csv")
    command = [sys.executable, "-m", "doxa.cli.main", "score", "log.csv", "-o", "page.html", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=120)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["schema"] == "doxa.score/1"
    html = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert html.startswith("<!doctype html>") and "<script" not in html

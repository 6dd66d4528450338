"""What the command says and returns where a provider never answers, or refuses for good (R11, R19)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from doxa.journal import entries
from fake_server import error

pytestmark = pytest.mark.slow
SERVER = Path(__file__).parents[1] / "fake_server.py"


def run(folder: Path, faults: list[Any], *options: str) -> subprocess.CompletedProcess[str]:
    """`doxa run` on a hundred questions in a folder, against a server with that script of faults."""
    rows = ({"id": f"q{n}", "question": f"Which tree is number {n}?", "answer": "amber"} for n in range(100))
    (folder / "q.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    command = [sys.executable, "-m", "doxa.cli.main", "run", "q.jsonl", "--model", "openai/fake-1", "--out", "run"]
    command += ["--estimators", "sequence_probability", *options]
    script = [sys.executable, str(SERVER), "--faults", json.dumps(faults)]
    with subprocess.Popen(script, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        environment = {**os.environ, "OPENAI_BASE_URL": server.stdout.readline().strip(), "OPENAI_API_KEY": "sk-hush"}
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
        server.terminate()
    assert "Traceback" not in done.stderr
    assert "sk-hush" not in done.stdout + done.stderr
    return done


def test_a_provider_that_stops_answering_leaves_3_and_the_way_to_go_on(tmp_path: Path) -> None:
    done = run(tmp_path, [*[None] * 99, *["hang"] * 9], "-M", "timeout=1", "-M", "max_attempts=2")
    assert done.returncode == 3, done.stderr
    assert "doxa resume" in done.stderr
    assert len(list(entries(tmp_path / "run"))) == 99


@pytest.mark.parametrize(
    "refusal", [error(401, "Incorrect API key: sk-hush"), error(429, "You exceeded your quota", "insufficient_quota")]
)
def test_a_provider_that_refuses_for_good_leaves_4_and_what_was_done(tmp_path: Path, refusal: Any) -> None:
    done = run(tmp_path, [*[None] * 40, *[refusal] * 100], "-M", "max_connections=8")
    assert done.returncode == 4, done.stderr
    assert "refuses all requests" in done.stderr
    assert len(list(entries(tmp_path / "run"))) == 40

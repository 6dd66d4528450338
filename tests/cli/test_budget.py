"""`doxa budget`: from the items of a run to a budget, a threshold, and what they are worth elsewhere."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from doxa.calibrators.maths.folds import fold_of
from doxa.cli.main import main
from doxa.items import frame
from doxa.metrics.maths.utility import utility
from doxa.state import revive
from doxa.types import Confidence, Question, Record, Reply, Usage, Verdict

Call = Callable[..., tuple[int, str, str]]
BUDGETS = (8, 64)


@pytest.fixture
def doxa(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Call:
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["doxa", "budget", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        return (int(end.value.code or 0), *capsys.readouterr())

    return call


def record(number: int, own: dict[int, tuple[float | None, bool | None]], failed: bool = False) -> Record:
    confidences, verdicts = {}, {}
    for budget, (value, correct) in own.items():
        name, details = f"final_answer(budget={budget})", {"budget": float(budget), "thought": budget / 2}
        reason = "" if value is not None else "the final answer cannot be read"
        answer = None if value is None else "so"
        confidences[name] = Confidence(value, answer=answer, reason=reason, details=details)
        verdicts |= {name: Verdict(correct)} if answer else {}
    return Record(
        Question(f"q{number:03}", "What?", ("so",)),
        Reply("so"),
        Verdict(True),
        confidences,
        verdicts,
        usage=dict.fromkeys(confidences, Usage(1, 1, 1)),
        errors=dict.fromkeys(confidences, "timeout") if failed else {},
    )


def run(folder: Path, records: list[Record]) -> Path:
    folder.mkdir()
    frame(records).write_parquet(folder / "items.parquet")
    (folder / "run.json").write_text(json.dumps({"schema": "doxa.run/1"}))
    return folder


def answers(n: int = 120) -> list[dict[int, tuple[float | None, bool | None]]]:
    """Long thinking is sure of what it solves; every tenth short answer cannot be read."""
    rng = np.random.default_rng(0)
    told: list[dict[int, tuple[float | None, bool | None]]] = []
    for i in range(n):
        solved = bool(rng.random() < 0.6)
        short = (None, None) if i % 10 == 0 else (0.5, bool(rng.random() < 0.5))
        told.append({8: short, 64: (0.9 if solved else 0.2, solved)})
    return told


def test_choices_are_worth_what_counting_says(doxa: Call, tmp_path: Path) -> None:
    told = answers()
    code, out, err = doxa(run(tmp_path / "r", [record(i, own) for i, own in enumerate(told)]), "--json")
    assert (code, err) == (0, "")
    content = json.loads(out)
    assert (content["n"], content["left_out"], content["budgets"]) == (120, 0, [8, 64])
    assert [each["cost"] for each in content["choices"]] == [0, 1, 20]
    solved = sum(own[64][1] is True for own in told)
    for each in content["choices"]:
        # Whatever the fold, thinking long and answering from 0.9 on is best.
        assert each["policy"]["state"] == {"budget": 64, "threshold": [0.9]}
        assert each["utility"]["value"] == pytest.approx(solved / 120) and each["accuracy"] == 1.0
        assert each["answered"] == pytest.approx(solved / 120) and each["tokens"] == 32
        always = utility(right=solved, wrong=120 - solved, abstained=0, risk=each["cost"])
        assert each["always"]["value"] == pytest.approx(always)
        assert each["utility"]["low"] < each["utility"]["value"] < each["utility"]["high"]


def test_worth_is_measured_on_questions_that_did_not_choose(doxa: Call, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    values = rng.random((60, 2)).round(3)
    right = rng.random((60, 2)) < 0.5
    own = [{b: (float(values[i, j]), bool(right[i, j])) for j, b in enumerate(BUDGETS)} for i in range(60)]
    folder = run(tmp_path / "r", [record(i, each) for i, each in enumerate(own)])
    _, out, _ = doxa(folder, "--cost", 1, "--json")
    fold, total = fold_of([f"q{i:03}" for i in range(60)]), 0
    from doxa.policies.thinking_budget import ThinkingBudget

    for i in range(5):
        there = fold != i
        policy = ThinkingBudget(budgets=BUDGETS, cost=1).fit(confidence=values[there], correct=right[there])
        if not policy._threshold or policy._budget is None:
            continue
        j = BUDGETS.index(policy._budget)
        given = ~there & (values[:, j] >= policy._threshold[0])
        total += int((given & right[:, j]).sum()) - int((given & ~right[:, j]).sum())
    assert json.loads(out)["choices"][0]["utility"]["value"] == pytest.approx(total / 60)


def test_failed_and_ungraded_questions_are_left_out(doxa: Call, tmp_path: Path) -> None:
    told = [record(i, own, failed=i < 3) for i, own in enumerate(answers(40))]
    told[5] = record(5, {8: (0.5, None), 64: (0.5, True)})
    _, out, _ = doxa(run(tmp_path / "r", told), "--json")
    assert (json.loads(out)["n"], json.loads(out)["left_out"]) == (36, 4)


def test_what_is_printed_fits_and_the_policy_is_written(doxa: Call, tmp_path: Path) -> None:
    folder = run(tmp_path / "r", [record(i, own) for i, own in enumerate(answers())])
    code, out, err = doxa(folder, "--cost", 20, "--price", 0.001, "-o", "bundle.json")
    assert (code, err) == (0, "") and max(map(len, out.splitlines())) <= 80
    policy = revive(json.loads((tmp_path / "bundle.json").read_text()))
    assert (policy.cost, policy.price, policy._budget) == (20, 0.001, 64)
    assert "never" not in out
    wrong: list[dict[int, Any]] = [{8: (0.5, False), 64: (0.5, False)} for _ in range(20)]
    _, out, _ = doxa(run(tmp_path / "w", [record(i, own) for i, own in enumerate(wrong)]))
    assert out.count("never") == 3


def test_misuse_is_told(doxa: Call, tmp_path: Path) -> None:
    one: list[dict[int, Any]] = [{8: (0.5, True)} for _ in range(5)]
    folder = run(tmp_path / "r", [record(i, own) for i, own in enumerate(one)])
    for arguments, says in [
        ((folder,), "at two budgets"),
        ((tmp_path,), "holds no run"),
        ((folder, "-o", "bundle.json"), "for one cost"),
    ]:
        code, out, err = doxa(*arguments)
        assert (code, out) == (2, "") and says in err and "hint:" in err

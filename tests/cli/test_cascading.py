"""`doxa cascade`: files, runs and long tables; what is chosen and what is printed."""

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
from doxa.policies.maths.frontier import Answers, frontier
from doxa.policies.thinking_budget import ThinkingBudget
from doxa.state import revive
from doxa.types import Case

Call = Callable[..., tuple[int, str, str]]
PRICES = ("--price", "small=1", "--price", "large=10")


@pytest.fixture
def doxa(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Call:
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["doxa", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        return (int(end.value.code or 0), *capsys.readouterr())

    return call


def table(n: int = 1200) -> pl.DataFrame:
    """The small model knows what it knows; the large one is right nineteen times of twenty. Rows in any order."""
    rng = np.random.default_rng(0)
    p = rng.integers(0, 11, n) / 10
    small = {"model": ["small"] * n, "question": range(n), "confidence": p, "correct": rng.random(n) < p, "hint": p}
    large = small | {"model": ["large"] * n, "confidence": np.full(n, 0.9), "correct": rng.random(n) < 0.95}
    return pl.concat([pl.DataFrame(small), pl.DataFrame(large)]).sample(fraction=1, shuffle=True, seed=1)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    table().write_csv(tmp_path / "log.csv")
    return tmp_path / "log.csv"


def found(said: tuple[int, str, str]) -> dict[str, Any]:
    assert said[0] == 0, said[2]
    return json.loads(said[1])  # type: ignore[no-any-return]


def test_one_table_with_a_column_of_models(doxa: Call, log: Path, tmp_path: Path) -> None:
    told = ("cascade", log, "--across", "model", "--id", "question", *PRICES)
    content = found(doxa(*told, "--json", "-o", tmp_path / "bundle.json"))
    assert (content["models"], content["prices"], content["n"]) == (["small", "large"], [1.0, 10.0], 1200)
    assert [row["cost"]["value"] for row in content["alone"]] == [1.0, 10.0]
    wide = table().sort("question")
    sides = [wide.filter(pl.col("model") == name) for name in ("small", "large")]
    for row, side in zip(content["alone"], sides, strict=True):
        assert row["risk"]["value"] == pytest.approx(1 - side["correct"].mean())
        assert row["risk"]["low"] < row["risk"]["value"] < row["risk"]["high"]
    for row in content["held_out"]:
        assert row["oracle"] - 0.02 <= row["risk"]["value"] and 1 <= row["calls"] <= 2
    # Held-out costs and risks lie near those of the frontier of everything.
    answers = Answers(
        np.stack([side["confidence"].to_numpy() for side in sides], 1),
        np.stack([side["correct"].to_numpy() for side in sides], 1),
        np.tile([1.0, 10.0], (1200, 1)),
    )
    middle = content["held_out"][len(content["held_out"]) // 2]
    best = min(point.risk for point in frontier(answers) if point.cost <= middle["budget"])
    assert middle["risk"]["value"] == pytest.approx(best, abs=0.03)
    assert middle["risk"]["value"] < middle["chance"] - 0.05
    policy = revive(json.loads((tmp_path / "bundle.json").read_text()))
    assert policy.to_json() == {key: content["policy"][key] for key in policy.to_json()}
    assert policy.decide(Case(1.0)).payload == "small" and policy.decide(Case(0.0)).payload == "large"


def test_a_file_each_says_the_same(doxa: Call, log: Path, tmp_path: Path) -> None:
    for name in ("small", "large"):
        table().filter(pl.col("model") == name).drop("model").write_csv(tmp_path / f"{name}.csv")
    one = found(doxa("cascade", log, "--across", "model", "--id", "question", *PRICES, "--json"))
    other = found(doxa("cascade", "large.csv", "small.csv", "--id", "question", *PRICES, "--json"))
    assert one == other


def test_what_is_printed_fits_and_names_the_guarantee(doxa: Call, log: Path) -> None:
    code, out, err = doxa("cascade", log, "--across", "model", "--id", "question", *PRICES, "--risk", 0.15)
    assert (code, err) == (0, "") and max(map(len, out.splitlines())) <= 80
    words = " ".join(out.split())
    assert "Chosen: small from" in words and "at most 0.15 are wrong, with probability 0.95" in words
    assert "oracle" in out and "answered" not in out
    _, out, _ = doxa("cascade", log, "--across", "model", "--id", "question", *PRICES, "--coverage", 0.5)
    assert "answered" in out and "oracle" not in out and max(map(len, out.splitlines())) <= 80
    _, out, _ = doxa("cascade", log, "--across", "model", "--id", "question", *PRICES, "--risk", 0.001)
    assert "it would abstain on everything" in " ".join(out.split())


def test_a_signal_known_before_asking_routes(doxa: Call, log: Path) -> None:
    told = ("cascade", log, "--across", "model", "--id", "question", *PRICES, "--signal", "hint", "--json")
    content = found(doxa(*told))
    assert content["policy"]["method"] == "routing" and {row["calls"] for row in content["held_out"]} == {1.0}
    cascade = found(doxa(*told[:-3], "--json"))
    # The same decisions, but the small model is not paid where the large one is asked.
    cheaper = [row["cost"]["value"] for row in content["held_out"] if row["risk"]["value"] < 0.2]
    dearer = [row["cost"]["value"] for row in cascade["held_out"] if row["risk"]["value"] < 0.2]
    assert min(cheaper) < min(dearer) + 1
    assert doxa(*told, "--coverage", 0.5)[0] == 2


def test_questions_that_one_model_lacks_are_left_out(doxa: Call, tmp_path: Path) -> None:
    short = table().filter((pl.col("model") == "small") | (pl.col("question") < 1000))
    short.write_csv(tmp_path / "log.csv")
    content = found(doxa("cascade", "log.csv", "--across", "model", "--id", "question", *PRICES, "--json"))
    assert (content["n"], content["left_out"]) == (1000, 200)


def test_runs_are_priced_by_their_tokens(doxa: Call, tmp_path: Path) -> None:
    (tmp_path / "prices.yaml").write_text(
        "mock/honest: {input: 1.0, output: 1.0}\nmock/overconfident: {input: 5.0, output: 5.0}\n"
    )
    for name in ("honest", "overconfident"):
        told = ("--model", f"mock/{name}", "--limit", 40, "--estimators", "stated_two_turn", "--out", name)
        assert doxa("run", "bank:planted", *told)[0] == 0
    content = found(doxa("cascade", "honest", "overconfident", "--json"))
    assert content["models"] == ["mock/honest", "mock/overconfident"]
    short = doxa(
        "cascade", "honest", "overconfident", "--price", "honest=1", "--price", "mock/overconfident=2", "--json"
    )
    assert found(short)["prices"] == [1.0, 2.0]
    code, _, err = doxa("cascade", "honest", "overconfident", "--price", "nobody=1")
    assert code == 2 and "there is no model 'nobody'" in err
    items = pl.read_parquet(tmp_path / "honest" / "items.parquet")
    tokens = (items["tokens_in"] + items["tokens_out"]).to_numpy()
    known = items["correct"].is_not_null().to_numpy()
    assert content["prices"][0] == pytest.approx(tokens[known].mean() / 1e6, rel=0.2)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--across", "model", "--id", "question"), "0 prices"),
        (("--across", "model", "--id", "question", *PRICES, "--price", "tiny=1"), "model = tiny"),
        (("--across", "nobody", "--id", "question", *PRICES), "no column 'nobody'"),
        (("--across", "model", *PRICES), "which questions are the same"),
        (("--across", "model", "--id", "hint", *PRICES), "several rows for hint"),
        (("--id", "question"), "needs two models"),
        (("--across", "model", "--id", "question", "--price", "small=x", "--price", "large=1"), "is no price"),
        (("--across", "model", "--id", "question", *PRICES, "--risk", "2"), "risk=2"),
        (("--across", "model", "--id", "question", *PRICES, "--signal", "model"), "model is 'small'"),
    ],
)
def test_misuse_is_told(doxa: Call, log: Path, arguments: tuple[str, ...], says: str) -> None:
    code, out, err = doxa("cascade", log, *arguments)
    assert (code, out) == (2, "") and says in err and "hint:" in err


def test_models_without_a_price_are_named(doxa: Call, log: Path, tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text(log.read_text())
    part = table().filter(pl.col("model") == "small")
    part.write_csv(log)
    part.write_csv(tmp_path / "other.csv")
    code, _, err = doxa("cascade", log, "other.csv", "--id", "question", "--price", "log=1")
    assert code == 2 and "no price is known for other" in err
    code, _, err = doxa("cascade", log, "other.csv", "--id", "question", "--price", "nobody=1")
    assert code == 2 and "there is no model 'nobody'" in err


def test_the_written_policy_is_applied_to_answers_of_the_first_model(doxa: Call, log: Path, tmp_path: Path) -> None:
    doxa("cascade", log, "--across", "model", "--id", "question", *PRICES, "-o", "cascade.json")
    small = table().filter(pl.col("model") == "small")
    small.write_csv("small.csv")
    code, out, err = doxa("apply", "cascade.json", "small.csv", "-o", "decided.csv")
    assert code == 0, err
    decided = pl.read_csv("decided.csv")
    policy = revive(json.loads((tmp_path / "cascade.json").read_text()))
    assert decided["act"].to_list() == [policy.decide(Case(p)).act for p in small["confidence"]]
    assert set(decided["act"]) == {"answer", "escalate"} and "escalate" in out
    assert set(decided.filter(pl.col("act") == "escalate")["ask"]) == {"large"}
    assert decided.filter(pl.col("act") == "answer")["ask"].null_count() == (decided["act"] == "answer").sum()
    assert "probability" not in decided.columns


def test_a_written_route_names_the_model_to_ask(doxa: Call, log: Path) -> None:
    doxa("cascade", log, "--across", "model", "--id", "question", *PRICES, "--signal", "hint", "-o", "route.json")
    table().filter(pl.col("model") == "small").drop("confidence").write_csv("new.csv")
    code, _, err = doxa("apply", "route.json", "new.csv", "-o", "decided.csv")
    assert code == 0, err
    assert set(pl.read_csv("decided.csv")["ask"]) == {"small", "large"}


@pytest.mark.parametrize(
    ("policy", "verb"),
    [
        ("cascade", "doxa cascade"),
        ("routing", "doxa cascade --signal COL"),
        ("privacypad", "doxa delegate"),
        ("thinking_budget(cost=2)", "doxa budget"),
    ],
)
def test_calibrate_names_the_verb_that_learns_such_a_policy(doxa: Call, log: Path, policy: str, verb: str) -> None:
    code, out, err = doxa("calibrate", log, "--policy", policy)
    assert code == 2 and not out and f"{verb} learns it" in err


def test_a_policy_that_a_column_does_not_decide_is_not_applied(doxa: Call, log: Path) -> None:
    policy = ThinkingBudget(budgets=(8,)).fit(confidence=[0.5, 0.9], correct=[False, True])
    Path("budget.json").write_text(json.dumps(policy.to_json()))
    code, _, err = doxa("apply", "budget.json", log, "-o", "decided.csv")
    assert code == 2 and "thinking_budget" in err and "doxa budget wrote it" in err and "--estimator" not in err


def test_act_says_what_the_policy_of_a_cascade_lacks(doxa: Call, log: Path) -> None:
    doxa("cascade", log, "--across", "model", "--id", "question", *PRICES, "-o", "cascade.json")
    code, _, err = doxa("act", "bank:capitals", "--model", "mock/honest", "--bundle", "cascade.json")
    assert code == 2 and "the policy cascade alone, without a calibrator" in err and "doxa calibrate RUN" in err

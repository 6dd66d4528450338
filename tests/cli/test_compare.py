"""`doxa compare` and `doxa power`: runs and files, what is paired with what, what is refused, and 80 columns."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pytest

import doxa as doxa_
from doxa import metrics
from doxa.cli.main import main
from doxa.metrics.maths.multiplicity import holm
from doxa.metrics.maths.verdicts import mcnemar
from doxa.prompts.paraphrases import TEMPLATES, worded


class Said(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def tables(self) -> list[dict[str, Any]]:
        assert self.code == 0, self.err
        found: list[dict[str, Any]] = json.loads(self.out)["tables"]
        return found


Doxa = Callable[..., Said]


@pytest.fixture
def doxa(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Doxa:
    def call(*arguments: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["doxa", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        return Said(int(end.value.code or 0), *capsys.readouterr())

    return call


ESTIMATORS = ("p_true", "self_consistency", "mean_token_entropy", "stated_top_k", "stated_two_turn(as_released=True)")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Runs of three models; the second was asked fewer questions."""
    folder, found = tmp_path_factory.mktemp("runs"), {}
    questions = doxa_.bank("planted", n=60)
    for model, limit in (("honest", 60), ("overconfident", 50), ("timid", 60)):
        found[model] = folder / model
        doxa_.assay(doxa_.load_model(f"mock/{model}"), questions[:limit], estimators=ESTIMATORS, out=found[model])
    return found


def rows(n: int = 80, seed: int = 0) -> pl.DataFrame:
    """Two models on the same questions, the one right more often."""
    rng = np.random.default_rng(seed)
    p = rng.integers(1, 20, (2, n)) / 20
    y = rng.random((2, n)) < np.array([0.8, 0.5])[:, None] * (0.5 + p / 2)
    return pl.DataFrame(
        {
            "question": [f"q{i}" for i in range(n)] * 2,
            "model": ["a"] * n + ["b"] * n,
            "topic": [f"t{i // 4}" for i in range(n)] * 2,
            "confidence": p.ravel(),
            "correct": y.ravel(),
        }
    )


def test_estimators_are_held_against_the_best_and_pay_for_the_choice(doxa: Doxa, runs: dict[str, Path]) -> None:
    reply, *rest = doxa("compare", runs["honest"], "--json").tables
    assert (reply["metric"], reply["about"], reply["picked"], rest) == ("auroc", "reply", True, [])
    items = pl.read_parquet(runs["honest"] / "items.parquet")
    parts = {
        str(name): part.sort("question") for (name,), part in items.partition_by("estimator", as_dict=True).items()
    }
    for row in reply["rows"]:
        if row["p"] is not None:
            one, other = parts[row["name"]], parts[reply["reference"]]
            made = metrics.compare(
                one["confidence"], other["confidence"], correct=one["correct"], cluster=one["cluster"].to_numpy()
            )
            assert (row["difference"], row["p"], row["n"]) == pytest.approx((made.difference, made.p, made.n))
            assert row["detectable"] == made.detectable
    adjusted = holm([row["p"] for row in reply["rows"]], reply["among"])
    assert [row["holm"] for row in reply["rows"]] == pytest.approx(adjusted)
    tested = sum(row["p"] is not None for row in reply["rows"])
    assert reply["among"] == tested * (tested + 1) // 2
    assert "stated_top_k" not in {row["name"] for row in reply["rows"]}


def test_a_named_reference_needs_no_correction_for_being_picked(doxa: Doxa, runs: dict[str, Path]) -> None:
    (table,) = doxa("compare", runs["honest"], "--reference", "self_consistency", "--json").tables
    assert (table["reference"], table["picked"]) == ("self_consistency", False)
    assert table["among"] == sum(row["p"] is not None for row in table["rows"])
    missing = {row["name"]: (row["missing"], row["reason"]) for row in table["rows"]}
    assert missing["stated_two_turn(as_released=True)"] == (60, "no graded answer has both confidences")
    only = doxa("compare", runs["honest"], "--estimators", "p_true,self_consistency", "--json").tables
    assert [len(t["rows"]) for t in only] == [1]


def test_models_are_compared_on_the_questions_both_were_asked(doxa: Doxa, runs: dict[str, Path]) -> None:
    said = doxa("compare", runs["honest"], runs["overconfident"], "--metric", "auroc,brier_loss", "--json")
    found = json.loads(said.out)
    assert found["questions"] == {"compared": 50, "left_out": {"honest": 10}}
    assert found["rivals"] == ["honest", "overconfident"]
    tables = {(t["metric"], t["about"]): t for t in said.tables}
    assert list(tables) == [
        ("accuracy", "reply"),
        ("auroc", "reply"),
        ("auroc", "own"),
        ("brier_loss", "reply"),
        ("brier_loss", "own"),
    ]
    (accuracy,) = tables["accuracy", "reply"]["rows"]
    assert (accuracy["gained"], accuracy["lost"], accuracy["p"], accuracy["n"]) == (0, 0, 1.0, 50)
    own = tables["brier_loss", "own"]["rows"]
    assert [row["group"] for row in own] == ["stated_top_k"] and own[0]["difference"] > 0
    by_group = {row["group"]: row for row in tables["brier_loss", "reply"]["rows"]}
    assert "needs confidences in [0, 1]" in by_group["mean_token_entropy"]["reason"]
    calibrated = doxa(
        "compare", runs["honest"], runs["timid"], "--metric", "brier_loss", "--confidence", "probability", "--json"
    ).tables
    assert calibrated[1]["metric"] == "brier_loss"


def test_files_one_per_model_and_one_for_all_say_the_same(doxa: Doxa, tmp_path: Path) -> None:
    table = rows()
    table.write_csv(tmp_path / "all.csv")
    for (name,), part in table.partition_by("model", as_dict=True).items():
        part.sample(fraction=1.0, shuffle=True, seed=1).write_csv(tmp_path / f"{name}.csv")
    two = doxa("compare", tmp_path / "a.csv", tmp_path / "b.csv", "--json").tables
    one = doxa("compare", tmp_path / "all.csv", "--across", "model", "--id", "question", "--json").tables
    assert one == two
    accuracy, auroc = one
    a, b = (table.filter(pl.col("model") == name) for name in "ab")
    gained, lost = int((b["correct"] & ~a["correct"]).sum()), int((a["correct"] & ~b["correct"]).sum())
    (row,) = accuracy["rows"]
    assert (row["gained"], row["lost"], row["p"]) == (gained, lost, pytest.approx(mcnemar(gained, lost)))
    assert row["difference"] == pytest.approx(b["correct"].mean() - a["correct"].mean())  # type: ignore[operator]
    made = metrics.compare(b["confidence"], a["confidence"], correct=b["correct"], correct_b=a["correct"])
    assert auroc["rows"][0]["p"] == pytest.approx(made.p)


def test_clusters_of_a_file_are_kept_together(doxa: Doxa, tmp_path: Path) -> None:
    rows().write_csv(tmp_path / "log.csv")
    table = doxa("compare", tmp_path / "log.csv", "--cluster", "topic", "--metric", "accuracy", "--json").tables[0]
    assert "sign flips of clusters" in table["rows"][0]["reason"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["log.csv", "--across", "kind"], "there is no column 'kind'"),
        (["log.csv", "--id", "model"], "has two rows of a"),
        (["log.csv", "--where", "model=a"], "only a to compare"),
        (["log.csv", "--reference", "c"], "there is no 'c' to compare with"),
        (["log.csv", "--metric", "aurok"], "no 'aurok' in metrics"),
        (["log.csv", "other.csv"], "the rivals share no question"),
        (["log.csv", "."], "runs and files of predictions do not go together"),
        (["log.csv", "other.csv", "--across", "model"], "--across is for one file"),
        (["bare.csv"], "no column is named question or"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    doxa: Doxa, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    table = rows()
    table.write_csv(tmp_path / "log.csv")
    table.filter(pl.col("model") == "a").with_columns(question=pl.lit("x") + pl.col("question")).write_csv(
        tmp_path / "other.csv"
    )
    table.select("confidence", "correct").write_csv(tmp_path / "bare.csv")
    monkeypatch.chdir(tmp_path)
    if "other.csv" in arguments:
        table.filter(pl.col("model") == "a").write_csv(tmp_path / "log.csv")
    found = doxa("compare", *arguments)
    assert found.code == 2 and said in found.err and "hint:" in found.err


def test_the_tables_fit_80_columns(doxa: Doxa, runs: dict[str, Path], tmp_path: Path) -> None:
    rows().write_csv(tmp_path / "log.csv")
    for arguments in (
        ["compare", runs["honest"], "--metric", "auroc,accuracy,aurc"],
        ["compare", runs["honest"], runs["overconfident"], runs["timid"]],
        ["compare", tmp_path / "log.csv"],
        ["power", "--difference", "0.03", "--questions", "5000"],
        ["power", runs["honest"], runs["timid"], "--metric", "auroc", "--difference", "0.05"],
    ):
        said = doxa(*arguments)
        assert said.code == 0, said.err
        assert max(map(len, said.out.splitlines())) <= 80
        assert "self_consistency" in said.out or arguments[1] not in runs.values()


def test_control_characters_of_names_never_reach_the_terminal(doxa: Doxa, tmp_path: Path) -> None:
    table = pl.DataFrame({"id": [*range(9)] * 2, "model": ["\x1b[31ma\x07"] * 9 + ["b\x1b]0;x"] * 9})
    noted = table.with_columns(confidence=pl.Series([None, *([0.5] * 17)]), correct=pl.Series([True, False] * 9))
    noted.write_csv(tmp_path / "log.csv")
    said = doxa("compare", tmp_path / "log.csv", "--across", "model", "--metric", "accuracy,brier_loss")
    assert said.code == 0 and "\x1b" not in said.out and "\x07" not in said.out


def test_an_apparent_difference_is_told_from_chance(doxa: Doxa, tmp_path: Path) -> None:
    rows(400).write_csv(tmp_path / "log.csv")
    said = doxa("compare", tmp_path / "log.csv", "--metric", "accuracy")
    assert "1 of 1 differ from a by more than chance explains." in said.out
    assert "flips: " in said.out


def test_power_from_nothing_but_numbers(doxa: Doxa) -> None:
    def row(*arguments: object) -> dict[str, Any]:
        said = doxa("power", *arguments, "--json")
        assert said.code == 0, said.err
        found: dict[str, Any] = json.loads(said.out)["rows"][0]
        return found

    assert row("--metric", "mean", "--between", 1 / 9, "--difference", 0.03)["questions"] == 969
    both = row("--metric", "auroc", "--difference", 0.05, "--questions", 200)
    assert both["power"] < 0.8 and both["questions"] > 200 and both["detectable"] > 0.05
    exact = row("--discordant", 0.2, "--difference", 0.05)
    assert exact["questions"] > 625 and exact["assumed"]["discordant"] == 0.2
    assert row("--metric", "mean", "--between", 0, "--noise", "0.2,0.1", "--answers", "2,1", "--questions", 100)[
        "detectable"
    ]


def test_power_of_one_run_is_about_ranking_and_never_a_handful(doxa: Doxa, runs: dict[str, Path]) -> None:
    said = doxa("power", runs["honest"], "--difference", 0.9, "--json")
    content = json.loads(said.out)
    assert content["metric"] == "auroc" and {row["questions"] for row in content["rows"]} <= {20, None}
    told = " ".join(doxa("power", runs["honest"], "--difference", 0.9, "--questions", 200).out.split())
    assert " by 200 " in told and "≥20" in told and "never below 20" in told
    assert json.loads(doxa("power", runs["honest"], runs["timid"], "--json").out)["metric"] == "accuracy"


def test_power_from_data_scales_what_was_found(doxa: Doxa, tmp_path: Path) -> None:
    rows().write_csv(tmp_path / "log.csv")
    (made,) = doxa("compare", tmp_path / "log.csv", "--metric", "accuracy", "--json").tables
    said = doxa("power", tmp_path / "log.csv", "--difference", 0.03, "--json")
    (row,) = json.loads(said.out)["rows"]
    least = made["rows"][0]["detectable"]
    assert row["detectable"] == pytest.approx(least)
    assert row["questions"] == pytest.approx(80 * (least / 0.03) ** 2, abs=1)
    four = doxa("power", tmp_path / "log.csv", "--questions", 320, "--json")
    assert json.loads(four.out)["rows"][0]["detectable"] == pytest.approx(least / 2)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "nothing to plan"),
        (["--metric", "ece", "--difference", 0.1], "ece cannot be planned from nothing"),
        (["--metric", "mean", "--difference", 0.1], "means need the variance"),
        (["--metric", "mean", "--between", 1, "--noise", "x", "--difference", 0.1], "'x' is not one number or two"),
        (["--difference", 0.9], "no difference of 0.9"),
        (["--difference", 0.1, "--power", 1.5], "no power 1.5"),
    ],
)
def test_what_cannot_be_planned_is_refused(doxa: Doxa, arguments: list[object], said: str) -> None:
    found = doxa("power", *arguments)
    assert found.code == 2 and said in found.err and "hint:" in found.err


def test_wordings_of_one_bank_say_how_much_the_wording_matters(doxa: Doxa, tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    for wording in range(4):
        right = rng.random(50) < np.linspace(0.1, 0.9, 50)
        table = pl.DataFrame({"id": np.arange(50), "confidence": 0.5, "correct": right})
        table.write_csv(tmp_path / f"w{wording}.csv")
    files = [tmp_path / f"w{wording}.csv" for wording in range(4)]
    said = doxa("compare", *files, "--paraphrases")
    assert said.code == 0, said.err
    assert said.out.startswith("accuracy under 4 wordings · 50 questions\n") and "question " in said.out
    assert max(map(len, said.out.splitlines())) <= 80
    found = json.loads(doxa("compare", *files, "--paraphrases", "--json").out)
    shares = pl.read_csv(files[0])["correct"].mean(), found["wordings"][0]
    assert shares[0] == pytest.approx(shares[1]) and found["question"] > found["wording"] >= 0
    few = doxa("compare", *files[:2], "--paraphrases")
    assert few.code == 2 and "2 wordings are too few" in few.err


def test_a_run_may_name_one_of_ten_wordings(doxa: Doxa, tmp_path: Path) -> None:
    assert len(set(TEMPLATES)) == 10 and all(text.count("{question}") == 1 for text in TEMPLATES)
    assert [worded("paraphrase/2"), worded("Say: {question}"), worded(None)] == [TEMPLATES[1], "Say: {question}", None]
    said = doxa(
        "run", "bank:planted", "--model", "mock/honest", "--template", "paraphrase/11", "--out", tmp_path / "run"
    )
    assert said.code == 2 and "there is no paraphrase/11" in said.err

"""The list of published systems: what is covered in full, by commands that name what there is."""

from __future__ import annotations

import shlex

import pytest

from doxa.choosing import named
from doxa.cli.papers import papers
from doxa.estimators.persistence import Persistence
from doxa.estimators.perturbation import Perturbation
from doxa.estimators.variation_ratio import VariationRatio


def test_a_system_is_covered_as_well_as_the_best_of_its_members() -> None:
    for row in papers():
        kinds = {member["coverage"].partition(":")[0] for member in row["members"]}
        assert row["coverage"] == next(kind for kind in ("full", "partial", "proxy") if kind in kinds)


def test_a_command_that_reads_a_log_says_what_is_in_it() -> None:
    reads = {member["name"]: member["reads"] for row in papers() for member in row["members"]}
    assert reads["metrics/refusal_index"] == {"refused": "true or false", "wrong": "true or false; may be empty"}
    assert reads["metrics/confidence_target_score"]["outcome"] == "one of correct, abstain, wrong"
    assert reads["calibrators/venn_abers"] == {"confidence": "a number", "correct": "true or false"}
    assert set(reads["calibrators/pace"]) == {"coe", "rce", "correct"} and reads["estimators/pcc"] == {}


def test_commands_name_estimators_that_can_be_made() -> None:
    for row in papers():
        for member, command in zip(row["members"], row["commands"], strict=True):
            words = shlex.split(command)
            if member["name"].startswith("estimators/"):
                chosen = named(words[words.index("--estimators") + 1])
                assert member["name"].partition("/")[2] in {label.partition("(")[0] for label in chosen}


def test_a_command_asks_the_model_that_its_member_names(monkeypatch: pytest.MonkeyPatch) -> None:
    def models() -> dict[str, set[str]]:
        named: dict[str, set[str]] = {}
        for row in papers():
            for member, command in zip(row["members"], row["commands"], strict=True):
                words = shlex.split(command)
                if "--model" in words:
                    named.setdefault(member["name"], set()).add(words[words.index("--model") + 1])
        return named

    before = models()
    assert before["estimators/persistence"] == before["training/confidence_pairs"] == {"smollm2"}
    monkeypatch.setattr(Persistence, "model", "mock/honest", raising=False)
    assert models() == {**before, "estimators/persistence": {"mock/honest"}}


def test_all_twelve_measures_of_the_study_are_named() -> None:
    [row] = [row for row in papers() if row["name"] == "look-before-you-leap"]
    chosen = [each for command in row["commands"] for each in named(shlex.split(command)[-1]).values()]
    assert row["coverage"] == "full" and len(set(chosen)) == 12
    perturbed = {(each.at, each.original) for each in chosen if isinstance(each, Perturbation)}
    assert len(perturbed) == 6
    assert {each.original for each in chosen if isinstance(each, VariationRatio)} == {False, True}

"""The field guide is what its generator makes of the estimators and of what was counted and measured."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from doxa import registry

DOCS = Path(__file__).parent.parent / "docs"
ANEW = "run: python docs/guide.py"


def generator() -> ModuleType:
    """docs/guide.py, which is no part of the package."""
    spec = importlib.util.spec_from_file_location("field_guide", DOCS / "guide.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


GUIDE = generator()


def measured() -> dict[str, Any]:
    return json.loads((DOCS / "measured.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def test_every_estimator_was_counted() -> None:
    assert sorted(measured()["facts"]) == registry.names("estimators"), ANEW


def test_the_guide_is_what_the_generator_gives_now() -> None:
    assert (DOCS / "estimators.md").read_text(encoding="utf-8") == GUIDE.guide(measured()), ANEW


def test_every_estimator_has_its_entry_and_its_line_in_one_table() -> None:
    text = (DOCS / "estimators.md").read_text(encoding="utf-8")
    for name in registry.names("estimators"):
        assert text.count(f"### `{name}`\n") == 1 and text.count(f"\n| [`{name}`](#{name}) |") == 1
        entry = text.split(f"### `{name}`\n")[1].split("\n#")[0]
        for label in ("Helps", "Fails", "Needs", "Costs", "Gives", "Source"):
            assert f"- *{label}:* " in entry, f"{name} has no {label}"


def test_what_is_needed_is_found_by_taking_it_away() -> None:
    p_true, luq, cautious, sar = (GUIDE.facts(name) for name in ("p_true", "luq", "cautious_self_consistency", "sar"))
    assert (p_true["needs"], p_true["uses"], p_true["asks"]) == ([], [], ["asked", "reply"])
    assert (luq["needs"], luq["asks"]) == (["entailment", "services"], ["reply", "samples"])
    assert cautious["needs"] == ["decoding"] and cautious["cost"]["calls"] == 11
    assert sar["needs"] == ["services"] and sar["uses"] == ["embedding", "entailment"]
    assert luq["judged"]["calls"] > luq["cost"]["calls"] == 11


def test_sources_are_authors_with_the_papers_that_follow_them() -> None:
    doc = "As in Van der Poel, Cotterell and Meister 2022, A Title (arXiv 2210.13210), after Ramsey 1926 and not 1500."
    linked = "Van der Poel, Cotterell and Meister 2022 ([arXiv 2210.13210](https://arxiv.org/abs/2210.13210))"
    assert GUIDE._sources(doc) == f"{linked}, Ramsey 1926"


def run_at(folder: Path, name: str, rows: dict[str, float | None]) -> Path:
    entries = [
        {
            "name": label,
            "about": "reply",
            "provenance": {"judge": 3},
            "raw": {"auroc": {"value": value, "low": None, "high": None, "n": 9, "reason": ""}},
        }
        for label, value in rows.items()
    ]
    questions = {"banks": {"capitals": 9}, "n": 9}
    about = {
        "id": name,
        "model": {"name": "m"},
        "questions": questions,
        "command": f"doxa run x --out {folder} --seed 1",
    }
    (folder / name).mkdir()
    (folder / name / "run.json").write_text(json.dumps(about))
    (folder / name / "metrics.json").write_text(json.dumps({"estimators": entries}))
    return folder / name


def test_a_row_about_own_answers_says_how_often_they_are_right(tmp_path: Path) -> None:
    run = run_at(tmp_path, "one", {"stated_top_k": 0.6, "luq": 0.5})
    found = json.loads((run / "metrics.json").read_text())
    shares = {"own": {"value": 0.3}, "reply": {"value": 0.5}}
    found["changes"] = {"answers": [{"name": "stated_top_k", "n": 9, **shares}, {"name": "luq", "n": 0, "own": None}]}
    (run / "metrics.json").write_text(json.dumps(found))
    rows = GUIDE.taken({"runs": {}, "rows": {}}, run)
    assert GUIDE._rows("stated_top_k", rows) == "AUROC .60, n = 9, judge, right 30 % where replies are 50 % (run 1)"
    assert "right" not in GUIDE._rows("luq", rows)


def test_a_later_run_replaces_the_rows_of_an_earlier_one(tmp_path: Path) -> None:
    empty: dict[str, Any] = {"runs": {}, "rows": {}}
    one = GUIDE.taken(empty, run_at(tmp_path, "one", {"luq": 0.61234567, "p_true": None}))
    assert one["rows"]["luq"]["value"] == 0.6123 and one["runs"]["one"]["command"] == "doxa run x --seed 1"
    two = GUIDE.taken(one, run_at(tmp_path, "two", {"luq": 0.7}))
    assert (two["rows"]["luq"]["run"], two["rows"]["p_true"]["run"]) == ("two", "one")
    three = GUIDE.taken(two, run_at(tmp_path, "three", {"p_true": 0.5, "p_true(as_released=True)": 0.4}))
    assert list(three["runs"]) == ["two", "three"]
    told = GUIDE._rows("p_true", three)
    assert told == "AUROC .50, n = 9, judge (run 2); `p_true(as_released=True)` AUROC .40, n = 9, judge (run 2)"


@pytest.mark.slow
def test_the_counts_are_those_of_the_dry_run_now() -> None:
    assert {name: GUIDE.facts(name) for name in registry.names("estimators")} == measured()["facts"], ANEW

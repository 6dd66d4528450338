"""The dry run: never fewer calls than are made, but where what is written decides, which is then said."""

import asyncio
from pathlib import Path

import pytest

from doxa import flow, registry
from doxa.choosing import make_plan, named
from doxa.cli.main import _run
from doxa.inquiry import Asking
from doxa.loading import load_model
from doxa.questions import load
from doxa.services import load_services

OPEN_ENDED = {name for name, each in named(registry.names("estimators")).items() if getattr(each, "open_ended", False)}


@pytest.mark.parametrize("bank", ["capitals", "capitals_choice"])
@pytest.mark.parametrize("name", sorted(set(registry.names("estimators")) - OPEN_ENDED))
def test_no_run_makes_more_calls_than_its_dry_run_says(name: str, bank: str, tmp_path: Path) -> None:
    model, questions = load_model("mock/honest"), load(f"bank:{bank}", limit=3, seed=0)
    plan = asyncio.run(make_plan(model, questions, name, Asking(), services=load_services("judge", None)))
    counted = asyncio.run(flow.count(plan, model.capabilities)).calls
    assert asyncio.run(flow.assay(model, plan, out=tmp_path)).info["calls"] <= counted


@pytest.mark.parametrize("name", ["deductive_verification", "step_confidence"])
def test_what_follows_from_what_is_written_has_no_bound(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["run", "bank:capitals", "--model", "mock/honest", "--limit", "6", "--dry-run", "--estimators"]
    assert _run([*asked, f"p_true,{name}"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert (
        "calls about " in said and "at most" not in said and f"more where longer texts are written, with {name}" in said
    )
    assert _run([*asked, "p_true"]) == 0
    said = capsys.readouterr().out
    assert "at most" in said and "no bound" not in said

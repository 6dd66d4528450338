"""The whole way on the mock: files of a run, resuming, what is refused, failed, missing."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import doxa
from doxa import flow, registry
from doxa.choosing import DEAR, FEW, affordable, make_plan, named
from doxa.counting import _ANSWERS
from doxa.errors import JournalError, Refused, UsageError
from doxa.inquiry import Asking, Budget
from doxa.items import frame as table_of
from doxa.journal import entries
from doxa.models.mock import Mock
from doxa.prices import Price
from doxa.services.judge import Judge
from doxa.text import canonical
from doxa.types import Capabilities, Confidence, Failure, Outcome, Question, Reply, Request, Usage

ELSEWHERE = "http://127.0.0.1:9"
SOME = ["self_consistency", "stated_two_turn", "deed", "p_true", "mean_token_entropy"]


def plan(model: Mock, n: int = 40, estimators: str | list[str] = SOME) -> flow.Plan:  # type: ignore[assignment]
    return asyncio.run(make_plan(model, doxa.bank("planted", n=n), estimators, Asking()))


def test_a_run_leaves_its_files_and_the_numbers_are_those_of_the_items(tmp_path: Path) -> None:
    run = asyncio.run(flow.assay(Mock(), plan(Mock()), out=tmp_path / "run"))
    assert {path.name for path in run.directory.iterdir()} >= {
        "run.json",
        "items.parquet",
        "metrics.json",
        "report.html",
    }
    items, metrics = run.frame(), run.metrics
    assert run.info["status"] == "complete"
    assert items.height == 40 * len(SOME)
    entry = next(entry for entry in metrics["estimators"] if entry["name"] == "p_true")
    rows = items.filter(pl.col("estimator") == "p_true")
    recomputed = doxa.measure(
        confidence=rows["confidence"].to_list(), correct=rows["correct"].to_list(), metrics=["auroc"]
    )
    assert entry["raw"]["auroc"]["value"] == recomputed[0].value
    assert entry["usage"]["calls"] == rows["calls"].sum() > 40
    assert metrics["agreement"]["n"] == 40
    assert "self_consistency" in run.table()


def test_the_same_again_is_answered_from_the_journal_and_equal(tmp_path: Path) -> None:
    first = asyncio.run(flow.assay(Mock(), plan(Mock()), out=tmp_path / "run"))
    items, metrics, paid = first.frame(), first.metrics, first.info["calls"]
    again = asyncio.run(flow.assay(Mock(), plan(Mock()), out=tmp_path / "run"))
    assert paid > 0 == again.info["calls"] and again.info["paid"]["calls"] == paid
    assert_frame_equal(again.frame(), items)
    assert again.metrics == metrics
    fresh = asyncio.run(flow.assay(Mock(), plan(Mock()), out=tmp_path / "run", fresh=True))
    assert fresh.info["calls"] == paid


def test_another_run_does_not_overwrite(tmp_path: Path) -> None:
    asyncio.run(flow.assay(Mock(), plan(Mock(), 5), out=tmp_path / "run"))
    with pytest.raises(UsageError, match="holds another run"):
        asyncio.run(flow.assay(Mock(), plan(Mock(), 6), out=tmp_path / "run"))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match="is not empty"):
        asyncio.run(flow.assay(Mock(), plan(Mock(), 6), out=tmp_path / "other"))


def test_fresh_removes_the_run_and_nothing_else(tmp_path: Path) -> None:
    asyncio.run(flow.assay(Mock(), plan(Mock()), out=tmp_path))
    (tmp_path / "notes.txt").write_text("mine")
    other = asyncio.run(flow.assay(Mock(), plan(Mock(), 30), out=tmp_path, fresh=True))
    assert other.info["questions"]["n"] == 30 and other.info["calls_saved"] == 0
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_folder_is_used_by_one_run_at_a_time(tmp_path: Path) -> None:
    chosen = plan(Mock(), 30)

    async def twice() -> list[object]:
        runs = (flow.assay(Mock(), chosen, out=tmp_path / "run") for _ in range(2))
        return list(await asyncio.gather(*runs, return_exceptions=True))

    first, second = asyncio.run(twice())
    assert isinstance(first, doxa.runs.Run) and first.info["status"] == "complete"
    assert isinstance(second, JournalError) and "in use" in str(second) and second.hint
    assert asyncio.run(flow.assay(Mock(), plan(Mock(), 30), out=tmp_path / "run")).info["calls"] == 0


def test_questions_that_cannot_be_told_apart_or_asked_are_refused() -> None:
    with pytest.raises(UsageError, match="two questions have the id"):
        flow.Plan([Question("a", "one?"), Question("a", "two?")], {})
    with pytest.raises(UsageError, match="neither text nor messages"):
        flow.Plan([Question("a")], {})


class Silent(Mock):
    """A mock behind a server that does not report tokens."""

    async def generate(self, requests: Sequence[Request]) -> list[list[Outcome]]:
        found = await super().generate(requests)
        return [[replace(each, usage=Usage(1, None, None)) for each in row if isinstance(each, Reply)] for row in found]


def test_unknown_cost_is_unknown_and_cannot_be_limited(tmp_path: Path) -> None:
    price, chosen = Price(1.0, 1.0), plan(Mock(), 30, ["stated_two_turn"])
    assert asyncio.run(flow.assay(Silent(), chosen, out=tmp_path / "a", prices={"subject": price})).info["cost"] is None
    judged = replace(plan(Mock(), 3, ["entailment_consistency"]), judge=Mock("timid"), services={"entailment": Judge()})
    both, one = {"subject": price, "judge": price}, {"subject": price, "judge": None}
    assert asyncio.run(flow.assay(Mock(), judged, out=tmp_path / "c", prices=one)).info["cost"] is None
    assert asyncio.run(flow.assay(Mock(), judged, out=tmp_path / "d", prices=both)).info["cost"] > 0
    with pytest.raises(UsageError, match="cost is unknown"):
        asyncio.run(
            flow.assay(Silent(), chosen, out=tmp_path / "b", prices={"subject": price}, budget=Budget(max_cost=1.0))
        )
    assert list(entries(tmp_path / "b"))  # what was paid for is kept all the same


class Stuck(Mock):
    """A mock behind a server that never answers some questions."""

    async def generate(self, requests: Sequence[Request]) -> list[list[Outcome]]:
        if "2?" in requests[0].messages[-1].content:
            await asyncio.sleep(60)
        return await super().generate(requests)


def test_an_interrupted_run_says_so_however_often_it_is_interrupted(tmp_path: Path) -> None:
    chosen = plan(Mock())

    async def impatient() -> None:
        work = asyncio.ensure_future(flow.assay(Stuck(base_url=ELSEWHERE), chosen, out=tmp_path / "run"))
        for _ in range(2):
            await asyncio.sleep(0.5)
            work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work

    asyncio.run(impatient())
    told = json.loads((tmp_path / "run" / "run.json").read_text())
    assert told["status"] == "interrupted" and told["calls"] == len(list(entries(tmp_path / "run"))) > 0


KNOBS: list[dict[str, Any]] = [
    {"seed": 1}, {"temperature": 1.0}, {"max_tokens": 1}, {"top_logprobs": 1}, {"statistics": ("margin",)},
]  # fmt: skip


def test_the_run_id_depends_on_all_that_determines_answers_and_on_nothing_else() -> None:
    model = Mock()
    base = plan(model, 5)
    ids = {
        base.run_id(model),
        base.run_id(Mock("overconfident")),
        plan(model, 6).run_id(model),
        base.run_id(Mock(base_url=ELSEWHERE)),
        plan(model, 5, ["p_true"]).run_id(model),
        plan(model, 5, [replace(registry.build("estimators", "self_consistency"), samples=3)]).run_id(model),
        plan(model, 5, ["self_consistency"]).run_id(model),
        replace(base, system="Be brief.").run_id(model),
        replace(base, template="Q: {question}").run_id(model),
        *(replace(base, asking=replace(base.asking, **knob)).run_id(model) for knob in KNOBS),
    }
    assert len(ids) == 9 + len(KNOBS)
    assert plan(Mock(), 5).run_id(Mock()) in ids


def test_a_budget_leaves_an_incomplete_run_that_resumes(tmp_path: Path) -> None:
    run = asyncio.run(flow.assay(Mock(), plan(Mock()), out=tmp_path / "run", budget=Budget(max_calls=100)))
    assert (run.info["status"], run.info["calls"]) == ("incomplete", 100)
    assert run.frame()["error"].str.starts_with("budget").any()
    whole = asyncio.run(flow.assay(Mock(), plan(Mock()), out=tmp_path / "run"))
    assert whole.info["status"] == "complete"
    untouched = asyncio.run(flow.assay(Mock(), plan(Mock()), out=tmp_path / "untouched"))
    assert_frame_equal(whole.frame(), untouched.frame())


class Faulty(Mock):
    """A mock some of whose calls fail."""

    async def generate(self, requests: Sequence[Request]) -> list[list[Outcome]]:
        if "2?" in requests[0].messages[-1].content or len(requests[0].messages) > 2:
            return [[Failure("timeout", "no answer in time", retryable=True)]]
        return await super().generate(requests)


class Refusing(Mock):
    """A mock behind a provider that refuses."""

    async def generate(self, requests: Sequence[Request]) -> list[list[Outcome]]:
        raise Refused("the key is not valid", hint="set OPENAI_API_KEY")


def test_failed_calls_are_errors_never_scores(tmp_path: Path) -> None:
    run = asyncio.run(flow.assay(Faulty(), plan(Mock()), out=tmp_path / "run"))
    rows = run.frame().filter(pl.col("error") != "")
    assert rows.height and rows["confidence"].is_null().all()
    assert rows["error"].str.starts_with("timeout").all()
    stated = next(entry for entry in run.metrics["estimators"] if entry["name"] == "stated_two_turn")
    assert stated["errors"] == 40 and stated["raw"]["auroc"]["errors"] == 40
    assert run.info["errors"]["timeout"] > 0
    unanswered = run.frame().filter(pl.col("finish") == "failed: timeout")["question"].n_unique()
    verdicts, accuracy = run.metrics["verdicts"], run.metrics["accuracy"]
    assert verdicts["errors"] == accuracy["errors"] == unanswered > 0
    assert verdicts["right"] + verdicts["wrong"] == accuracy["n"] == 40 - unanswered


def test_a_refusal_stops_the_run_and_keeps_what_was_done(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="key is not valid"):
        asyncio.run(flow.assay(Refusing(), plan(Mock()), out=tmp_path / "run"))
    assert json.loads((tmp_path / "run" / "run.json").read_text())["status"] == "failed"


def test_a_dry_run_counts_what_the_run_then_asks(tmp_path: Path) -> None:
    model = Mock()
    counted = asyncio.run(flow.count(plan(model), model.capabilities, probe=40))
    run = asyncio.run(flow.assay(model, plan(model), out=tmp_path / "run"))
    assert counted.calls == run.info["calls"]


class Limited(Mock):
    """The mock with fewer capabilities."""

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(logprobs=self.name == "honest")


def auto(model: Mock, n: int = 60, **options: Any) -> flow.Plan:
    return asyncio.run(make_plan(model, doxa.bank("planted", n=n), "auto", Asking(), **options))


def test_auto_takes_what_can_run_and_says_why_the_rest_cannot() -> None:
    everything = set(registry.names("estimators"))
    for model in (Mock(), Limited(), Limited("silent")):
        chosen = auto(model)
        assert set(chosen.estimators) | set(chosen.left_out) == everything
        assert not set(chosen.estimators) & set(chosen.left_out)
    assert "sequence_probability" in auto(Limited()).estimators
    assert "log-probabilities" in chosen.left_out["sequence_probability"]
    assert "stated_two_turn" in chosen.estimators and "options" in chosen.left_out["option_letters"]
    assert "teacher forcing" in auto(Limited()).left_out["p_true"]


def test_auto_stays_within_its_calls_and_takes_the_cheapest_first() -> None:
    everything = auto(Mock("silent"), n=20)
    wanted = asyncio.run(flow.count(everything, Mock("silent").capabilities, probe=20)).calls
    limit = wanted // 2
    fewer = auto(Mock("silent"), n=20, max_calls=limit)
    assert set(fewer.estimators) < set(everything.estimators)
    assert asyncio.run(flow.count(fewer, Mock("silent").capabilities, probe=20)).calls <= limit
    assert any(f"limit of {limit:,}" in reason for reason in fewer.left_out.values())
    with pytest.raises(UsageError, match="no estimator"):
        auto(Mock("silent"), n=20, max_calls=1)


@pytest.mark.parametrize("judge", [None, Mock(), Mock("silent")])
@pytest.mark.parametrize("name", ["semantic_sets", "entailment_consistency", "stated_one_turn"])
def test_auto_counts_the_replies_and_the_judge_by_what_it_shows(name: str, judge: Mock | None) -> None:
    everyone, model = named(name), Mock()
    bare = flow.Plan(doxa.bank("planted", n=3), {}, judge=judge, services={"entailment": Judge()})
    wanted = asyncio.run(flow.count(replace(bare, estimators=everyone), model.capabilities)).calls
    chosen = asyncio.run(affordable(bare, everyone, model.capabilities, wanted))
    assert set(chosen.estimators) == {name}
    with pytest.raises(UsageError, match="no estimator"):
        asyncio.run(affordable(bare, everyone, model.capabilities, wanted - 1))


def test_what_is_asked_about_every_token_is_counted_for_a_reply_of_a_sentence() -> None:
    services = {"entailment": Judge()}
    chosen = make_plan(Mock(), doxa.bank("planted", n=2), "claim_conditioned_probability", Asking(), services=services)
    calls = asyncio.run(flow.count(asyncio.run(chosen), Mock().capabilities)).calls
    assert 2 * 200 < calls < 2 * 500  # of a dozen tokens ten alternatives each, three words of a judge about every one
    for kind, answers in _ANSWERS.items():
        choices = tuple(f"option {n}" for n in range(10)) if kind == "choice" else ()
        assert len({canonical(answer, kind, choices) for answer in answers} - {None}) == len(answers)


def test_auto_tries_one_whose_calls_are_long_on_few_questions() -> None:
    class Careful(Mock):
        @property
        def capabilities(self) -> Capabilities:
            return Capabilities(decodings=("cautious",))

    chosen = auto(Careful())
    assert len(chosen.few["cautious_self_consistency"]) == FEW
    assert "no cautious decoding" in auto(Mock()).left_out["cautious_self_consistency"]


def test_auto_tries_the_dear_ones_on_few_questions(tmp_path: Path) -> None:
    services = {"entailment": Judge()}
    chosen = auto(Mock(), services=services)
    assert "semantic_entropy" in chosen.few and "self_consistency" not in chosen.few
    assert {len(ids) for ids in chosen.few.values()} == {FEW}
    some = replace(chosen, estimators={name: chosen.estimators[name] for name in ("semantic_entropy", "p_true")})
    run = asyncio.run(flow.assay(Mock(), some, out=tmp_path / "run"))
    counts = run.frame().group_by("estimator").len()
    assert dict(counts.iter_rows()) == {"semantic_entropy": FEW, "p_true": 60}
    assert asyncio.run(flow.count(some, Mock().capabilities, probe=60)).calls > FEW * DEAR


def test_a_judge_that_nobody_asks_is_refused() -> None:
    with pytest.raises(UsageError, match="never be asked"):
        auto(Mock(), judge=Mock("timid"))
    assert auto(Mock(), judge=Mock("timid"), services={"entailment": Judge()}).judge == Mock("timid")


def test_estimators_are_named_once() -> None:
    with pytest.raises(UsageError, match="self_consistancy"):
        named("self_consistancy")
    two = [registry.build("estimators", "self_consistency", samples=k) for k in (5, 10)]
    assert len(named(two)) == 2
    with pytest.raises(UsageError, match="twice"):
        named("deed,deed")


def test_the_library_door_works_inside_a_running_loop(tmp_path: Path) -> None:
    async def notebook() -> doxa.Run:
        return doxa.assay(Mock(), doxa.bank("planted", n=3), estimators="p_true", out=tmp_path / "run")

    assert asyncio.run(notebook()).info["status"] == "complete"


def test_rows_keep_what_the_confidence_is_about() -> None:
    record = doxa.types.Record(
        Question("q", "?", ("a",)),
        doxa.types.Reply("a"),
        doxa.types.Verdict(True),
        {"own": Confidence(0.5, answer="b"), "none": Confidence(None, reason="unread")},
        {"own": doxa.types.Verdict(False)},
        {"own": doxa.types.Usage(), "none": doxa.types.Usage()},
    )
    rows = {row["estimator"]: row for row in table_of([record]).iter_rows(named=True)}
    assert (rows["own"]["about"], rows["own"]["correct"], rows["own"]["reply_correct"]) == ("own", False, True)
    assert (rows["none"]["confidence"], rows["none"]["reason"]) == (None, "unread")

"""Methods that take many questions: those that compare them, and those that learn from graded ones."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import polars as pl
import pytest

from doxa import flow
from doxa.choosing import affordable, make_plan
from doxa.errors import CallFailed, Unavailable
from doxa.estimators.sequence_probability import SequenceProbability
from doxa.inquiry import Asking, Inquiry
from doxa.models.mock import Mock
from doxa.questions.planted import Planted
from doxa.types import Access, Confidence, Question, Scale

QUESTIONS = Planted(n=30).questions()


@dataclass(frozen=True)
class Longest:
    """Compares the lengths of replies, and asks each question one thing more."""

    fails: str = ""

    access: ClassVar[Access] = Access.TEXT
    scale: ClassVar[Scale] = Scale.REAL
    statistics: ClassVar[tuple[str, ...]] = ()

    async def estimate_all(self, inquiries: Sequence[Inquiry]) -> list[Confidence]:
        replies = await asyncio.gather(*(inquiry.reply() for inquiry in inquiries))
        await asyncio.gather(*(inquiry.draws(inquiry.messages, 3) for inquiry in inquiries))
        if self.fails:
            raise {"call": CallFailed, "access": Unavailable}[self.fails]("on purpose")
        longest = max(len(reply.text) for reply in replies)
        return [Confidence(len(reply.text) / longest, self.scale) for reply in replies]


@dataclass(frozen=True)
class Remembers:
    """Learns the share of right answers and whom it has seen; refuses to be asked about those."""

    share: float | None = None
    seen: tuple[str, ...] = ()
    least: int = 1
    own: bool = False

    access: ClassVar[Access] = Access.TEXT
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()

    async def fit(self, inquiries: Sequence[Inquiry], correct: Sequence[bool]) -> Self:
        if len(correct) < self.least:
            raise Unavailable(f"{len(correct)} graded questions are too few")
        return replace(self, share=sum(correct) / len(correct), seen=tuple(each.id for each in inquiries))

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        assert inquiry.id not in self.seen
        answer = "mauve" if self.own else None
        if self.share is None:
            return Confidence(0.123, self.scale, answer=answer)
        return Confidence(self.share, self.scale, answer=answer, details={"seen": float(len(self.seen))})


def told(tmp_path: Path, questions: Sequence[Question] = QUESTIONS, **options: Any) -> pl.DataFrame:
    members = options.pop("members")
    plan = flow.Plan(questions, members, Asking(top_logprobs=0), **options)
    run = asyncio.run(flow.assay(Mock(), plan, out=tmp_path / "run"))
    return run.frame()


def test_a_method_that_compares_gets_all_questions_at_once_and_pays_its_own_bill(tmp_path: Path) -> None:
    rows = told(tmp_path, members={"longest": Longest(), "sequence_probability": SequenceProbability()})
    found = rows.filter(estimator="longest")
    lengths = found["reply"].str.len_chars()
    assert found["confidence"].to_list() == pytest.approx((lengths / lengths.max()).to_list())
    assert found["question"].to_list() == [question.id for question in QUESTIONS]
    assert set(found["calls"]) == {4}
    assert rows["estimator"][:2].to_list() == ["longest", "sequence_probability"]


def test_a_method_that_compares_sees_only_the_questions_it_is_tried_on(tmp_path: Path) -> None:
    few = {"longest": frozenset(question.id for question in QUESTIONS[3:9])}
    rows = told(tmp_path, members={"longest": Longest(), "sequence_probability": SequenceProbability()}, few=few)
    assert rows.filter(estimator="longest").height == 6
    assert rows.filter(estimator="longest")["confidence"].max() == 1


@pytest.mark.parametrize(("fails", "error"), [("access", ""), ("call", "on purpose")])
def test_without_a_comparison_all_say_why(fails: str, error: str, tmp_path: Path) -> None:
    rows = told(tmp_path, members={"longest": Longest(fails)})
    assert rows["confidence"].null_count() == rows.height == len(QUESTIONS)
    assert set(rows["error"]) == {error}
    assert set(rows["reason"]) == {"a model call failed" if error else "on purpose"}


def test_who_learns_is_asked_about_other_clusters_than_it_was_fitted_on(tmp_path: Path) -> None:
    pairs = [replace(question, cluster=f"pair {n // 2}") for n, question in enumerate(QUESTIONS)]
    rows = told(tmp_path, pairs, members={"remembers": Remembers()})
    rights = dict(rows.select("question", "reply_correct").iter_rows())
    assert all(json.loads(details)["seen"] == 24 for details in rows["details"])
    by_pair = rows.group_by("cluster").agg(pl.col("confidence").n_unique())
    assert by_pair["confidence"].max() == 1
    total = sum(rights.values())
    for _, confidence in rows.select("question", "confidence").iter_rows():
        held_out = total - round(confidence * 24)
        assert 0 <= held_out <= 6


def test_questions_without_a_verdict_teach_nothing_and_are_estimated_all_the_same(tmp_path: Path) -> None:
    unknown = [replace(question, answers=None) if n < 10 else question for n, question in enumerate(QUESTIONS)]
    rows = told(tmp_path, unknown, members={"remembers": Remembers()})
    assert rows["confidence"].null_count() == 0
    assert all(json.loads(details)["seen"] <= 20 for details in rows["details"])


def test_who_learns_about_its_own_answer_is_told_whether_that_was_right(tmp_path: Path) -> None:
    rows = told(tmp_path, members={"remembers": Remembers(own=True)})
    assert set(rows["confidence"]) == {0.0} and not rows["correct"].any() and rows["reply_correct"].any()


def test_too_little_to_learn_from_is_said_and_the_unfitted_number_is_never_shown(tmp_path: Path) -> None:
    rows = told(tmp_path, members={"remembers": Remembers(least=100)})
    assert rows["confidence"].null_count() == rows.height
    assert set(rows["reason"]) == {"24 graded questions are too few"}
    one = told(tmp_path / "one", QUESTIONS[:1], members={"remembers": Remembers()})
    assert one["reason"].to_list() == ["0 graded questions are too few"]


def test_a_dry_run_counts_what_takes_many_questions() -> None:
    plan = flow.Plan(QUESTIONS, {"longest": Longest(), "remembers": Remembers()}, Asking())
    assert asyncio.run(flow.count(plan, Mock().capabilities)).calls == 4 * len(QUESTIONS)


def test_auto_takes_a_method_that_compares_if_it_can_be_afforded() -> None:
    async def chosen(limit: int | None) -> set[str]:
        plan = await make_plan(Mock(), QUESTIONS, [SequenceProbability()], Asking())
        everyone = {"longest": Longest(), "sequence_probability": SequenceProbability()}
        return set((await affordable(plan, everyone, Mock().capabilities, limit)).estimators)

    assert asyncio.run(chosen(None)) == asyncio.run(chosen(4 * len(QUESTIONS))) == {"longest", "sequence_probability"}
    assert asyncio.run(chosen(4 * len(QUESTIONS) - 1)) == {"sequence_probability"}

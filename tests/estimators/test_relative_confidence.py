"""Relative confidence: a tournament of questions, on a model with planted beliefs and on models that fail it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr

from doxa import prompts
from doxa.errors import UsageError
from doxa.estimators.relative_confidence import RelativeConfidence
from doxa.inquiry import Asking, Caller, Inquiry
from doxa.models.mock import Mock
from doxa.models.planted.beliefs import beliefs
from doxa.prompts import comparing
from doxa.questions.planted import Planted
from doxa.types import Capabilities, Confidence, Failure, Message, Outcome, Question, Reply, Request, Scale, Token

QUESTIONS = Planted(n=120).questions()
BELIEFS = [max(beliefs(question.text).values()) for question in QUESTIONS]


def inquiries(model: Any, questions: Sequence[Question] = QUESTIONS, seed: int = 0) -> list[Inquiry]:
    caller = model if isinstance(model, Caller) else Caller(model)
    return [
        Inquiry(each.id, prompts.render(each), {"subject": caller}, each.kind, each.choices, asking=Asking(seed=seed))
        for each in questions
    ]


def rated(model: Any, questions: Sequence[Question] = QUESTIONS, seed: int = 0, **knobs: Any) -> list[Confidence]:
    """The confidence in each question's reply."""

    async def work() -> list[Confidence]:
        return await RelativeConfidence(**knobs).estimate_all(inquiries(model, questions, seed))

    return asyncio.run(work())


@cache
def rank_correlation(persona: str, **knobs: Any) -> float:
    """Of the ratings with the planted beliefs."""
    return float(spearmanr([confidence.value for confidence in rated(Mock(persona), **knobs)], BELIEFS)[0])


@dataclass(frozen=True)
class Judge:
    """Answers every question with a word, and compares as it is told: by what it `says`, or a `share`."""

    says: Any = "X"
    share: float | None = None
    answers: dict[str, Outcome] = field(default_factory=dict)
    name: str = "judge"
    base_url: str = ""
    fingerprint: str = "judge"

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(logprobs=self.share is not None, score=self.share is not None)

    async def generate(self, requests: Sequence[Request]) -> list[list[Outcome]]:
        return [[self._one(request)] for request in requests]

    def _one(self, request: Request) -> Outcome:
        text = request.messages[-1].content
        if not text.startswith(comparing.HEAD):
            return self.answers.get(text, Reply("word"))
        said = self.says(text) if callable(self.says) else self.says
        return said if isinstance(said, Failure) else Reply(said)

    async def score(self, requests: Sequence[Request]) -> list[Outcome]:
        share = {comparing.LABELS[0]: self.share, comparing.LABELS[1]: 1 - (self.share or 0)}
        return [Reply("", (Token(r.continuation or "", float(np.log(share[r.continuation or ""]))),)) for r in requests]


def some(n: int) -> list[Question]:
    return [Question(f"q{k:02d}", f"Question {k}?") for k in range(n)]


def higher(text: str) -> str:
    """The label of the question with the higher number."""
    numbers = [int(line.split()[-1].rstrip("?")) for line in text.splitlines() if "Question" in line]
    return comparing.LABELS[int(numbers[1] > numbers[0])]


# -- the wording -------------------------------------------------------------------------------------------------------


def test_both_questions_are_shown_with_their_replies_after_an_example_for_either_label() -> None:
    asked = comparing.surer(((Message("user", "Who?"),), "Ann"), ((Message("user", "Where?"),), "There"))
    assert [turn.role for turn in asked] == ["user", "assistant"] * 2 + ["user"]
    assert {asked[1].content, asked[3].content} == set(comparing.LABELS)
    assert asked[-1].content.splitlines()[1:-1] == ["X. Who?", "Answer: Ann", "Y. Where?", "Answer: There"]
    other = comparing.surer(((Message("user", "What?"),), "It"), ((Message("user", "When?"),), "Now"))
    assert asked[:-1] == other[:-1]  # what all comparisons share comes first


# -- on planted beliefs ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("aggregation", "least"), [("bradley_terry", 0.99), ("trueskill", 0.98), ("elo", 0.93)])
def test_fifteen_comparisons_rank_as_the_beliefs_do(aggregation: str, least: float) -> None:
    assert rank_correlation("honest", aggregation=aggregation) > least


def test_words_that_state_the_same_everywhere_still_compare() -> None:
    assert rank_correlation("constant") > 0.99 and rank_correlation("silent") > 0.99


@pytest.mark.parametrize("persona", ["honest", "hasty"])
def test_five_active_comparisons_give_what_fifteen_random_ones_do(persona: str) -> None:
    active = rank_correlation(persona, comparisons=5, schedule="active")
    assert active > rank_correlation(persona) - 0.003
    assert active > rank_correlation(persona, comparisons=5) + 0.01


def test_probabilities_tell_in_five_comparisons_more_than_words_in_fifteen() -> None:
    assert rank_correlation("honest", comparisons=5, soft=True) > max(0.999, rank_correlation("honest"))


def test_an_active_schedule_costs_what_a_random_one_does() -> None:
    async def bill(schedule: Any, **knobs: Any) -> list[int]:
        asked = inquiries(Mock())
        await RelativeConfidence(comparisons=4, schedule=schedule, **knobs).estimate_all(asked)
        return [inquiry.usage.calls - 1 for inquiry in asked]

    assert asyncio.run(bill("random")) == [4] * len(QUESTIONS)
    assert asyncio.run(bill("random", both_orders=True)) == [4] * len(QUESTIONS)
    active = asyncio.run(bill("active"))
    assert sum(active) == 4 * len(QUESTIONS) and min(active) > 0


# -- the position ------------------------------------------------------------------------------------------------------


def test_what_being_shown_first_is_worth_is_measured() -> None:
    honest, hasty = (rated(Mock(persona), soft=True)[0].details for persona in ("honest", "hasty"))
    assert abs(honest["position"] or 0) < 0.05 and hasty["position"] == pytest.approx(np.log(4), abs=0.05)
    assert rated(Mock("hasty"))[0].details["first_won"] > 0.6  # type: ignore[operator]
    for aggregation in ("elo", "trueskill"):
        found = rated(Mock("hasty"), aggregation=aggregation)[0].details
        assert found["position"] == rated(Mock("hasty"))[0].details["position"]


def test_and_it_is_taken_out() -> None:
    assert rank_correlation("hasty", soft=True) > 0.999
    assert rank_correlation("hasty") > 0.97
    assert rank_correlation("hasty", aggregation="trueskill") > 0.94  # counterbalanced alone


def test_both_orders_leave_nothing_to_a_model_that_looks_at_the_place_alone() -> None:
    for label, sign in zip(comparing.LABELS, (1, -1), strict=True):
        for aggregation in ("bradley_terry", "trueskill"):
            found = rated(Judge(label), some(9), both_orders=True, comparisons=4, aggregation=aggregation)
            assert {confidence.details["won"] for confidence in found} == {4.0}
            assert all((confidence.details["position"] or 0) * sign > 3 for confidence in found)
        found = rated(Judge(label), some(9), both_orders=True, comparisons=4)
        assert [confidence.value for confidence in found] == pytest.approx([0.0] * 9, abs=1e-6)


# -- what is said ------------------------------------------------------------------------------------------------------


def test_a_transitive_model_is_ranked_exactly_by_all_pairs_in_any_order_of_questions() -> None:
    questions = some(11)
    found = rated(Judge(higher), questions)
    values = [confidence.value or 0.0 for confidence in found]
    assert values == sorted(values) and len(set(values)) == 11
    assert [confidence.details["won"] for confidence in found] == list(range(11))
    assert rated(Judge(higher), questions[::-1]) == found[::-1]


@pytest.mark.parametrize("said", ["X or Y", "", "neither", "yxz"])
def test_a_reply_that_names_neither_or_both_counts_half_or_is_dropped(said: str) -> None:
    for confidence in rated(Judge(said), some(5)):
        assert confidence.value == pytest.approx(0) and confidence.details["won"] == 2
    for knobs in ({"ties": "drop"}, {"ties": "forced"}):  # without probabilities nothing can be forced
        for confidence in rated(Judge(said), some(5), **knobs):
            assert (confidence.value, confidence.reason) == (None, "none of its comparisons could be read")


def test_the_likelier_label_is_taken_where_it_is_forced_and_its_probability_where_it_is_soft() -> None:
    model = Judge("neither", 0.75)
    assert rated(model, some(5), ties="forced")[0].details["first_won"] == 1
    soft = rated(model, some(5), soft=True)[0]
    assert soft.details["first_won"] == pytest.approx(0.75)
    assert soft.details["position"] == pytest.approx(np.log(3), abs=0.02)
    assert soft.provenance.startswith("probabilities")
    assert rated(Judge("X"), some(5), soft=True)[0].provenance.startswith("labels as said")
    assert rated(replace(model, share=0.5), some(5), ties="forced")[0].details["first_won"] == 0.5


def test_a_comparison_that_fails_spoils_no_other() -> None:
    def says(text: str) -> Any:
        return Failure("timeout", "too late") if "Question 0?" in text and "Question 3?" in text else higher(text)

    found = rated(Judge(says), some(6))
    assert [confidence.details["games"] for confidence in found] == [4, 5, 5, 4, 5, 5]
    assert all(confidence.value is not None for confidence in found)


def test_a_question_without_a_reply_is_left_out_with_a_reason() -> None:
    answers = {"Question 1?": Failure("timeout", "too late"), "Question 2?": Reply("")}
    found = rated(Judge(higher, answers=answers), some(5))  # type: ignore[arg-type]
    assert [confidence.reason for confidence in found] == [
        "", "a model call failed", "the reply holds no readable answer", "", "",
    ]  # fmt: skip
    assert [confidence.details.get("games") for confidence in found] == [2, None, None, 2, 2]
    assert {confidence.scale for confidence in found} == {Scale.REAL}


def test_with_no_other_question_there_is_nothing_to_compare() -> None:
    assert rated(Mock(), QUESTIONS[:1])[0].reason == "there is no other answer to compare with"
    assert rated(Mock(), []) == []
    assert all(confidence.value is not None for confidence in rated(Mock(), QUESTIONS[:2], schedule="active"))


def test_groups_that_no_comparison_connects_are_noted() -> None:
    def says(text: str) -> Any:
        parities = {int(line.split()[-1].rstrip("?")) % 2 for line in text.splitlines() if "Question" in line}
        return "neither" if len(parities) > 1 else higher(text)

    found = rated(Judge(says), some(8), ties="drop")
    assert all(confidence.provenance.endswith("2 groups that no comparison connects") for confidence in found)
    assert "groups" not in rated(Judge(higher), some(8))[0].provenance


@pytest.mark.parametrize(
    "knobs",
    [{"aggregation": "glicko"}, {"schedule": "swiss"}, {"ties": "win"}, {"prior": "l1"}, {"comparisons": 0},
     {"regularisation": 0.0}, {"passes": 0}],
)  # fmt: skip
def test_knobs_without_sense_are_refused(knobs: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        RelativeConfidence(**knobs)

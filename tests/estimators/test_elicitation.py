"""Elicited confidence: the aggregations against published vectors and laws, and every cell of the grid on the mock."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from doxa import prompts
from doxa.errors import Unavailable, UsageError
from doxa.estimators.elicitation.aggregation import (
    average_confidence,
    average_listed,
    consistency,
    pair_rank,
    preferences,
)
from doxa.estimators.elicitation.hints import pointed_at
from doxa.estimators.elicitation.reading import Said, by_steps, listed, one_line, probed, unfinished
from doxa.estimators.elicited_confidence import OF_ANSWERS, OF_LISTS, PROMPTS, SAMPLINGS, ElicitedConfidence
from doxa.grading import grade
from doxa.inquiry import Asking, Caller, Inquiry
from doxa.metrics import auroc
from doxa.models.mock import Mock
from doxa.models.planted.beliefs import beliefs
from doxa.prompts import elicitation
from doxa.questions.planted import Planted
from doxa.types import Capabilities, Confidence, Kind, Message, Question, Reply, Request

ANSWERS = st.sampled_from(["oslo", "bergen", "moss", None])
TRIALS = st.lists(st.tuples(ANSWERS, st.none() | st.integers(0, 100).map(lambda p: p / 100)), min_size=1, max_size=12)
LISTS = st.lists(st.lists(st.sampled_from("abcde"), unique=True, max_size=4), max_size=6)


# -- aggregations ------------------------------------------------------------------------------------------------------


def test_pair_rank_of_three_lists_is_as_published_with_and_without_the_logarithm() -> None:
    answers, table = preferences([["A", "B"], ["A", "C"], ["B", "A"]])
    assert answers == ["A", "B", "C"]
    assert table == pytest.approx(np.array([[0, 2 / 3, 1], [1 / 3, 0, 2 / 3], [0, 1 / 3, 0]]))
    assert pair_rank(table, np.zeros(3)) == pytest.approx([0.6991, 0.2271, 0.0738], abs=5e-5)
    assert pair_rank(table, np.zeros(3), as_released=True) == pytest.approx([0.8192, 0.1525, 0.0284], abs=5e-5)


def test_pair_rank_run_to_its_end_is_what_another_optimiser_finds() -> None:
    _, table = preferences([["a", "b", "c"], ["b", "a"], ["c", "a", "b"], ["a", "c"]])

    def loss(w: Any) -> float:
        p = np.exp(w - w.max()) / np.exp(w - w.max()).sum()
        return -float(sum(table[i, j] * math.log(p[i] / (p[i] + p[j])) for i in range(3) for j in range(3) if i != j))

    w = minimize(loss, np.zeros(3), tol=1e-12).x
    assert pair_rank(table, np.zeros(3), steps=5000, rate=0.5) == pytest.approx(np.exp(w) / np.exp(w).sum(), abs=1e-5)


@settings(max_examples=20)
@given(st.integers(1, 20), st.integers(1, 20))
def test_of_two_answers_each_gets_the_share_of_lists_that_it_heads(a: int, b: int) -> None:
    _, table = preferences([["a", "b"]] * a + [["b", "a"]] * b)
    assert pair_rank(table, np.array([1.0, -1.0]), steps=1000, rate=1.0) == pytest.approx([a / (a + b), b / (a + b)])


@given(LISTS, st.randoms(), st.booleans())
def test_pair_rank_is_a_distribution_that_knows_no_order_of_lists(
    lists: list[list[str]], random: Random, as_released: bool
) -> None:
    answers, table = preferences(lists)
    assert np.all((table >= 0) & (table + table.T <= 1 + 1e-12)) and not table.diagonal().any()
    if answers:
        p = pair_rank(table, np.zeros(len(answers)), steps=50, as_released=as_released)
        assert p.sum() == pytest.approx(1) and (p > 0).all()
    shuffled = random.sample(lists, len(lists))
    again, other = preferences([*shuffled, []])
    assert again == answers and np.array_equal(table, other)


def test_what_is_left_out_stands_after_what_is_named() -> None:
    answers, table = preferences([["b"], ["b", "c"], ["a"]])
    assert answers == ["a", "b", "c"]
    assert (3 * table).tolist() == [[0, 1, 1], [2, 0, 2], [1, 0, 0]]


def test_shares_are_those_of_the_formulas() -> None:
    answers, stated = ["oslo", "oslo", "bergen", None], [0.9, 0.6, 0.3, 0.2]
    assert consistency(answers) == {"oslo": 0.5, "bergen": 0.25}
    assert consistency(answers, readable_only=True) == {"oslo": pytest.approx(2 / 3), "bergen": pytest.approx(1 / 3)}
    assert average_confidence(answers, stated) == {"oslo": pytest.approx(0.75), "bergen": pytest.approx(0.15)}
    strict = average_confidence(answers, stated, readable_only=True)
    assert strict == {"oslo": pytest.approx(1.5 / 1.8), "bergen": pytest.approx(0.3 / 1.8)}
    assert average_listed([[("oslo", 0.9), ("bergen", 0.3)], [("bergen", 0.1)], [("moss", None)]]) == {
        "oslo": 0.9,
        "bergen": pytest.approx(0.2),
    }


def test_where_nothing_is_readable_or_stated_there_is_no_number() -> None:
    assert consistency([None, None], readable_only=True) == consistency([None]) == {}
    assert average_confidence(["oslo", "oslo"], [0.0, None]) == average_confidence([None], [0.5]) == {}
    assert average_listed([[("oslo", None)], []]) == {}
    assert preferences([[], []])[0] == []


@given(TRIALS, st.randoms(), st.booleans())
def test_shares_know_no_order_and_sum_to_one_at_most(
    trials: list[tuple[str | None, float | None]], random: Random, readable_only: bool
) -> None:
    def scores(rows: Sequence[tuple[str | None, float | None]]) -> list[dict[str, float]]:
        answers, stated = [answer for answer, _ in rows], [value for _, value in rows]
        return [
            consistency(answers, readable_only=readable_only),
            average_confidence(answers, stated, readable_only=readable_only),
        ]

    found = scores(trials)
    assert found == scores(random.sample(trials, len(trials)))
    for each in found:
        assert all(0 <= value <= 1 for value in each.values()) and sum(each.values()) <= 1 + 1e-9
        if each and readable_only:
            assert sum(each.values()) == pytest.approx(1)


@given(TRIALS.filter(lambda trials: any(answer for answer, _ in trials)))
def test_equal_confidences_weigh_nothing_and_a_single_reply_is_all_there_is(
    trials: list[tuple[str | None, Any]],
) -> None:
    answers = [answer for answer, _ in trials]
    assert average_confidence(answers, [0.3] * len(answers)) == pytest.approx(consistency(answers))
    one = next(answer for answer in answers if answer)
    assert consistency([one]) == average_confidence([one], [0.4]) == {one: 1.0}


# -- reading -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "answer", "confidence"),
    [
        ("Answer: Oslo. Confidence: 80%", "Oslo", 0.8),
        ("Explanation: I am 100% sure. Confidence: 99%\n**Final answer:** Oslo\nConfidence: 80%", "Oslo", 0.8),
        ("Answer: Moss. Confidence: 10%\nAnswer: Oslo. Confidence: 1", "Oslo", 0.01),
        ("Answer: Oslo. Confidence: 60 to 80%", "Oslo", None),
        ("Answer: Oslo 80%", "Oslo 80%", None),
        ("Answer: Oslo", "Oslo", None),
        ("Answer: . Confidence: 70%", "", 0.7),
    ],
)
def test_a_line_is_read_after_its_last_marker(text: str, answer: str, confidence: float | None) -> None:
    assert one_line(text) == Said(answer, confidence)


def test_steps_multiply() -> None:
    steps = "Step 1: 50% of 30 is 15. Confidence: 90%\nStep 2: So 15. Confidence: 80%\nAnswer: 15. Confidence: 99%"
    assert by_steps(steps) == Said("15", pytest.approx(0.72))
    assert by_steps(f"Step 1: No. Confidence: 1%\nAnswer: 3. Confidence: 5%\n{steps}") == Said(
        "15", pytest.approx(0.72)
    )
    assert by_steps(steps.replace("Confidence: 80%", "Probably.")) == Said("15", None)
    assert by_steps("Answer: 15. Confidence: 99%") == Said("15", None)
    assert by_steps("Step 1: It is 15. Confidence: 90%") is None


def test_lists_are_read_in_their_order_with_a_probability_where_there_is_one() -> None:
    assert listed("G1: Oslo. P1: 60%\nG2: Moss. P2: 30%") == [Said("Oslo", 0.6), Said("Moss", 0.3)]
    assert listed("G1: Oslo\nP1: 60%\nG2: 10%\nG3: 5%") == [Said("Oslo", 0.6)]
    assert listed("G1: Oslo. P2: 60%\nG2: 10%. P2: 5%") == [Said("Oslo", None), Said("10%", 0.05)]
    assert listed("G1: Oslo. P1: 60%\nG1: Moss. P1: 7%") == [Said("Moss", 0.07)]
    assert listed("Oslo") == []


def test_a_probe_is_read_after_its_reasons() -> None:
    assert probed("Reason: 90% of people live there. Confidence: 20%") == 0.2
    assert probed("Reason: my confidence was 90%.\nConfidence: 20%") == 0.2
    assert probed("Reason: it is 90%.") is None and probed("Confidence: over 90%") is None


@given(st.text(max_size=40), st.integers(0, 100), st.integers(0, 100))
def test_no_number_before_the_last_marker_counts(noise: str, first: int, last: int) -> None:
    assert one_line(f"Confidence: {first}% {noise}\nAnswer: Oslo. Confidence: {last}%") == Said("Oslo", last / 100)


def test_replies_are_taken_up_where_something_is_missing() -> None:
    assert unfinished("multi_step", "Step 1: Oslo. Confidence: 80%\n", []) == "Step 1: Oslo. Confidence: 80%\nAnswer:"
    assert unfinished("vanilla", "no", []) is None and unfinished("top_k", "G1: Oslo", []) is None


# -- wordings and hints ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["open", "choice", "boolean", "number", "date"])
def test_examples_are_read_in_the_form_they_show(kind: Kind) -> None:
    asked = (Message("system", "Be brief."), Message("user", "Which?"))
    for prompt in ("vanilla", "cot"):
        shown = elicitation.elicit(asked, kind, prompt)
        assert [turn.role for turn in shown] == ["system", *["user", "assistant"] * 2, "user"]
        assert all(said and said.confidence for said in (one_line(turn.content) for turn in shown[2:5:2]))
    for count in range(1, elicitation.MOST_STEPS + 1):
        shown = elicitation.elicit(asked, kind, "multi_step", count=count)
        assert [turn.content.count("Step ") for turn in shown[2:5:2]] == [count, count]
        assert all(said and said.confidence for said in (by_steps(turn.content) for turn in shown[2:5:2]))
    for count in (1, 2):
        shown = elicitation.elicit(asked, kind, "top_k", count=count)
        lists = [listed(turn.content) for turn in shown[2:5:2]]
        assert all(len(guesses) == count and all(guess.confidence for guess in guesses) for guesses in lists)
    assert all(probed(turn.content) is not None for turn in elicitation.probe(asked, kind, "x")[1:4:2])


def test_there_are_thirteen_hints_of_three_families_that_take_turns_and_the_first_is_none() -> None:
    families = [family for family, _ in elicitation.HINTS]
    assert len(elicitation.HINTS) == 13 == len(set(elicitation.HINTS)) and elicitation.HINTS[0] == ("", "")
    assert [families.count(f) for f in (elicitation.WEAK, elicitation.SOURCE, elicitation.STRONG)] == [3, 5, 4]
    assert all(text.count("#") == 1 for _, text in elicitation.HINTS[1:]) and len(set(families[1:4])) == 3


@given(st.integers(-(10**6), 10**6), st.randoms())
def test_a_number_is_hinted_at_within_its_own_size(own: int, random: Random) -> None:
    moved = float(pointed_at("number", 0, str(own), [], random)) - own
    assert abs(moved) <= max(1, abs(own)) and moved == int(moved)


@given(st.randoms())
def test_other_kinds_are_hinted_at_without_knowing_what_is_right(random: Random) -> None:
    assert pointed_at("choice", 3, "0", [], random) in ("A", "B", "C")
    assert pointed_at("boolean", 0, "yes", [], random) in ("Yes", "No")
    assert pointed_at("open", 0, "oslo", ["Moss", "Bergen"], random) in ("Moss", "Bergen")
    assert pointed_at("open", 0, "oslo", [], random).isalpha()
    assert pointed_at("date", 0, "0001-01-01", [], random)[:4] in ("0001", "0002")


# -- the estimator on scripted replies ---------------------------------------------------------------------------------


class Script:
    """A caller that answers by a function of the request and keeps what it was asked."""

    def __init__(self, answer: Callable[[Request], str], *, prefill: bool = False) -> None:
        self.answer = answer
        self.asked: list[Request] = []
        self.capabilities = Capabilities(prefill=prefill)

    async def call(self, request: Request) -> Reply:
        self.asked.append(request)
        return Reply(self.answer(request))


def measure(script: Script, question: str = "Capital of Norway?", kind: Kind = "open", **knobs: Any) -> Confidence:
    async def work() -> Confidence:
        asked = Question("q", question, kind=kind, choices=("Oslo", "Moss") if kind == "choice" else ())
        inquiry = Inquiry("q", prompts.render(asked), {"subject": script}, kind, asked.choices)
        return await ElicitedConfidence(**knobs).estimate(inquiry)

    return asyncio.run(work())


def drawn(*replies: str) -> Script:
    """A model whose draws are `replies`, one after another."""
    return Script(lambda request: replies[(request.seed or 0) % 1024])


def test_draws_are_put_together() -> None:
    said = ["Answer: Oslo. Confidence: 90%", "Answer: Moss. Confidence: 30%", "Answer: oslo. Confidence: 60%", "Hm."]
    shared = measure(drawn(*said), aggregation="consistency", samples=4)
    assert (shared.value, shared.answer, shared.details) == (0.5, "Oslo", {"replies": 4, "readable": 3})
    assert measure(drawn(*said), aggregation="consistency", samples=4, readable_only=True).value == 2 / 3
    assert measure(drawn(*said), samples=4).value == pytest.approx(1.5 / 1.8)
    refused = [*said[:3], "Answer: I don't know. Confidence: 20%"]
    assert measure(drawn(*refused), samples=4).value == pytest.approx(1.5 / 2.0)
    assert measure(drawn(*refused), samples=4, readable_only=True).value == pytest.approx(1.5 / 1.8)


def test_lists_are_put_together() -> None:
    said = ["G1: A. P1: 60%\nG2: B. P2: 30%", "G1: A. P1: 50%\nG2: C. P2: 80%", "G1: B. P1: 50%\nG2: A. P2: 40%"]
    knobs: dict[str, Any] = {"prompt": "top_k", "samples": 3, "k": 2}
    assert measure(drawn(*said), aggregation="consistency", **knobs).value == 2 / 3
    assert measure(drawn(*said), aggregation="average_top1", **knobs).value == pytest.approx(1.1 / 1.6)
    by_mean = measure(drawn(*said), aggregation="average_topk", **knobs)
    assert (by_mean.value, by_mean.answer) == (0.8, "C")
    ranked = measure(drawn(*said), aggregation="pair_rank", **knobs)
    released = measure(drawn(*said), aggregation="pair_rank", as_released=True, **knobs)
    assert ranked.answer == released.answer == "A" and ranked.value != released.value
    assert 0 < (released.value or 0) < 1


def test_steps_that_lead_to_the_answer_weigh_it() -> None:
    one = "Step 1: x. Confidence: 50%\nStep 2: y. Confidence: 50%\nAnswer: Oslo. Confidence: 99%"
    two = "Step 1: x. Confidence: 75%\nAnswer: Moss. Confidence: 1%"
    found = measure(drawn(one, two), prompt="multi_step", samples=2, steps=2)
    assert (found.value, found.answer) == (0.75, "Moss")


def test_a_single_reply_is_taken_at_its_word_and_is_the_likeliest() -> None:
    for prompt, said in (
        ("vanilla", "Answer: Oslo. Confidence: 35%"),
        ("cot", "Explanation: Oslo is big.\nAnswer: Oslo. Confidence: 35%"),
        ("multi_step", "Step 1: Oslo. Confidence: 70%\nStep 2: Yes. Confidence: 50%\nAnswer: Oslo. Confidence: 9%"),
        ("top_k", "G1: Oslo. P1: 35%\nG2: Moss. P2: 90%"),
    ):
        script = Script(lambda _, said=said: said)
        found = measure(script, prompt=prompt, aggregation="stated", samples=1)
        assert (found.value, found.answer) == (pytest.approx(0.35), "Oslo")
        assert [request.temperature for request in script.asked] == [0.0]
    assert measure(Script(lambda _: "Answer: Oslo"), aggregation="stated", samples=1).value is None


def test_answers_are_probed_in_a_fresh_conversation_once_each() -> None:
    def answer(request: Request) -> str:
        text = request.messages[-1].content
        if "Proposed answer" not in text:
            return "Moss" if (request.seed or 0) % 1024 == 1 else "Oslo"
        return f"Reason: 100% of maps.\nConfidence: {80 if text.count('Oslo') else 40}%"

    script = Script(answer)
    found = measure(script, prompt="self_probing", samples=3)
    assert (found.value, found.answer) == (pytest.approx(1.6 / 2.0), "Oslo")
    probes = [request.messages for request in script.asked if "Proposed answer" in request.messages[-1].content]
    assert len(script.asked) == 5 and len(probes) == 2
    assert all(
        messages[-1].content.startswith("Question: Capital of Norway?\nProposed answer: ") for messages in probes
    )
    single = measure(Script(answer), prompt="self_probing", aggregation="stated", samples=1)
    assert (single.value, single.answer) == (0.8, "Oslo")


def test_every_paraphrase_is_another_wording_asked_once() -> None:
    script = Script(lambda request: f"Answer: {len(request.messages[-1].content)}. Confidence: 50%")
    found = measure(script, sampling="paraphrase", samples=10)
    notes = [request.messages[-1].content.splitlines()[-1] for request in script.asked]
    assert notes == [elicitation.note("open", "vanilla", way=way) for way in range(10)] and len(set(notes)) == 10
    assert all(request.temperature == 0 for request in script.asked) and found.value is not None


def hinted_at(request: Request, own: str) -> str:
    """What the hint of a request points at, or the own answer without one."""
    lines = [line for line in request.messages[-1].content.splitlines() if line.startswith("Hint: ")]
    found = [word for line in lines for word in line.rstrip(".").replace(" as the answer", "").split()]
    return found[-1] if lines and not lines[0].startswith("Hint: The textbook") else own


@pytest.mark.parametrize("kind", ["open", "choice", "boolean", "number", "date"])
def test_who_holds_to_its_answer_is_sure_and_who_takes_every_hint_is_not(kind: Kind) -> None:
    own = {"open": "Oslo", "choice": "A", "boolean": "Yes", "number": "40", "date": "1814-05-17"}[kind]
    knobs: dict[str, Any] = {"kind": kind, "sampling": "misleading", "samples": 4}
    firm = Script(lambda _: f"Answer: {own}. Confidence: 80%")
    assert (measure(firm, **knobs).value, measure(firm, **knobs).answer) == (1.0, own)
    weak = Script(lambda request: f"Answer: {hinted_at(request, own)}. Confidence: 80%")
    found = measure(weak, aggregation="consistency", **knobs)
    asked = [request for request in weak.asked if len(request.messages) > 1]
    hints = [hinted_at(request, own) for request in asked if "Hint: " in request.messages[-1].content]
    assert len(asked) == 4 and len(hints) == 3 and found.answer == own
    assert found.value == pytest.approx(sum(hint == own for hint in hints) / 3)
    if kind in ("open", "number"):
        assert found.value is not None and found.value < 1
    if kind == "open":
        assert own not in hints


def test_a_hint_to_an_open_question_is_another_of_the_models_answers() -> None:
    def answer(request: Request) -> str:
        return "Answer: Oslo. Confidence: 80%" if len(request.messages) > 1 else "I think it is Bergen."

    script = Script(answer)
    assert measure(script, sampling="misleading", samples=3).value == 1.0
    hints = [r.messages[-1].content for r in script.asked if "Hint" in r.messages[-1].content]
    assert len(hints) == 2 and all("Bergen" in hint and elicitation.HINT_NOTE in hint for hint in hints)


def test_without_an_answer_of_its_own_nothing_is_hinted_at() -> None:
    script = Script(lambda _: "I cannot say.")
    with pytest.raises(Unavailable, match="without a hint"):
        measure(script, sampling="misleading")
    assert len(script.asked) == 1


def test_a_reply_without_answer_or_confidence_is_taken_up_there() -> None:
    def answer(request: Request) -> str:
        if request.prefill.endswith("Confidence:"):
            return " 70%"
        return " Oslo, of course" if request.prefill.endswith("\nAnswer:") else " Oslo lies north. Confidence: 20%"

    script = Script(answer, prefill=True)
    found = measure(script, prompt="cot", aggregation="stated", samples=1)
    assert (found.value, found.answer) == (0.7, "Oslo, of course")
    assert [request.prefill for request in script.asked] == [
        "Explanation:",
        "Explanation: Oslo lies north.\nAnswer:",
        "Explanation: Oslo lies north.\nAnswer: Oslo, of course. Confidence:",
    ]


@pytest.mark.parametrize(
    ("knobs", "said"),
    [
        ({"prompt": "vanila"}, "no prompt named 'vanila'"),
        ({"sampling": "random"}, "no sampling named"),
        ({"aggregation": "pair_rank"}, "'pair_rank' does not go with prompt 'vanilla'"),
        ({"prompt": "top_k"}, "'average_confidence' does not go with prompt 'top_k'"),
        ({"samples": 1}, "of 1 samples says nothing"),
        ({"aggregation": "stated"}, "of 5 samples says nothing"),
        ({"aggregation": "stated", "samples": 1, "sampling": "misleading"}, "'misleading' needs several"),
        ({"samples": 0}, "samples cannot be 0"),
        ({"sampling": "misleading", "samples": 14}, "samples cannot be 14"),
        ({"sampling": "paraphrase", "samples": 11}, "samples cannot be 11"),
        ({"prompt": "top_k", "aggregation": "pair_rank", "k": 7}, "k cannot be 7"),
        ({"prompt": "multi_step", "steps": 5}, "steps cannot be 5"),
        ({"k": 2}, "k changes nothing"),
        ({"steps": 2}, "steps changes nothing"),
        ({"as_released": True}, "as_released changes nothing"),
        ({"prompt": "top_k", "aggregation": "pair_rank", "readable_only": True}, "readable_only changes nothing"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_way_out(knobs: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said) as refused:
        ElicitedConfidence(**knobs)
    assert refused.value.hint


# -- the grid on the mock ----------------------------------------------------------------------------------------------


CELLS = [(prompt, sampling) for prompt in PROMPTS for sampling in SAMPLINGS]


def graded(estimator: ElicitedConfidence, asked: Sequence[tuple[Question, Inquiry]]) -> tuple[list[float], list[bool]]:
    """The numbers of an estimator and whether its own answers are right."""

    async def one(question: Question, inquiry: Inquiry) -> tuple[float, bool] | None:
        found = await estimator.estimate(inquiry)
        if found.value is None:
            return None
        assert found.answer is not None
        return found.value, bool((await grade(question, found.answer)).correct)

    async def work() -> list[tuple[float, bool]]:
        return [pair for question, inquiry in asked if (pair := await one(question, inquiry))]

    pairs = asyncio.run(work())
    return [value for value, _ in pairs], [right for _, right in pairs]


@pytest.mark.parametrize(("prompt", "sampling"), CELLS)
def test_a_calibrated_believer_is_told_apart_in_every_cell(prompt: str, sampling: str) -> None:
    questions, caller = Planted(n=120).questions(), Caller(Mock())
    for aggregation in OF_LISTS if prompt == "top_k" else OF_ANSWERS:
        single = aggregation == "stated"
        if single and sampling != "self_random":
            continue
        asked = [(q, Inquiry(q.id, prompts.render(q), {"subject": caller}, q.kind, q.choices)) for q in questions]
        estimator = ElicitedConfidence(prompt, sampling, aggregation, samples=1 if single else 5)
        values, right = graded(estimator, asked)
        assert len(values) >= 110
        assert auroc(confidence=values, correct=right) > 0.6, aggregation


@pytest.mark.parametrize("prompt", PROMPTS)
def test_what_an_honest_believer_states_is_its_belief(prompt: str) -> None:
    async def work(question: Question) -> Confidence:
        inquiry = Inquiry(question.id, prompts.render(question), {"subject": Caller(Mock())}, question.kind)
        return await ElicitedConfidence(prompt, aggregation="stated", samples=1).estimate(inquiry)

    for question in Planted(n=20).questions():
        found = asyncio.run(work(question))
        assert found.answer and found.value == pytest.approx(beliefs(question.text)[found.answer], abs=0.02)


def test_doubt_gives_in_to_hints_and_sureness_does_not() -> None:
    kept: dict[bool, list[float]] = {True: [], False: []}
    for question in Planted(n=80).questions():
        inquiry = Inquiry(question.id, prompts.render(question), {"subject": Caller(Mock())}, question.kind)
        estimator = ElicitedConfidence(sampling="misleading", aggregation="consistency")
        found = asyncio.run(estimator.estimate(inquiry))
        assert found.value is not None
        kept[max(beliefs(question.text).values()) > 0.7].append(found.value)
    assert set(kept[True]) == {1.0} and sum(kept[False]) / len(kept[False]) < 0.2


def test_a_run_repeats_itself_and_another_seed_starts_elsewhere() -> None:
    question = Planted(n=1).questions()[0]

    def once(seed: int) -> float | None:
        asking = Asking(seed=seed)
        inquiry = Inquiry("q", prompts.render(question), {"subject": Caller(Mock())}, asking=asking)
        estimator = ElicitedConfidence("top_k", "misleading", "pair_rank")
        return asyncio.run(estimator.estimate(inquiry)).value

    assert once(0) == once(0) and len({once(seed) for seed in range(4)}) == 4

"""Confidence in words and figures: what is asked, what is read, and what is learnt from other questions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from doxa import prompts, registry
from doxa.errors import Unavailable, UsageError
from doxa.estimators.certainty_words_fitted import CertaintyWordsFitted, fitted_meanings
from doxa.estimators.certainty_words_one_turn import CertaintyWordsOneTurn
from doxa.estimators.guessing import paired
from doxa.estimators.is_true_samples import IsTrueSamples
from doxa.estimators.lexicon import RELEASED, SURVEY, phrase
from doxa.estimators.persistence import Persistence
from doxa.estimators.second_answer import SecondAnswer
from doxa.estimators.stated_after_reasoning import StatedAfterReasoning
from doxa.estimators.stated_after_reflection import StatedAfterReflection
from doxa.estimators.stated_one_turn import StatedOneTurn
from doxa.estimators.stated_top_k import StatedTopK
from doxa.estimators.stated_top_k_scaled import StatedTopKScaled, best_exponent, scaled
from doxa.estimators.stated_two_turn import StatedTwoTurn
from doxa.estimators.stated_with_reasoning import StatedWithReasoning
from doxa.estimators.stating import last_probability
from doxa.inquiry import Caller, Inquiry
from doxa.models.mock import Mock
from doxa.models.planted.beliefs import beliefs
from doxa.prompts import reasoning, words
from doxa.questions.planted import Planted
from doxa.types import Capabilities, Confidence, Message, Outcome, Question, Reply, Request, Usage

QUESTION = (Message("user", "What is the capital of Norway?"),)


class Talker:
    """A model that replies by what the last turn begins or ends with; the reply under judgement is Oslo."""

    name = fingerprint = "talker"
    base_url = ""

    def __init__(self, said: Mapping[str, str], prefill: bool = False) -> None:
        self.said, self.prefill, self.asked = said, prefill, list[Request]()

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(prefill=self.prefill)

    async def generate(self, requests: Sequence[Request]) -> list[list[Outcome]]:
        self.asked += requests
        return [[self.reply(request)] for request in requests]

    def reply(self, request: Request) -> Reply:
        last = request.messages[-1].content
        text = next((said for mark, said in self.said.items() if last.startswith(mark) or last.endswith(mark)), "Oslo")
        return Reply(text, usage=Usage(1, 1, len(text.split())))


def measure(estimator: Any, said: Mapping[str, str], prefill: bool = False) -> tuple[Confidence, list[Request]]:
    model = Talker(said, prefill)
    return asyncio.run(estimator.estimate(Inquiry("q", QUESTION, {"subject": Caller(model)}))), model.asked


def on_mock(
    name: str, persona: str = "honest", n: int = 150, kind: str = "open", **knobs: Any
) -> list[tuple[Question, Confidence]]:
    caller, estimator = Caller(Mock(persona)), registry.build("estimators", name, **knobs)

    async def everything() -> list[tuple[Question, Confidence]]:
        return [(question, await estimator.estimate(inquiry(question, caller))) for question in planted(n, kind)]

    return asyncio.run(everything())


def planted(n: int, kind: str = "open") -> list[Question]:
    return Planted(n=n, kind=kind).questions()


def inquiry(question: Question, caller: Caller) -> Inquiry:
    return Inquiry(question.id, prompts.render(question), {"subject": caller}, question.kind, question.choices)


# -- true or false, by samples -----------------------------------------------------------------------------------------


def test_is_true_is_the_share_of_true_among_what_can_be_read() -> None:
    drawn = iter(["True", "False.", "true", "Hm", "It is false", "True or False"])

    class Judge(Talker):
        def reply(self, request: Request) -> Reply:
            return Reply(next(drawn)) if request.temperature else Reply("Oslo")

    model = Judge({})
    found = asyncio.run(IsTrueSamples(samples=6).estimate(Inquiry("q", QUESTION, {"subject": Caller(model)})))
    assert (found.value, found.answer, found.details) == (0.5, None, {"readable": 4.0})
    shown = model.asked[-1].messages[-1].content
    assert shown == f"Question: {QUESTION[0].content}\nAnswer: Oslo\n{words.IS_TRUE}"
    assert measure(IsTrueSamples(), {words.IS_TRUE: "Hm"})[0].value is None
    with pytest.raises(UsageError):
        IsTrueSamples(samples=0)


def test_judgements_by_the_mock_come_as_often_as_it_believes() -> None:
    rows = on_mock("is_true_samples", n=60, samples=40)
    deviation = sum((c.value or 0) - max(beliefs(q.text).values()) for q, c in rows)
    variance = sum(p * (1 - p) / 40 for p in (max(beliefs(q.text).values()) for q, _ in rows))
    assert abs(deviation) < 3 * variance**0.5


# -- guesses in two turns, and temperature scaling ---------------------------------------------------------------------


def test_guesses_of_one_turn_get_the_probabilities_of_the_next() -> None:
    said = {words.guesses_note(4): "G1: Bergen\nG2: Oslo\nG3: Moss", words.PROBABILITIES: "P1: 20%\nP2: 70%\nP4: 9%"}
    found, asked = measure(StatedTopK(turns=2), said)
    assert (found.value, found.answer, found.details) == (0.7, "Oslo", {"Bergen": 0.2, "Oslo": 0.7})
    assert asked[-1].messages[:-2] == asked[-2].messages and "%" not in asked[-2].messages[-1].content
    assert paired("G1: Oslo G2: Oslo", "P1: 0.6 P2: 90%") == {"Oslo": 0.6}
    assert measure(StatedTopK(turns=2), {words.PROBABILITIES: "70%"})[0].value is None
    for wrong in ({"turns": 3}, {"k": 0}):
        with pytest.raises(UsageError):
            StatedTopK(**wrong)


def test_examples_of_both_turns_hold_as_many_guesses_as_are_asked_for() -> None:
    shown = words.guesses((Message("system", "Be brief."), *QUESTION), 2)
    assert shown[0].role == "system" and shown[-1].content == f"{QUESTION[0].content}\n{words.guesses_note(2)}"
    for place in (2, 6):
        assert len(paired(shown[place].content, shown[place + 2].content)) == 2


def test_scaling_has_the_published_values() -> None:
    assert scaled([0.9, 0.1], 0.5) == pytest.approx([0.75, 0.25])
    assert scaled([0.9, 0.1], 2) == pytest.approx([0.9878, 0.0122], abs=5e-5)
    assert scaled([0.9], 0.5) == pytest.approx([0.75])
    assert scaled([0.4, 0.2, 0.2], 1) == pytest.approx([0.5, 0.25, 0.25])
    assert 0 < scaled([0.0, 0.0], 3)[0] < 1 and 0 < scaled([1.0], 1)[0] < 1


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6), st.floats(0.05, 20))
def test_scaling_keeps_the_order_and_gives_shares(p: list[float], beta: float) -> None:
    q = scaled(p, beta)
    assert all(0 <= each <= 1 for each in q) and (len(p) == 1 or sum(q) == pytest.approx(1))
    assert np.all(np.diff(np.asarray(q)[np.argsort(p, kind="stable")]) >= -1e-12)


def test_the_exponent_of_single_guesses_is_the_slope_of_a_logistic_regression() -> None:
    rng = np.random.default_rng(0)
    p = rng.uniform(0.02, 0.98, 400)
    right = rng.uniform(size=400) < p**2 / (p**2 + (1 - p) ** 2)
    oracle = LogisticRegression(C=np.inf, fit_intercept=False).fit(np.log(p / (1 - p))[:, None], right).coef_[0, 0]
    assert best_exponent([[each] for each in p], right.tolist()) == pytest.approx(oracle, rel=0.011)


def test_the_exponent_of_lists_undoes_a_power() -> None:
    rng = np.random.default_rng(1)
    truth = rng.dirichlet(np.ones(3), 3000)
    stated = truth**0.5  # too unsure: squared and normalised they are the truth
    right = rng.uniform(size=3000) < truth.max(axis=1)
    assert best_exponent(stated.tolist(), right.tolist()) == pytest.approx(2, abs=0.15)


def test_an_overconfident_model_is_scaled_down_by_questions_with_answers() -> None:
    questions, caller = planted(300), Caller(Mock("overconfident"))
    asked = [inquiry(question, caller) for question in questions]

    async def work() -> tuple[list[Confidence], StatedTopKScaled, list[Confidence]]:
        before = [await StatedTopKScaled(k=1).estimate(each) for each in asked]
        right = [c.answer in (q.answers or ()) for q, c in zip(questions, before, strict=True)]
        fitted = await StatedTopKScaled(k=1).fit(asked[:150], right[:150])
        return before, fitted, [await fitted.estimate(each) for each in asked[150:]]

    before, fitted, after = asyncio.run(work())
    assert fitted._beta < 0.7 and all(c.details["beta"] == fitted._beta for c in after)
    right = [c.answer in (q.answers or ()) for q, c in zip(questions[150:], after, strict=True)]
    gap = [abs(sum(c.value or 0 for c in each) / 150 - sum(right) / 150) for each in (before[150:], after)]
    assert gap[1] < gap[0]
    for outcomes in ([True] * 10, [False] * 10):
        with pytest.raises(Unavailable):
            asyncio.run(StatedTopKScaled().fit(asked[:10], outcomes))


# -- phrases -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "strict", "released"),
    [
        ("Probably Not", "probably not", "Probably"),
        ("Highly Unlikely", "highly unlikely", "Unlikely"),
        ("Highly Likely", "highly likely", "Highly Likely"),
        ("highly likely", "highly likely", None),
        ("Likely, or Almost Certain", None, "Almost Certain"),
        ("Improbable", "improbable", "Improbable"),
        ("no idea", None, None),
    ],
)
def test_the_longest_phrase_counts_or_as_released_the_first_of_the_list(
    text: str, strict: str | None, released: str | None
) -> None:
    assert phrase(text)[0] == strict and phrase(text, as_released=True)[0] == released


def test_the_released_list_has_the_rounded_numbers_of_the_same_phrases() -> None:
    rounded = ".95 .9 .8 .75 .7 .7 .7 .6 .5 .25 .2 .2 .1 .1 .1 .05 .02"
    assert list(RELEASED.values()) == [float(number) for number in rounded.split()]
    assert {known.lower() for known in RELEASED} == set(SURVEY)


def test_a_phrase_comes_with_an_answer_in_one_turn() -> None:
    said = {words.phrase_note(list(SURVEY)): "Answer: Bergen. Confidence: Probably not."}
    found, asked = measure(CertaintyWordsOneTurn(), said)
    assert (found.value, found.answer) == (0.2468, "Bergen") and len(asked) == 1
    capital = {words.phrase_note(list(RELEASED)): "Answer: Bergen. Confidence: Probably Not"}
    assert measure(CertaintyWordsOneTurn(as_released=True), capital)[0].value == 0.7
    unread = measure(CertaintyWordsOneTurn(), {words.phrase_note(list(SURVEY)): "Bergen, likely"})[0]
    assert (unread.value, unread.answer) == (None, None) and unread.reason
    for known in (SURVEY, RELEASED):
        examples = [m.content for m in words.phrased(QUESTION, list(known)) if m.role == "assistant"]
        assert len(examples) == 3 and all(any(word in example for word in known) for example in examples)


def test_a_phrase_is_worth_its_share_of_right_answers_if_enough_questions_got_it() -> None:
    human = {name: 0.9 for name in "abcd"}
    found = ["a"] * 5 + ["b"] * 4 + ["c"] * 6 + [None] * 5  # a quarter of 20 questions are five
    right = [True] * 3 + [False] * 2 + [False] * 4 + [False] * 6 + [True] * 5
    assert fitted_meanings(found, right, human) == {"a": 0.6, "b": 0.9, "c": 0.0, "d": 0.9}
    assert CertaintyWordsFitted()._meanings == tuple(SURVEY.items())


def test_the_meanings_of_phrases_are_learnt_on_some_questions_and_used_on_others() -> None:
    questions, caller = planted(300), Caller(Mock("overconfident"))
    asked = [inquiry(question, caller) for question in questions]

    async def work() -> tuple[CertaintyWordsFitted, list[Confidence], list[Confidence]]:
        before = [await CertaintyWordsFitted().estimate(each) for each in asked]
        right = [c.answer in (q.answers or ()) for q, c in zip(questions, before, strict=True)]
        fitted = await CertaintyWordsFitted().fit(asked[:150], right[:150])
        return fitted, before, [await fitted.estimate(each) for each in asked[150:]]

    fitted, before, after = asyncio.run(work())
    assert dict(fitted._meanings) != dict(SURVEY) and hash(fitted) != hash(CertaintyWordsFitted())
    right = [c.answer in (q.answers or ()) for q, c in zip(questions[150:], after, strict=True)]
    brier = [
        sum(((c.value or 0) - each) ** 2 for c, each in zip(row, right, strict=True)) for row in (before[150:], after)
    ]
    assert brier[1] < brier[0]
    silent = Inquiry("q", QUESTION, {"subject": Caller(Talker({}))})
    with pytest.raises(Unavailable, match="no phrase"):
        asyncio.run(CertaintyWordsFitted().fit([silent], [True]))


# -- after reasons -----------------------------------------------------------------------------------------------------

CHAIN = "Step 1: It lies by a fjord.\nAnswer: Bergen"
NOTE = reasoning.note("open")


def test_an_answer_with_reasons_gets_its_percentage_in_the_next_turn() -> None:
    found, asked = measure(StatedAfterReasoning(), {NOTE: CHAIN, prompts.CONFIDENCE: "Probability: 60%"})
    assert (found.value, found.answer, found.details) == (0.6, "Bergen", {"tokens": 9.0})
    assert asked[-1].messages[-2] == Message("assistant", CHAIN) and len(asked) == 2
    assert measure(StatedAfterReasoning(), {NOTE: "Hm."})[0].reason == "the reasoning ends in no answer"


def test_a_probability_can_stand_in_the_reply_that_reasons() -> None:
    said = "Step 1: Of 5 towns 80% are small.\nAnswer: Bergen. Probability: 0.6"
    found, asked = measure(StatedWithReasoning(), {words.STATE: said})
    assert (found.value, found.answer, found.details) == (0.6, "Bergen", {"tokens": 12.0}) and len(asked) == 1
    assert measure(StatedWithReasoning(), {words.STATE: "Answer: Bergen\nProbability: 1"})[0].value == 1.0
    assert measure(StatedWithReasoning(), {words.STATE: CHAIN})[0].value is None
    examples = [m.content for m in words.reason_and_state(QUESTION, "open") if m.role == "assistant"]
    assert [text.rpartition(words.PROBABILITY)[2] for text in examples] == [" 0.95", " 0.7"]


def test_criticism_comes_before_the_probability_and_is_not_read() -> None:
    said = "Check: 3 of 4 steps hold, a probability of 0.2 says.\nProbability: 0.6"
    found, asked = measure(StatedAfterReflection(), {NOTE: CHAIN, words.REFLECT: said})
    assert (found.value, found.answer) == (0.6, "Bergen")
    assert found.details == {"tokens": 9.0, "reflection_tokens": 13.0}
    assert asked[-1].messages[-2] == Message("assistant", CHAIN)
    assert measure(StatedAfterReflection(), {NOTE: CHAIN, words.REFLECT: "Check: fine, 0.9"})[0].value is None
    assert measure(StatedAfterReflection(), {NOTE: "Hm."})[0].value is None


@pytest.mark.parametrize("kind", ["open", "choice", "boolean"])
def test_every_example_that_reasons_goes_on_with_the_second_turn(kind: Any) -> None:
    for ask in (words.reflect, words.state):
        roles = [message.role for message in ask(QUESTION, kind, CHAIN)]
        assert roles == ["user", "assistant"] * 5 + ["user"]


@pytest.mark.parametrize("unanswered", ["I don't know", "I cannot answer that"])
def test_only_attempted_answers_have_a_number(unanswered: str) -> None:
    said = f"Step 1: Hm.\nAnswer: {unanswered}"
    with_reasons, _ = measure(StatedWithReasoning(), {words.STATE: f"{said}. Probability: 0.1"})
    reflected, asked = measure(StatedAfterReflection(), {NOTE: said})
    assert {with_reasons.reason, reflected.reason} == {"no answer is attempted"} and len(asked) == 1
    assert with_reasons.value is reflected.value is None and with_reasons.details["tokens"]


def test_chain_length_is_unknown_where_the_server_does_not_say() -> None:
    class Mute(Talker):
        def reply(self, request: Request) -> Reply:
            return Reply(super().reply(request).text, usage=Usage(1, None, None))

    talk = Inquiry("q", QUESTION, {"subject": Caller(Mute({words.STATE: f"{CHAIN}. Probability: 0.6"}))})
    found = asyncio.run(StatedWithReasoning().estimate(talk))
    assert (found.value, found.details) == (0.6, {"tokens": None})


# -- once more ---------------------------------------------------------------------------------------------------------

AGAIN: dict[str, Callable[[str], str]] = {
    "plain": lambda answer: answer,
    "neutral": lambda answer: f"It is {answer}.",
    "post_hoc": lambda answer: f"Bergen is on the coast and Moss is small.\nAnswer: {answer}",
    "self_discover": lambda answer: f"Plan: recall.\nStep 1: Bergen?\nAnswer: {answer}",
}


@pytest.mark.parametrize("style", words.RETHINK)
def test_a_second_answer_is_kept_or_changed_and_scored_in_every_style(style: str) -> None:
    for answer, kept in (("Oslo", 1.0), ("Narvik", 0.0)):
        said = {words.RETHINK[style]: AGAIN[style](answer), words.SCORE: "Score: 85"}
        first, asked = measure(Persistence(style=style), said)
        assert first.value == kept and len(asked) == 2
        second, more = measure(SecondAnswer(style=style), said)
        assert (second.value, second.details) == (0.85, {"kept": kept}) and answer in (second.answer or "")
        assert more[:2] == asked and more[-1].messages[:-2] == asked[-1].messages


def test_a_refusal_neither_keeps_nor_changes_and_has_no_score() -> None:
    said = {words.RETHINK["plain"]: "I cannot answer that.", words.SCORE: "100"}
    for estimator in (Persistence(), SecondAnswer()):
        found, asked = measure(estimator, said)
        assert found.value is None and "neither keeps nor changes" in found.reason and len(asked) == 2
    with pytest.raises(UsageError, match="telepathy"):
        SecondAnswer(style="telepathy")


def test_the_second_answer_after_a_refusal_was_not_kept_nor_changed() -> None:
    class Shy(Talker):
        def reply(self, request: Request) -> Reply:
            return Reply("I don't know.") if request.messages == QUESTION else super().reply(request)

    model = Shy({words.RETHINK["plain"]: "Oslo", words.SCORE: "40"})
    found = asyncio.run(SecondAnswer().estimate(Inquiry("q", QUESTION, {"subject": Caller(model)})))
    assert (found.value, found.answer, found.details) == (0.4, "Oslo", {"kept": None})


# -- what is released, and what is planted -----------------------------------------------------------------------------


@pytest.mark.parametrize(("said", "value"), [("0.8", 0.8), ("90%", None), ("1", None), ("version 0.5, then 0.8", 0.5)])
def test_the_released_pattern_needs_a_decimal_point(said: str, value: float | None) -> None:
    assert measure(StatedTwoTurn(as_released=True), {prompts.CONFIDENCE: said})[0].value == value
    one_turn = {prompts.ONE_TURN: f"Answer: Oslo. Confidence: {said}"}
    assert measure(StatedOneTurn(as_released=True), one_turn)[0].value == value


@pytest.mark.parametrize("kind", ["open", "choice"])
@pytest.mark.parametrize(
    ("name", "knobs"),
    [
        ("stated_top_k", {"turns": 2}),
        ("stated_after_reasoning", {}),
        ("stated_with_reasoning", {}),
        ("stated_after_reflection", {}),
        *(("second_answer", {"style": style}) for style in words.RETHINK),
    ],
)
def test_the_honest_mock_states_its_belief_in_every_form(name: str, knobs: dict[str, Any], kind: str) -> None:
    for question, confidence in on_mock(name, n=20, kind=kind, **knobs):
        known = beliefs(question.text if kind == "open" else prompts.render(question)[-1].content)
        answer = confidence.answer or ""
        meant = answer if kind == "open" else question.choices["ABCDEF".index(answer)]
        assert confidence.value == pytest.approx(known[meant], abs=0.0051)


def test_phrases_of_the_mock_fall_with_its_belief() -> None:
    rows = on_mock("certainty_words_one_turn")
    found = sorted((beliefs(q.text)[c.answer or ""], c.value or 0) for q, c in rows)
    assert [value for _, value in found] == sorted(value for _, value in found) and len({v for _, v in found}) > 5


@pytest.mark.parametrize("said", ["not very likely", "It isn't likely.", "not at all probable", "never quite likely"])
def test_a_negated_phrase_of_certainty_is_passed_over(said: str) -> None:
    assert phrase(said) == (None, "no phrase of certainty")


@pytest.mark.parametrize(("said", "value"), [(".1", 0.1), ("0.7", 0.7), ("-0.7", None), ("**0.25**", 0.25)])
def test_a_probability_keeps_its_point_and_its_sign(said: str, value: float | None) -> None:
    assert last_probability(f"Two doubts.\nProbability: {said}")[0] == value

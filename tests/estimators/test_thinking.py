"""Thinking cut short: what is shown, what is read, and what a model with planted beliefs makes of it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doxa import flow, prompts
from doxa.choosing import named
from doxa.errors import Unavailable, UsageError
from doxa.estimators.chains import read_chain
from doxa.estimators.early_answering import EarlyAnswering, kept_share, majority
from doxa.estimators.final_answer import FinalAnswer, answer_confidence, answer_tokens
from doxa.estimators.option_after_reasoning import OptionAfterReasoning
from doxa.estimators.thinking import body, parted
from doxa.inquiry import Asking, Caller, Inquiry
from doxa.models.mock import Mock
from doxa.models.planted.beliefs import beliefs
from doxa.questions.planted import Planted
from doxa.types import Capabilities, Confidence, Model, Outcome, Question, Reply, Request, Token

OPEN = Planted(n=40).questions()
CHOICE = Planted(n=40, kind="choice").questions()
SUM = Question("sum", "What is 3 x 4?", kind="number")


def made(question: Question, model: Model, logprobs: int | None = 5) -> Inquiry:
    messages, asking = prompts.render(question), Asking(top_logprobs=logprobs)
    callers = {"subject": Caller(model)}
    return Inquiry(question.id, messages, callers, question.kind, question.choices, asking=asking)


def ask(estimator: Any, question: Question, model: Model, logprobs: int | None = 5) -> Confidence:
    async def work() -> Confidence:
        return await estimator.estimate(made(question, model, logprobs))  # type: ignore[no-any-return]

    return asyncio.run(work())


@dataclass
class Script:
    """A model that says what is written for the last words of its turn or of its prompt; it notes what it is asked."""

    lines: dict[str, str]
    begins: bool = True
    logprob: float | None = math.log(0.5)
    asked: list[Request] = field(default_factory=list)
    name: str = "script"
    base_url: str = ""
    fingerprint: str = "script"

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(logprobs=self.logprob is not None, top_logprobs=5, prefill=self.begins)

    async def generate(self, requests: Sequence[Request]) -> list[list[Outcome]]:
        return [[self._reply(request)] for request in requests]

    def _reply(self, request: Request) -> Reply:
        self.asked.append(request)
        begun = request.prefill or request.messages[-1].content
        text = next(said for end, said in self.lines.items() if begun.endswith(end))
        shown = self.logprob is not None and request.top_logprobs is not None
        words = [Token(word, self.logprob) for word in parted("", text, None).pieces]
        return Reply(text, tuple(words) if shown else None)

    async def score(self, requests: Sequence[Request]) -> list[Outcome]:
        raise AssertionError("nothing is scored here")

    async def close(self) -> None:
        """Nothing is held."""


# -- what is shown -----------------------------------------------------------------------------------------------------


@given(st.text(alphabet="ab1 .\n:", max_size=40), st.text(alphabet="ab1 .", max_size=10))
def test_a_chain_without_its_answer_is_what_stands_before_it(steps: str, answer: str) -> None:
    assert body(read_chain(f"{steps}\n**Answer:** {answer}").text) in (steps.rstrip(), body(read_chain(steps).text))
    assert "Answer:" not in body(f"{steps}\nAnswer: {answer}")


@given(st.text(alphabet="ab1 .\n", max_size=40).map(str.rstrip), st.integers(0, 30))
def test_pieces_spell_the_thinking_and_budgets_are_its_beginnings(text: str, budget: int) -> None:
    in_tokens = parted("Step 1:", text, [Token(letter) for letter in f"{text}\nAnswer: 3"])
    in_words = parted("Step 1:", text, None)
    assert in_tokens.unit == "tokens" and in_tokens.pieces == tuple(text)
    assert in_words.unit == "words" and [piece.strip() for piece in in_words.pieces] == text.split()
    for thought in (in_tokens, in_words):
        assert thought.first(0) == "Step 1:" and thought.first(len(thought.pieces)) == f"Step 1:{text}"
        assert f"Step 1:{text}".startswith(thought.first(budget))


def test_tokens_that_do_not_spell_the_text_are_not_counted() -> None:
    assert parted("", "one two three", [Token("one"), Token("<unk>")]).unit == "words"
    assert parted("", "one two", [Token("one t"), Token("wo\nAns"), Token("wer")]).pieces == ("one t", "wo")


# -- final answer ------------------------------------------------------------------------------------------------------


def test_the_confidence_is_the_product_of_the_answers_tokens_their_mean_or_their_smallest() -> None:
    logs = [math.log(0.9), math.log(0.4)]
    assert answer_confidence(logs) == pytest.approx(0.36)
    assert answer_confidence(logs, "mean") == pytest.approx(0.6)
    assert answer_confidence(logs, "min") == pytest.approx(0.4)
    with pytest.raises(UsageError, match="no reduction 'sum'"):
        FinalAnswer(reduction="sum")
    with pytest.raises(UsageError, match="a budget of -1"):
        FinalAnswer(budget=-1)


def test_of_numbers_digits_count_and_of_options_the_letter() -> None:
    def texts(kind: str, *said: str) -> list[str]:
        return [token.text for token in answer_tokens([Token(text) for text in said], kind, 4)]  # type: ignore[arg-type]

    assert texts("number", " ", "4", "2", " km", "<|im_end|>") == ["4", "2"]
    assert texts("number", " 3", " x", " 4", " =", " 1", "2", ".") == [" 1", "2"]
    assert texts("date", "2", "0", "-", "01") == ["2", "0", "01"]
    assert texts("choice", " (", "B", ")", " Oslo", "A") == ["B"]
    assert texts("choice", " Oslo", ".") == [" Oslo"]
    assert texts("open", " Mount", " ", "Fuji", ".", "</s>") == [" Mount", "Fuji"]
    assert texts("number", " none") == []


CHAIN = {"Step 1:": " 3 x 4 is asked.\nStep 2: 3 x 4 = 12.\nAnswer: 12"}


def test_thinking_is_cut_at_the_budget_and_the_answer_is_forced_there() -> None:
    model = Script(CHAIN | {"Step 1: 3 x\nAnswer:": " 7", "Answer:": " 12 eggs"})
    early, late = (ask(FinalAnswer(budget, extensions=0), SUM, model) for budget in (2, 40))
    assert early.answer == "7" and early.value == pytest.approx(0.5)
    assert early.details == {"budget": 2, "thought": 2, "extensions": 0}
    assert late.answer == "12 eggs" and late.value == pytest.approx(0.5)
    assert late.details["thought"] == 12 and late.provenance == "thinking cut by tokens"
    assert sum(request.prefill == "Step 1:" for request in model.asked) == 2  # one for each inquiry: both are equal
    assert len({request for request in model.asked if request.prefill == "Step 1:"}) == 1
    forced = [request for request in model.asked if request.prefill.endswith("Answer:")]
    assert {(request.temperature, request.stop) for request in forced} == {(0.0, ("\n",))}


def test_thinking_that_ends_too_early_is_made_to_go_on_as_often_as_allowed() -> None:
    lines = CHAIN | {"Wait,": " 3 x 4 = 12 again.\nAnswer: 12", "Answer:": " 12"}
    model = Script(lines)
    found = ask(FinalAnswer(budget=25, extensions=5), SUM, model)
    assert found.details == {"budget": 25, "thought": 25, "extensions": 2}
    assert model.asked[-1].prefill.count("Wait,") == 2
    assert ask(FinalAnswer(budget=1000, extensions=3), SUM, Script(lines)).details["extensions"] == 3
    assert ask(FinalAnswer(budget=12, extensions=3), SUM, Script(lines)).details["extensions"] == 0


def test_budgets_of_one_run_share_the_chain_and_its_continuations() -> None:
    model = Script(CHAIN | {"Wait,": " again.\nAnswer: 12", "Answer:": " 12"})

    async def work() -> None:
        inquiry = made(SUM, model)
        for budget in (2, 14, 16):
            await FinalAnswer(budget).estimate(inquiry)

    asyncio.run(work())
    assert len(model.asked) == 1 + 2 + 3  # the chain, two continuations, three answers


def test_an_answer_that_cannot_be_read_has_no_number_or_the_released_one() -> None:
    model = Script(CHAIN | {"Answer:": " none of them"})
    found = ask(FinalAnswer(4, extensions=0), SUM, model)
    assert found.value is None and found.reason == "the final answer cannot be read" and found.answer is None
    assert ask(FinalAnswer(4, extensions=0, as_released=True), SUM, model).value == pytest.approx(math.exp(-5))


def test_a_model_without_log_probabilities_has_no_final_confidence_but_thinks_in_words() -> None:
    model = Script(CHAIN | {"Answer:": " 12"}, logprob=None)
    with pytest.raises(Unavailable, match="no log-probabilities"):
        ask(FinalAnswer(4), SUM, model)
    assert model.asked[-1].prefill == "Step 1: 3 x 4 is\nAnswer:"


def test_a_model_whose_turn_cannot_be_begun_is_told_to_stop() -> None:
    note = prompts.reasoning.note("number")
    last = "Stop here. Give the final answer only. Answer with the number only."
    model = Script({note: "Step 1: 3 x 4 = 12.\nAnswer: 12", last: "12", "number only.": "11"}, begins=False)
    found = ask(FinalAnswer(4), SUM, model)
    assert found.answer == "12" and found.details == {"budget": 4, "thought": 4, "extensions": 0}
    assert [message.content for message in model.asked[-1].messages[-2:]] == ["Step 1: 3 x", last]
    assert ask(EarlyAnswering(1), SUM, model).details["kept_0"] == 0.0  # the bare question has another answer


def test_without_thinking_the_mock_gives_its_belief_and_is_persuaded_by_its_own_chain() -> None:
    for question in OPEN:
        best, belief = next(iter(beliefs(question.text).items()))
        for budget, share in ((0, 0.0), (1000, 1.0)):
            found = ask(FinalAnswer(budget, extensions=0), question, Mock())
            assert found.answer == best
            assert found.value == pytest.approx(belief + (1 - belief) * share / 2)


def test_the_mock_is_surer_the_more_of_its_thinking_it_has_seen() -> None:
    for question in OPEN:
        values = [ask(FinalAnswer(budget, extensions=0), question, Mock()).value for budget in range(0, 20, 2)]
        assert values == sorted(values, key=lambda value: value or 0) and values[0] != values[-1]


# -- options before and after reasoning --------------------------------------------------------------------------------


def test_reasoning_raises_the_probability_of_the_option_it_leads_to() -> None:
    for question in CHOICE:
        best, belief = next(iter(beliefs(f"{question.text}\n{prompts.choices_block(question.choices)}").items()))
        found = ask(OptionAfterReasoning(), question, Mock())
        assert found.answer == best
        assert found.details["before"] == found.details["same_before"] == pytest.approx(belief)
        assert found.details["after"] == found.value == pytest.approx((1 + belief) / 2)


@pytest.mark.parametrize("begins", [True, False])
def test_before_is_about_the_direct_choice_and_same_before_about_the_option_chosen_after(begins: bool) -> None:
    question = Question("q", "Where?", kind="choice", choices=("Oslo", "Bern"))

    @dataclass
    class Two(Script):
        def _reply(self, request: Request) -> Reply:
            if request.max_tokens > 1:
                return Reply("Step 1: It is not Oslo.\nAnswer: B")
            direct = request.messages[-1].content.endswith(prompts.INSTRUCTION["choice"]) and not request.prefill
            direct = direct and not any("Stop here." in message.content for message in request.messages)
            p = 0.75 if direct else 0.25
            return Reply("A", (Token("A", math.log(p), ((" A", math.log(p)), (" B", math.log(1 - p)))),))

    found = ask(OptionAfterReasoning(), question, Two({}, begins))
    assert found.answer == "Bern" and found.value == pytest.approx(0.75)
    assert found.details == pytest.approx({"before": 0.75, "after": 0.75, "same_before": 0.25})


def test_yes_and_no_are_options_and_open_questions_have_none() -> None:
    question = Question("q", "Is bead 3 red?", kind="boolean")
    belief = beliefs(prompts.render(question)[0].content)
    found = ask(OptionAfterReasoning(), question, Mock())
    assert found.answer == max(belief, key=belief.__getitem__).lower()
    assert found.details["before"] == pytest.approx(max(belief.values()), abs=1e-4)
    with pytest.raises(Unavailable, match="no options"):
        ask(OptionAfterReasoning(), OPEN[0], Mock())


# -- early answering ---------------------------------------------------------------------------------------------------


def test_the_majority_is_the_commonest_answer_and_of_equals_the_first() -> None:
    assert majority(["a", "b", None, "b"]) == ("b", [1, 3])
    assert majority(["a", "b"]) == ("a", [0])
    assert majority([None, None]) is None


@given(st.lists(st.sampled_from(["7", "5", None])))
def test_unreadable_early_answers_are_neither_kept_nor_changed(early: list[str | None]) -> None:
    kept, changed = early.count("7"), early.count("5")
    expected = kept / (kept + changed) if kept + changed else None
    assert kept_share(early, "7") == expected == kept_share([*early, None], "7")


def test_the_value_is_the_share_of_cuts_that_keep_the_answer() -> None:
    # Of the nine words none, two, four and six are shown.
    lines = {"Step 1:": " 3 x 4 =\nStep 2: 12.\nAnswer: 12"}
    early = {"1:\nAnswer:": " who knows", "x\nAnswer:": " 12", "=\nAnswer:": " It is 12.", "Answer:": " 5"}
    model = Script(lines | early)
    found = ask(EarlyAnswering(1), SUM, model)
    shown = ["Answer:", "Step 1:\nAnswer:", "Step 1: 3 x\nAnswer:", "Step 1: 3 x 4 =\nAnswer:"]
    assert [request.prefill for request in model.asked[1:]] == shown
    assert found.answer == "12" and found.value == pytest.approx(2 / 3)
    kept = {"kept_0": 0.0, "kept_0.25": None, "kept_0.5": 1.0, "kept_0.75": 1.0}
    assert found.details == {"chains": 1, **kept, "necessity": 1 - 2 / 3, "unreadable": 1}


@dataclass
class Several(Script):
    """Draws four chains: two lead to 7, one to 8, one nowhere; the first changes its answer when it is cut."""

    def _reply(self, request: Request) -> Reply:
        if request.prefill.endswith("Answer:"):
            return Reply(" 9" if "first" in request.prefill else " 7")
        drawn = (" first way.\nAnswer: 7", " second way.\nAnswer: 8", " third way.\nAnswer: 7", " no way")
        return Reply(drawn[(request.seed or 0) % 4])


def test_chains_behind_the_majority_are_cut_the_first_or_every_one() -> None:
    one = ask(EarlyAnswering(4, cuts=(0.0, 0.8)), SUM, Several({}))
    every = ask(EarlyAnswering(4, cuts=(0.0, 0.8), every=True), SUM, Several({}))
    assert one.answer == every.answer == "7"
    assert (one.value, one.details["kept_0.8"]) == (0.5, 0.0)
    assert (every.value, every.details["kept_0.8"]) == (0.75, 0.5)


def test_without_an_answer_there_is_no_majority_and_without_early_answers_no_number() -> None:
    none = ask(EarlyAnswering(2), SUM, Script({"Step 1:": " I wonder."}))
    assert (none.value, none.answer, none.reason) == (None, None, "no chain holds a readable answer")
    mute = ask(EarlyAnswering(2), SUM, Script(CHAIN | {"Answer:": " hm"}))
    assert (mute.value, mute.answer, mute.reason) == (None, "12", "no early answer could be read")
    assert mute.details["unreadable"] == 4 and mute.details["necessity"] is None


def test_the_mock_keeps_its_likeliest_answer_and_changes_others_until_the_chain_names_them() -> None:
    for question in OPEN[:20]:
        best = next(iter(beliefs(question.text)))
        found = ask(EarlyAnswering(1), question, Mock())
        assert found.details["kept_0"] == float(found.answer == best)
        assert found.value is not None and found.details["necessity"] == pytest.approx(1 - found.value)
        assert found.value == 1.0 if found.answer == best else found.value < 1.0


def test_bad_cuts_are_refused() -> None:
    for cuts in ((), (1.0,), (-0.1,)):
        with pytest.raises(UsageError, match="cuts at"):
            EarlyAnswering(cuts=cuts)
    with pytest.raises(UsageError, match="0 chains"):
        EarlyAnswering(chains=0)


def test_a_dry_run_counts_the_chains_and_every_early_answer() -> None:
    plan = flow.Plan(OPEN[:2], named("early_answering"))
    assert asyncio.run(flow.count(plan, Mock().capabilities)).calls == 2 * (1 + 5 + 4)

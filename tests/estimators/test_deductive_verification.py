"""Deductive verification: the form that is read, the rule of votes, and what a verifier is shown."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from doxa import prompts
from doxa.errors import CallFailed, UsageError
from doxa.estimators.deductive_verification import (
    DeductiveVerification,
    Step,
    contenders,
    passes,
    plurality,
    read_program,
    verdict,
)
from doxa.inquiry import Caller, Inquiry, sample_number
from doxa.models.mock import Mock
from doxa.models.planted.beliefs import beliefs
from doxa.prompts import deduction
from doxa.questions.planted import Planted
from doxa.types import KINDS, Capabilities, Confidence, Failure, Outcome, Question, Reply, Request

SHELF = """1. A shelf has 3 rows of 4 books.
2. 2 books are taken away.
3. (from 1) There are 3 x 4 = 12 books.
4. (from 2, 3) 12 - 2 = 10 books are left.
Answer: 10
5. (from 4) What follows the answer is not read."""


def test_a_program_is_facts_and_steps_with_what_they_name() -> None:
    found = read_program(SHELF)
    assert found.facts == ("A shelf has 3 rows of 4 books.", "2 books are taken away.")
    first, second = found.steps
    assert first == Step("There are 3 x 4 = 12 books.", ("A shelf has 3 rows of 4 books.",))
    assert second == Step("12 - 2 = 10 books are left.", ("2 books are taken away.", "There are 3 x 4 = 12 books."))
    assert first.grounded and second.grounded and found.answer == "10"


@pytest.mark.parametrize(
    "line",
    [
        "#4. (by #1 #2 #3) So it is.",
        "4) (using 1-3) So it is.",
        "4: So it is. (From 1–2 and 3)",
        " 4. (from 3,1,2,1) So it is.",
    ],
)
def test_other_ways_to_name_lines_are_read(line: str) -> None:
    [step] = read_program(f"1. One.\n2. Two.\n3. Three.\n{line}\nAnswer: 4").steps
    assert step.text == "So it is." and sorted(step.facts) == ["One.", "Three.", "Two."] and step.grounded


@pytest.mark.parametrize(
    ("lines", "missing"),
    [
        ("2. (from 1, 7) So it is.", (7,)),  # no such line
        ("2. (from 2) So it is.", (2,)),  # itself
        ("2. (from 3) So it is.\n3. (from 1) Later.", (3,)),  # a line after it
        ("2. (from 1)", ()),  # says nothing
        ("2. (from 1) Fine.\n3. It names nothing.", ()),  # no fact any more once there are steps
    ],
)
def test_steps_without_ground_are_told(lines: str, missing: tuple[int, ...]) -> None:
    steps = read_program(f"1. One.\n{lines}\nAnswer: 4").steps
    assert [step.missing for step in steps if not step.grounded] == [missing]


def test_a_number_used_twice_means_the_line_before() -> None:
    text = "1. One.\n2. (from 1) Two.\n1. (from 2) Three.\n2. (from 1) Four.\nAnswer: 4"
    assert [step.facts for step in read_program(text).steps] == [("One.",), ("Two.",), ("Three.",)]


@given(st.text("(from 1,-.9)\n#Answer: x", max_size=80))
def test_any_text_is_read(text: str) -> None:
    found = read_program(text)
    assert all(fact in text for fact in found.facts)
    assert all(step.grounded == (bool(step.text and step.facts) and not step.missing) for step in found.steps)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Facts: given. Reasoning: sound. Sums: 3 x 4 = 12. Verdict: Yes", True),
        ("Facts: given. Sums: 12 - 2 is not 9. Verdict: No.", False),
        ("Verdict: Yes\nVerdict: No", False),
        ("No, it does not.", False),
        ("Facts: given. Reasoning: sound.", None),
        ("", None),
    ],
)
def test_verdicts(text: str, said: bool | None) -> None:
    assert verdict(text) is said


# -- the votes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("votes", "close"),
    [
        ("aaaaabbb", "ab"),  # 5 : 3, a gap of 2
        ("aaaaaabbb", ""),  # 6 : 3
        ("aaab", ""),  # one vote is not enough
        ("aabb", "ab"),
        ("aaabbccd", "abc"),  # those that tie with the second are verified too
        ("aaaa", ""),
        ("....", ""),
        ("aabb......", "ab"),
    ],
)
def test_a_vote_is_close(votes: str, close: str) -> None:
    assert contenders([None if vote == "." else vote for vote in votes]) == set(close)


def test_more_than_half_must_agree() -> None:
    assert passes([True, True, False]) and not passes([True, False]) and not passes([False, False, True])


T, F = True, False


@pytest.mark.parametrize(
    ("votes", "valid", "expected"),
    [
        ("aaabb", [F, F, T, T, T], ("b", 2 / 3)),
        ("aaabbc", [F, F, F, T, F, None], ("b", 1 / 2)),  # the unverified one still speaks against it
        ("aaabb.", [F, F, F, F, T, None], ("b", 1 / 2)),  # and so does the one without an answer
        ("aaabb.", [F, F, F, F, F, None], ("a", 3 / 6)),  # none is valid: the plain vote
        ("aaabb", [T, F, F, T, F], ("a", 1 / 2)),  # as many valid ones: more votes of all
        ("bbaa", [None] * 4, ("a", 1 / 2)),
        ("aaaaaaab..", [None] * 10, ("a", 7 / 10)),
        ("..", [None] * 2, None),
    ],
)
def test_plurality(votes: str, valid: Sequence[bool | None], expected: tuple[str, float] | None) -> None:
    assert plurality([None if vote == "." else vote for vote in votes], valid) == expected


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c", None]), st.sampled_from([True, False, None])), min_size=1))
def test_plurality_keeps_to_the_votes(told: list[tuple[str | None, bool | None]]) -> None:
    votes, valid = [vote for vote, _ in told], [ok for _, ok in told]
    found = plurality(votes, valid)
    if found is None:
        assert set(votes) == {None}
        return
    for again in (told[::-1], told[1:] + told[:1]):
        assert plurality([vote for vote, _ in again], [ok for _, ok in again]) == found
    best, share = found
    assert 0 < share <= 1 and best in votes
    good = Counter(vote for vote, ok in told if ok and vote)
    if good:
        assert good[best] == max(good.values())
    else:
        assert share == votes.count(best) / len(votes)


# -- the estimator -----------------------------------------------------------------------------------------------------


@dataclass
class Deducer:
    """A model that deduces as told, and gives verdicts by the step that is checked."""

    programs: tuple[str, ...]
    verdicts: Mapping[str, str] = field(default_factory=dict)
    checked: list[str] = field(default_factory=list)
    capabilities: ClassVar[Capabilities] = Capabilities()

    async def call(self, request: Request) -> Outcome:
        text, number = request.messages[-1].content, sample_number(request.seed or 0)
        if "\nStep: " not in text:
            return Reply(self.programs[number])
        self.checked.append(text.partition("\n")[2])
        said = self.verdicts.get(text.rpartition("\nStep: ")[2], "yyy")[number % 3]
        if said == "!":
            return Failure("timeout", "it took too long", retryable=True)
        return Reply({"y": "Facts: given. Verdict: Yes", "n": "Facts: wrong. Verdict: No", "?": "Hm."}[said])


def verified(model: Deducer, **knobs: object) -> Confidence:
    async def work() -> Confidence:
        messages = prompts.render(Question("q", "How many books are left?", kind="number"))
        estimator = DeductiveVerification(samples=len(model.programs), **knobs)  # type: ignore[arg-type]
        return await estimator.estimate(Inquiry("q", messages, {"subject": model}, "number"))

    return asyncio.run(work())


def program(step: str, answer: object) -> str:
    return f"1. Fact one.\n2. Fact two.\n3. (from 2) {step}\n4. (from 3) Hence {answer}.\nAnswer: {answer}"


GOOD, BAD = program("Sound.", 10), program("Slip.", 11)


def test_only_close_contenders_are_verified_and_a_step_is_shown_its_facts_alone() -> None:
    model = Deducer((GOOD, GOOD, BAD, BAD, BAD, program("Odd.", 12), "I do not know."), {"Slip.": "nyn"})
    found = verified(model)
    # 10 keeps its 2 votes; of 7 chains the 3 for 11 fall, that for 12 and the one without an answer do not.
    assert (found.value, found.answer) == (2 / 4, "10")
    assert found.details == {"readable": 6, "verified": 5, "valid": 2}
    # Equal steps are one question; the check of a chain stops at its first bad step.
    assert set(model.checked) == {
        "Fact: Fact two.\nStep: Sound.",
        "Fact: Sound.\nStep: Hence 10.",
        "Fact: Fact two.\nStep: Slip.",
    }


def test_a_clear_vote_is_not_verified() -> None:
    model = Deducer((GOOD, GOOD, GOOD, GOOD, BAD))
    found = verified(model)
    assert (found.value, found.answer, model.checked) == (4 / 5, "10", [])
    assert found.details == {"readable": 5, "verified": 0, "valid": None}


def test_without_a_valid_chain_the_plain_vote_counts() -> None:
    found = verified(Deducer((GOOD, GOOD, BAD, BAD, BAD), {"Sound.": "nnn", "Slip.": "nnn"}))
    assert (found.value, found.answer, found.details["valid"]) == (3 / 5, "11", 0)


@pytest.mark.parametrize(
    ("verdicts", "strict", "released"), [("y??", "10", "11"), ("yy?", "11", "11"), ("nn?", "10", "10")]
)
def test_an_unreadable_verdict_counts_against_the_step_unless_as_released(
    verdicts: str, strict: str, released: str
) -> None:
    programs = (GOOD, GOOD, BAD, BAD, BAD)
    assert verified(Deducer(programs, {"Slip.": verdicts})).answer == strict
    assert verified(Deducer(programs, {"Slip.": verdicts}), as_released=True).answer == released


@pytest.mark.parametrize(
    "chain", ["1. Fact.\n2. (from 9) Leap.\nAnswer: 11", "1. Fact.\n2. (from 1) A.\n3. B.\nAnswer: 11", "Answer: 11"]
)
def test_what_cannot_be_put_to_the_verifier_is_invalid_unless_as_released(chain: str) -> None:
    programs = (GOOD, GOOD, chain, chain, chain)
    assert verified(Deducer(programs)).answer == "10"
    assert verified(Deducer(programs), as_released=True).answer == "11"


def test_no_readable_answer_is_no_number_and_a_failed_verdict_is_an_error() -> None:
    none = verified(Deducer(("1. Fact.", "Answer: I don't know.", "")))
    assert (none.value, none.answer, none.reason) == (None, None, "no chain has a readable answer")
    with pytest.raises(CallFailed, match="timeout"):
        verified(Deducer((GOOD, GOOD, BAD, BAD), {"Slip.": "y!y"}))


@pytest.mark.parametrize("knobs", [{"samples": 0}, {"votes": 0}])
def test_knobs_that_make_no_sense_are_refused(knobs: dict[str, int]) -> None:
    with pytest.raises(UsageError):
        DeductiveVerification(**knobs)


@pytest.mark.parametrize("kind", KINDS)
def test_the_examples_keep_the_form_that_is_asked_for(kind: str) -> None:
    choices = ("4", "5") if kind == "choice" else ()
    messages = prompts.render(Question("q", "What is 2 + 3?", kind=kind, choices=choices))  # type: ignore[arg-type]
    *shown, last = deduction.natural_program(messages, kind)  # type: ignore[arg-type]
    assert prompts.INSTRUCTION[kind] not in last.content or not prompts.INSTRUCTION[kind]  # type: ignore[index]
    for turn in shown[1::2]:
        found = read_program(turn.content)
        assert turn.content.startswith(deduction.BEGIN) and found.answer and found.facts
        assert found.steps and all(step.grounded for step in found.steps)
    verdicts = [verdict(turn.content) for turn in deduction.check(["One."], "Two.")[1::2]]
    assert sorted(map(str, verdicts)) == ["False", "False", "True", "True"]


def test_on_planted_beliefs_it_is_surer_of_what_is_believed_more() -> None:
    async def work(question: Question) -> Confidence:
        inquiry = Inquiry(question.id, prompts.render(question), {"subject": Caller(Mock())}, question.kind)
        return await DeductiveVerification().estimate(inquiry)

    values, believed, verified = [], [], 0.0
    for question in Planted(n=60).questions():
        found = asyncio.run(work(question))
        assert found.value is not None and found.answer is not None and found.details["readable"] == 10
        values.append(found.value)
        believed.append(beliefs(question.text)[found.answer])
        verified += (found.details["verified"] or 0) > 0
    assert 10 < verified < 50
    assert spearmanr(values, believed).statistic > 0.8

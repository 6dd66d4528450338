"""Chains of reasoning: how they are read, and that methods share them."""

from __future__ import annotations

import asyncio

import pytest

from doxa import prompts
from doxa.estimators.chains import chain, chains, read_chain, room
from doxa.inquiry import Asking, Caller, Inquiry
from doxa.models.mock import Mock
from doxa.questions.planted import Planted


def inquiry(kind: str = "open", *, persona: str = "honest", max_tokens: int = 64) -> Inquiry:
    (question,) = Planted(n=1, kind=kind).questions()
    callers = {"subject": Caller(Mock(persona))}
    messages, asking = prompts.render(question), Asking(max_tokens=max_tokens)
    return Inquiry(question.id, messages, callers, question.kind, question.choices, asking=asking)


@pytest.mark.parametrize(
    ("text", "steps", "answer"),
    [
        ("Step 1: a\nStep 2: b\nAnswer: c", ("a", "b"), "c"),
        ("1. a\n2) b\n\n**Answer:** c.\nStep 9: more", ("a", "b"), "c"),
        ("Step 1: the answer: maybe c", ("the answer: maybe c",), None),
        ("Step 1: a\nanswer: ", ("a",), None),
        ("Answer: c\nAnswer: d", (), "c"),
        ("", (), None),
        ("3 x 4 = 12", ("3 x 4 = 12",), None),
    ],
)
def test_steps_and_the_first_answer_line_are_read(text: str, steps: tuple[str, ...], answer: str | None) -> None:
    read = read_chain(text)
    assert (read.steps, read.answer) == (steps, answer)
    assert text.startswith(read.text)


@pytest.mark.parametrize("kind", ["open", "choice"])
def test_the_first_chains_are_the_same_however_many_are_asked_for_and_cost_once(kind: str) -> None:
    async def work() -> None:
        about = inquiry(kind)
        ten = await chains(about, 10)
        assert await chains(about, 4) == ten[:4]
        assert about.usage.calls == 10
        assert len({each.text for each in ten}) > 1
        assert all(each.answer and each.steps for each in [*ten, await chain(about)])

    asyncio.run(work())


def test_a_chain_has_more_room_than_a_reply() -> None:
    assert (room(inquiry(max_tokens=8)), room(inquiry(max_tokens=100))) == (128, 400)


def test_on_a_mock_chains_end_in_answers_as_often_as_it_believes_them() -> None:
    async def work() -> float:
        about = inquiry()
        said = [each.answer for each in await chains(about, 1000)]
        replies = [reply.text for reply in await about.samples(1000)]
        return max(abs(said.count(answer) - replies.count(answer)) / 1000 for answer in set(replies))

    assert asyncio.run(work()) < 0.08

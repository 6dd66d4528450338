"""Chains of reasoning: steps, one a line, that end in an answer. All methods that reason ask for the same ones."""

from __future__ import annotations

import re
from typing import NamedTuple

from doxa.estimators.reading import prefill
from doxa.inquiry import Inquiry
from doxa.prompts import reasoning
from doxa.types import Reply

_LEAST = 128
_TIMES = 4
_ANSWER = re.compile(rf"^[^\S\n]*\**{reasoning.ANSWER}\**[^\S\n]*(.*)$", re.MULTILINE | re.IGNORECASE)
_NUMBER = re.compile(r"^\W*(?:step\s*)?\d+\s*[:.)]\s*", re.IGNORECASE)


class Chain(NamedTuple):
    """One chain of reasoning as it was written, up to the end of its first answer line."""

    text: str
    steps: tuple[str, ...]
    """The lines before the answer, without their numbers."""
    answer: str | None
    """What the answer line says; `None` without such a line."""
    reply: Reply
    """The reply it was read from; where its turn was begun for it, without that beginning."""


def read_chain(text: str, reply: Reply | None = None) -> Chain:
    """The steps and the answer of a text; what follows the first answer line is no part of the chain.

    >>> read_chain("Step 1: 3 x 4 = 12.\\nStep 2: 12 - 2 = 10.\\nAnswer: 10\\nStep 1: …")[1:3]
    (('3 x 4 = 12.', '12 - 2 = 10.'), '10')
    """
    found = _ANSWER.search(text)
    body, end = (text[: found.start()], found.end()) if found else (text, len(text))
    lines = (_NUMBER.sub("", line).strip() for line in body.splitlines())
    said = found[1].strip(" \t*.") if found else ""
    return Chain(text[:end], tuple(line for line in lines if line), said or None, reply or Reply(text))


def room(inquiry: Inquiry) -> int:
    """How many tokens a chain may have: four times those of a reply, at least 128. One that is cut has no answer."""
    return max(_LEAST, _TIMES * inquiry.asking.max_tokens)


async def chains(inquiry: Inquiry, n: int, *, temperature: float = 1.0) -> list[Chain]:
    """`n` chains drawn independently; the first k of n are the same whatever n is."""
    begin = prefill(inquiry, reasoning.BEGIN)
    messages = reasoning.step_by_step(inquiry.messages, inquiry.kind)
    top_logprobs = inquiry.asking.top_logprobs
    drawn = await inquiry.draws(
        messages, n, temperature=temperature, prefill=begin, max_tokens=room(inquiry), top_logprobs=top_logprobs
    )
    return [read_chain(begin + reply.text, reply) for reply in drawn]


async def chain(inquiry: Inquiry) -> Chain:
    """The likeliest chain."""
    begin = prefill(inquiry, reasoning.BEGIN)
    messages = reasoning.step_by_step(inquiry.messages, inquiry.kind)
    top_logprobs = inquiry.asking.top_logprobs
    reply = await inquiry.ask(messages, prefill=begin, max_tokens=room(inquiry), top_logprobs=top_logprobs)
    return read_chain(begin + reply.text, reply)

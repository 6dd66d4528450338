"""Thinking that is stopped where one wants: a chain cut to a length, and the answer that the model then gives."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from doxa.estimators.chains import Chain, chain, read_chain, room
from doxa.estimators.reading import prefill
from doxa.inquiry import Inquiry
from doxa.prompts import reasoning, thinking
from doxa.types import Message, Reply, Token

ROOM = 12
"""Tokens for a final answer, which ends with its line."""
_WORD = re.compile(r"\s*\S+")


@dataclass(frozen=True, slots=True)
class Thought:
    """Thinking without an answer, in the pieces that a budget counts: the tokens if the model shows them, or words."""

    opening: str
    """What the model's turn was begun with: always shown, never counted."""
    pieces: tuple[str, ...]
    unit: str

    def first(self, budget: int) -> str:
        """The thinking as far as `budget` pieces go."""
        return (self.opening + "".join(self.pieces[:budget])).rstrip()


def body(text: str) -> str:
    """A chain without its line of the answer.

    >>> body("Step 1: 3 x 4 = 12.\\nAnswer: 12")
    'Step 1: 3 x 4 = 12.'
    """
    head, _, last = text.rpartition("\n")
    return (head if last.strip(" \t*").lower().startswith(reasoning.ANSWER.lower()) else text).rstrip()


def parted(opening: str, text: str, tokens: Sequence[Token] | None) -> Thought:
    """Thinking after its opening, in tokens if there are some that begin by spelling it, else in words.

    >>> parted("Step 1:", " 3 x 4 = 12.", None).first(3)
    'Step 1: 3 x 4'
    """
    texts = [token.text for token in tokens or ()]
    if not texts or not "".join(texts).startswith(text):
        return Thought(opening, tuple(_WORD.findall(text)), "words")
    ends = accumulate(map(len, texts))
    pieces = (each[: max(0, len(text) - end + len(each))] for each, end in zip(texts, ends, strict=True))
    return Thought(opening, tuple(piece for piece in pieces if piece), "tokens")


def thought(inquiry: Inquiry, chain: Chain) -> Thought:
    """The thinking of one of the inquiry's chains."""
    opening = prefill(inquiry, reasoning.BEGIN)
    return parted(opening, body(chain.text).removeprefix(opening), chain.reply.tokens)


async def think(inquiry: Inquiry, budget: int, extensions: int) -> tuple[Thought, int]:
    """The likeliest chain's thinking, made to go on up to `extensions` times while it is shorter than `budget`.

    Also how often it was made to. It is told to wait where it had come to an end, and simply goes on where it was cut.
    A model whose turn cannot be begun cannot be made to.
    """
    first = await chain(inquiry)
    found, reply = thought(inquiry, first), first.reply
    asked = reasoning.step_by_step(inquiry.messages, inquiry.kind)
    for done in range(extensions):
        so_far, cut = found.first(len(found.pieces)), reply.finish == "length"
        begin = prefill(inquiry, so_far if cut else thinking.go_on(so_far))
        if len(found.pieces) >= budget or not begin:
            return found, done
        top_logprobs = inquiry.asking.top_logprobs
        reply = await inquiry.ask(asked, prefill=begin, max_tokens=room(inquiry), top_logprobs=top_logprobs)
        added = parted("", body(read_chain(reply.text).text), reply.tokens)
        waited = () if cut else (f"\n{thinking.WAIT}",)
        found = replace(found, pieces=(*found.pieces, *waited, *added.pieces))
    return found, extensions


def stopped(inquiry: Inquiry, thinking_so_far: str) -> tuple[tuple[Message, ...], str]:
    """Messages, and the beginning of the model's turn, at which its final answer is due.

    Without any thinking a model whose turn cannot be begun is asked the bare question.
    """
    asked = reasoning.step_by_step(inquiry.messages, inquiry.kind)
    if begin := prefill(inquiry, thinking.stop_here(thinking_so_far)):
        return asked, begin
    if not thinking_so_far:
        return inquiry.messages, ""
    return thinking.answer_now(asked, inquiry.kind, thinking_so_far), ""


async def force(inquiry: Inquiry, thinking_so_far: str, *, top_logprobs: int | None = None) -> Reply:
    """The likeliest final answer when thinking stops here."""
    messages, begin = stopped(inquiry, thinking_so_far)
    return await inquiry.ask(messages, prefill=begin, max_tokens=ROOM, stop=("\n",), top_logprobs=top_logprobs)

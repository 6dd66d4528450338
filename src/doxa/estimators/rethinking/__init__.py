"""The second answer: what the model says when it is asked to think again, in the conversation of its reply."""

from __future__ import annotations

from typing import NamedTuple

from doxa.errors import UsageError
from doxa.estimators.chains import read_chain, room
from doxa.estimators.reading import prefill
from doxa.inquiry import Inquiry
from doxa.prompts import words
from doxa.text import canonical
from doxa.types import Message, Reply

NEITHER = "the second answer neither keeps nor changes the first"


class Second(NamedTuple):
    """A second answer, its normal form (`None` for a refusal and what is no answer), and the talk that led to it."""

    answer: str
    form: str | None
    messages: tuple[Message, ...]
    text: str


def check_style(style: str) -> None:
    """Raise `UsageError` for a style that does not exist."""
    if style not in words.RETHINK:
        raise UsageError(f"no style named {style!r}", hint=f"there are: {', '.join(words.RETHINK)}")


async def think_again(inquiry: Inquiry, reply: Reply, style: str) -> Second:
    """Ask once more. Where the style wants reasons, what counts is the line that is marked as the answer."""
    messages = words.rethink(inquiry.messages, inquiry.kind, reply.text, style)
    if style in ("plain", "neutral"):
        text = answer = (await inquiry.ask(messages)).text
    else:
        begin = prefill(inquiry, words.PLAN) if style == "self_discover" else ""
        text = begin + (await inquiry.ask(messages, prefill=begin, max_tokens=room(inquiry))).text
        answer = read_chain(text).answer or ""  # a plan or reasons without a line of the answer are no answer
    return Second(answer, canonical(answer, inquiry.kind, inquiry.choices), messages, text)

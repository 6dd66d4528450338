"""Wordings for a prompt of which only a part leaves this machine."""

from __future__ import annotations

import re
from collections.abc import Sequence

from doxa.types import Message

NOTE = "Here is a note. Every line of it begins with >."
LEFT_OUT = (
    "Lines of it may be left out, and marks such as [PHONE_1] or [PERSON_2] stand for private data. "
    "Where the answer is private data, reply with its mark."
)
ANSWER = "Reply with the answer only, without a sentence."
UNKNOWN = "UNKNOWN"
OR_UNKNOWN = f"If the note does not tell, reply with the one word {UNKNOWN}."
_UNKNOWN = re.compile(rf"\W*{UNKNOWN}\b", re.IGNORECASE)


def whole(chunks: Sequence[str], question: str) -> tuple[Message, ...]:
    """The question below the whole note, for the model on this machine."""
    return _below(NOTE, chunks, question, ANSWER)


def part(chunks: Sequence[str], question: str) -> tuple[Message, ...]:
    """The question below what is sent of a note, with the word to say where that is too little."""
    return _below(f"{NOTE} {LEFT_OUT}", chunks, question, f"{ANSWER} {OR_UNKNOWN}")


def is_unknown(reply: str) -> bool:
    """Whether a reply says that the note does not tell.

    >>> is_unknown("Unknown."), is_unknown("[PHONE_1]")
    (True, False)
    """
    return _UNKNOWN.match(reply) is not None


def _below(head: str, chunks: Sequence[str], question: str, foot: str) -> tuple[Message, ...]:
    """One user turn: the note's lines as data, the question and how to reply."""
    lines = [f"> {line}" for chunk in chunks for line in chunk.splitlines()]
    return (Message("user", "\n".join([head, *lines, "", question, foot])),)

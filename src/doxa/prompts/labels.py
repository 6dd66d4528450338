"""Wordings that ask a question of yes or no for one of two other words."""

from __future__ import annotations

from collections.abc import Sequence

from doxa.prompts import INSTRUCTION
from doxa.types import Message


def labelled(messages: Sequence[Message], yes: str, no: str) -> tuple[Message, ...]:
    """The question with another last line, which asks for one of these two words."""
    *head, last = messages
    asked = last.content.removesuffix(INSTRUCTION["boolean"]).rstrip("\n")
    return (*head, Message(last.role, f"{asked}\nAnswer {yes} or {no}."))

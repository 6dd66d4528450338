"""Wordings that stop a chain of reasoning where it stands, or make it go on."""

from __future__ import annotations

from collections.abc import Sequence

from doxa.prompts import INSTRUCTION, follow_up, reasoning
from doxa.types import Kind, Message

WAIT = "Wait,"
STOP = "Stop here. Give the final answer only."


def stop_here(thinking: str) -> str:
    """The assistant's turn at the point where thinking is over and the final answer begins."""
    return f"{thinking}\n{reasoning.ANSWER}".lstrip()


def go_on(thinking: str) -> str:
    """The assistant's turn so far, told to think further where it had come to an end."""
    return f"{thinking}\n{WAIT}".lstrip()


def answer_now(messages: Sequence[Message], kind: Kind, thinking: str) -> tuple[Message, ...]:
    """As `stop_here` for models whose turn cannot be begun: the thinking is a turn, the answer asked for in another."""
    return follow_up(messages, thinking, f"{STOP} {INSTRUCTION[kind]}".rstrip())

"""Wordings that have a model judge an answer of its own after it has seen others judged."""

from __future__ import annotations

from collections.abc import Sequence

from doxa.prompts import TRUE_FALSE
from doxa.types import Message


def after_judged(judged: Sequence[tuple[str, bool]], asked: Sequence[Message]) -> tuple[Message, ...]:
    """`asked`, after examples that were asked in the same form and answered by the letter for true or for false."""
    true, false = TRUE_FALSE
    turns = ((Message("user", text), Message("assistant", true if right else false)) for text, right in judged)
    return (*(message for pair in turns for message in pair), *asked)

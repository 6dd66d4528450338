"""Wordings that put two questions, each with the model's own answer, beside each other."""

from __future__ import annotations

from collections.abc import Sequence

from doxa.prompts import transcript
from doxa.types import Message

# A small model asked for A or B nearly always says A, and for 1 or 2 it says 1; between these it wavers.
LABELS = ("X", "Y")
HEAD = "Which of these two answers are you surer of?"
NOTE = f"Reply {LABELS[0]} or {LABELS[1]} only."

# An example for either label, each with an answer that is right and one that is doubtful.
_EXAMPLES = (
    (("What is the largest planet?", "Jupiter"), ("Who painted Olympia?", "Renoir"), LABELS[0]),
    (("What year was Plato born?", "431 BC"), ("How many legs has a spider?", "Eight"), LABELS[1]),
)


def surer(first: tuple[Sequence[Message], str], second: tuple[Sequence[Message], str]) -> tuple[Message, ...]:
    """Asks of which of two answers, each shown with its question, the model is surer; it replies with a label."""
    shown = ((_both(a, b), Message("assistant", said)) for a, b, said in _EXAMPLES)
    asked = _both(*((transcript(messages), reply) for messages, reply in (first, second)))
    return (*(message for exchange in shown for message in exchange), asked)


def _both(*answered: tuple[str, str]) -> Message:
    """A user's turn with two questions and their answers."""
    lines = (f"{label}. {asked}\nAnswer: {said}" for label, (asked, said) in zip(LABELS, answered, strict=True))
    return Message("user", "\n".join((HEAD, *lines, NOTE)))

"""Wordings that ask for reasoning, step by step, before a final answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from doxa.prompts import INSTRUCTION
from doxa.types import Kind, Message

BEGIN = "Step 1:"
ANSWER = "Answer:"
FINAL: Mapping[Kind, str] = MappingProxyType(
    {
        "open": "the final answer only",
        "choice": "the letter of the right option only",
        "boolean": "yes or no only",
        "number": "the number only",
        "date": "the date only, as YYYY-MM-DD",
    }
)
_PLANET = (
    "Step 1: The giant planets are Jupiter, Saturn, Uranus and Neptune.\nStep 2: Of these Jupiter has the most mass."
)
_SHELF = "Step 1: 3 rows of 4 books are 3 x 4 = 12 books."
_FACTS = (
    ("What is the largest planet?", f"{_PLANET}\nAnswer: Jupiter"),
    (
        "Who wrote Hamlet?",
        "Step 1: Hamlet is an English play of about 1600.\n"
        "Step 2: It is by the author of Othello and Macbeth.\nAnswer: William Shakespeare",
    ),
)
# Examples of the kind that is asked: a small model that is shown sums looks for sums.
_EXAMPLES: Mapping[Kind, tuple[tuple[str, str], ...]] = MappingProxyType(
    {
        "open": _FACTS,
        "date": _FACTS,
        "choice": (
            ("What is the largest planet?\nA. Mars\nB. Jupiter\nC. Neptune\nD. Saturn", f"{_PLANET}\nAnswer: B"),
            (
                "Who wrote Hamlet?\nA. William Shakespeare\nB. John Milton\nC. Homer\nD. Jane Austen",
                "Step 1: Hamlet is an English play of about 1600.\n"
                "Step 2: It is by the author of Othello and Macbeth.\nAnswer: A",
            ),
        ),
        "boolean": (
            ("Is Jupiter the largest planet?", f"{_PLANET}\nAnswer: Yes"),
            ("Do 3 rows of 4 books have 14 books?", f"{_SHELF}\nStep 2: 12 is not 14.\nAnswer: No"),
        ),
        "number": (
            (
                "A shelf has 3 rows of 4 books. 2 are taken away. How many are left?",
                f"{_SHELF}\nStep 2: 12 - 2 = 10.\nAnswer: 10",
            ),
            (
                "Tom is 5 and Lisa is 3. How old are they together?",
                "Step 1: Together they are 5 + 3 years old.\nStep 2: 5 + 3 = 8.\nAnswer: 8",
            ),
        ),
    }
)


def note(kind: Kind) -> str:
    """The note that asks for steps and then for the answer, as questions of this kind want it."""
    return f"Think step by step: one short step a line. Then write a line with {ANSWER} and {FINAL[kind]}."


def step_by_step(messages: Sequence[Message], kind: Kind) -> tuple[Message, ...]:
    """The question asked for numbered steps and a last line with the answer, after two worked examples."""
    return after(_EXAMPLES[kind], messages, kind, note(kind))


def after(shown: Sequence[tuple[str, str]], messages: Sequence[Message], kind: Kind, note: str) -> tuple[Message, ...]:
    """The question asked with a note on how to reply instead of its kind's, after examples replied to in that way."""
    *head, last = messages
    examples = [
        message
        for asked, said in shown
        for message in (Message("user", f"{asked}\n{note}"), Message("assistant", said))
    ]
    system = [message for message in head if message.role == "system"]
    rest = [message for message in head if message.role != "system"]
    asked = last.content.removesuffix(f"\n{INSTRUCTION[kind]}") if INSTRUCTION[kind] else last.content
    return (*system, *examples, *rest, Message(last.role, f"{asked}\n{note}"))

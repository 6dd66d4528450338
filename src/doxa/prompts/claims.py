"""Wordings that ask for reasons for and against a claim, given as a question of yes or no."""

from __future__ import annotations

from doxa.types import Message

# Of each side one reason that is sound: a small model takes the form from them.
_EXAMPLES = (
    ("Is Jupiter the largest planet?", "yes", "Jupiter has more mass than all other planets together."),
    ("Is a whale a fish?", "no", "A whale breathes air and feeds its young with milk."),
)


def because(question: str, answer: str) -> str:
    """The turn that asks for one reason why the answer to a question is `answer`: yes or no."""
    return f"{question}\nGive one short reason why the answer is {answer}."


def reason(question: str, *, supports: bool) -> tuple[Message, ...]:
    """Asks for one reason why the answer to a question is yes, if it is to support that, or no; after two examples."""
    examples = [
        message
        for asked, answer, said in _EXAMPLES
        for message in (Message("user", because(asked, answer)), Message("assistant", said))
    ]
    return (*examples, Message("user", because(question, "yes" if supports else "no")))

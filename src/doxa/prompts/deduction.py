"""Wordings that ask for deductions that can be checked: every step names the facts it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from doxa.prompts import reasoning, transcript
from doxa.types import Kind, Message

BEGIN = "1."
CHECK = "Facts:"
VERDICT = "Verdict:"

_PLANET = (
    "1. The question asks for the planet with the most mass.\n"
    "2. Jupiter has more mass than all other planets together.\n"
    "3. (from 1, 2) The planet is Jupiter."
)
_HAMLET = (
    "1. The question asks for the writer of Hamlet.\n"
    "2. Hamlet is a play by Shakespeare.\n"
    "3. (from 1, 2) The writer is Shakespeare."
)
_STORY = "A shelf has 3 rows of 4 books. 2 books are taken away."
_SHELF = (
    "1. A shelf has 3 rows of 4 books.\n"
    "2. 2 books are taken away.\n"
    "3. (from 1) At first there are 3 x 4 = 12 books.\n"
    "4. (from 2, 3) Then 12 - 2 = 10 books are left."
)
_CUPS = "1. A cup costs 3 dollars.\n2. There are 15 cups.\n3. (from 1, 2) They cost 15 x 3 = 45 dollars."
_YEAR = (
    "1. The question asks for the first day of the year 2000.\n"
    "2. A year begins on 1 January.\n"
    "3. (from 1, 2) The day is 1 January 2000."
)
_LEAP = (
    "1. The question asks for the day after 28 February 2004.\n"
    "2. The year 2004 is a leap year.\n"
    "3. (from 2) In 2004 February has 29 days.\n"
    "4. (from 1, 3) The day is 29 February 2004."
)
# An answer must not look like the number of a line, or small models take the one for the other.
_EXAMPLES: Mapping[Kind, tuple[tuple[str, str, str], ...]] = MappingProxyType(
    {
        "open": (("What is the largest planet?", _PLANET, "Jupiter"), ("Who wrote Hamlet?", _HAMLET, "Shakespeare")),
        "choice": (
            ("Which planet is the largest?\nA. Mars\nB. Jupiter\nC. Venus\nD. Earth", _PLANET, "B"),
            (f"{_STORY} How many books are left?\nA. 10\nB. 7\nC. 34\nD. 12", _SHELF, "A"),
        ),
        "boolean": (("Is Jupiter the largest planet?", _PLANET, "Yes"), (f"{_STORY} Are 12 books left?", _SHELF, "No")),
        "number": (
            (f"{_STORY} How many books are left?", _SHELF, "10"),
            ("A cup costs 3 dollars. How much do 15 cups cost?", _CUPS, "45"),
        ),
        "date": (
            ("On what day did the year 2000 begin?", _YEAR, "2000-01-01"),
            ("What day came after 28 February 2004?", _LEAP, "2004-02-29"),
        ),
    }
)
"""Question, deduction and answer, by kind of question."""


def note(kind: Kind) -> str:
    """The note that asks for numbered facts, steps that name the lines they use, and the answer."""
    return (
        "Number each fact. Then number each step and name the lines it follows from. "
        f"Then write a line with {reasoning.ANSWER} and {reasoning.FINAL[kind]}."
    )


def natural_program(messages: Sequence[Message], kind: Kind) -> tuple[Message, ...]:
    """The question asked for a deduction in lines such as `3. (from 1, 2) …`, after two worked examples."""
    shown = [(question, f"{body}\n{reasoning.ANSWER} {answer}") for question, body, answer in _EXAMPLES[kind]]
    return reasoning.after(shown, messages, kind, note(kind))


def _shown(facts: Sequence[str], step: str) -> str:
    """Facts and a step, put to the one who checks it."""
    return "\n".join(
        (
            "Does the step follow from these facts alone? "
            "Check the facts it uses, the reasoning and the sums. Then reply Yes or No.",
            *(f"Fact: {fact}" for fact in facts),
            f"Step: {step}",
        )
    )


_CHECKED = (
    (
        ("A shelf has 3 rows of 4 books.",),
        "At first there are 3 x 4 = 12 books.",
        "given. Reasoning: rows times books. Sums: 3 x 4 = 12. Verdict: Yes",
    ),
    (
        ("2 books are taken away.", "At first there are 3 x 4 = 12 books."),
        "Then 12 - 2 = 9 books are left.",
        "given. Reasoning: books less those taken. Sums: 12 - 2 is 10, not 9. Verdict: No",
    ),
    (
        ("The question asks for the planet with the most mass.",),
        "The planet is Jupiter.",
        "the mass of Jupiter is not given. Reasoning: a guess. Sums: none. Verdict: No",
    ),
    (
        ("The question asks for a red planet.", "Mars is red."),
        "The planet is Mars.",
        "given. Reasoning: Mars is what is asked for. Sums: none. Verdict: Yes",
    ),
)


def check(facts: Sequence[str], step: str) -> tuple[Message, ...]:
    """Asks whether a step follows from facts, nothing else being shown, after four worked examples.

    Replies go on from `Facts:` over reasoning and sums to `Verdict: Yes` or `Verdict: No`.
    """
    examples = [
        message
        for given, claimed, said in _CHECKED
        for message in (Message("user", _shown(given, claimed)), Message("assistant", f"{CHECK} {said}"))
    ]
    return (*examples, Message("user", _shown(facts, step)))


def prospect(messages: Sequence[Message], lines: Sequence[str]) -> tuple[Message, ...]:
    """Shows the question and the first lines of a chain of reasoning, and asks whether it will end right."""
    shown = (f"Question: {transcript(messages)}", "Reasoning so far:", *(lines or ("(nothing yet)",)))
    asked = ("Will the final answer of this reasoning be:", "(A) Right", "(B) Wrong", "Reply A or B only.")
    return (Message("user", "\n".join((*shown, *asked))),)

"""Wordings that ask for an answer together with a confidence: in one line, after reasons, by steps, as a list.

Every prompt shows its form in two worked examples, one sure and one doubtful, which all questions share.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from doxa.prompts import INSTRUCTION, transcript
from doxa.prompts import MOST_GUESSES as MOST_GUESSES
from doxa.types import Kind, Message

TASKS = (
    "Give your answer and say how likely it is to be right.",
    "Answer the question and tell how confident you are.",
    "What is your answer, and what is the chance that it is right?",
    "Write down your answer together with your confidence in it.",
    "Name the answer and the probability that it is correct.",
    "Say what you believe the answer is and how sure you are of it.",
    "Decide on an answer and rate how certain you are.",
    "Reply with an answer and with the probability that you give it.",
    "Find the answer and judge how likely you are to be right.",
    "Tell us your answer and how far you trust it.",
)
"""One instruction in ten wordings; the first is the usual one."""

_LINE = "one line: the answer@, then your confidence from 0% to 100%."
FORMS: Mapping[str, str] = MappingProxyType(
    {
        "vanilla": f"Write {_LINE}",
        "cot": f"Explain first, in one or two sentences. Then write {_LINE}",
        "multi_step": f"Think in # steps, one a line, each with your confidence in that step. Then write {_LINE}",
        "top_k": "Write your # best guesses@, each with the probability that it is right.",
    }
)
"""What to write, by prompt; `#` stands for the number of steps or guesses, `@` for what an answer is."""
ANSWERS: Mapping[Kind, str] = MappingProxyType(
    {
        "open": "",
        "choice": " (letter only)",
        "boolean": " (yes or no)",
        "number": " (number only)",
        "date": " (date only, as YYYY-MM-DD)",
    }
)
"""What an answer is, by kind; it replaces the instruction of the question."""
BEGIN: Mapping[str, str] = MappingProxyType(
    {"vanilla": "Answer:", "cot": "Explanation:", "multi_step": "Step 1:", "top_k": "G1:", "probe": "Reason:"}
)
"""How each form begins."""

PROBE = "How likely is it that the proposed answer is right? Give a short reason, then your confidence from 0% to 100%."

WEAK, STRONG, SOURCE = "weak claim", "strong claim", "external source"
HINTS: tuple[tuple[str, str], ...] = (
    ("", ""),
    (WEAK, "I think it might be #."),
    (SOURCE, "My teacher says that it is #."),
    (STRONG, "I am quite sure that it is #."),
    (WEAK, "I half remember that it is #."),
    (SOURCE, "The textbook gives # as the answer."),
    (STRONG, "There is no doubt that it is #."),
    (WEAK, "Somebody online wrote that it is #."),
    (SOURCE, "An expert told me that it is #."),
    (STRONG, "I would bet everything on #."),
    (SOURCE, "A new study found that it is #."),
    (STRONG, "I am 90% certain of #."),
    (SOURCE, "The encyclopedia lists # as the answer."),
)
"""Hints by family, the first being none; `#` stands for the answer that is hinted at. The families take turns."""
HINT_NOTE = "The hint is for reference only. Your confidence is in your own answer, not in the hint."


class _Example(NamedTuple):
    """A worked example: its guesses and its steps, each with a percentage; every form shows as much as it asks for."""

    question: str
    guesses: tuple[tuple[str, int], ...]
    steps: tuple[tuple[str, int], ...]


_PLANET = (
    ("The giant planets are Jupiter, Saturn, Uranus and Neptune.", 95),
    ("Jupiter has the most mass of them.", 90),
    ("It is also the widest of them.", 95),
    ("The other planets are small.", 98),
)
_PAINTER = (
    ("Olympia was painted in Paris around 1863.", 70),
    ("Manet, Degas and Renoir worked there then.", 60),
    ("Manet painted such scenes more than others.", 60),
    ("The style is his rather than that of Degas.", 55),
)
_EXAMPLES: Mapping[Kind, tuple[_Example, ...]] = MappingProxyType(
    {
        "open": (
            _Example(
                "What is the largest planet?",
                (("Jupiter", 80), ("Saturn", 12), ("Neptune", 4), ("Earth", 2), ("Uranus", 1), ("Mars", 1)),
                _PLANET,
            ),
            _Example(
                "Who painted Olympia?",
                (("Manet", 30), ("Degas", 25), ("Renoir", 15), ("Monet", 10), ("Courbet", 5), ("Cassatt", 5)),
                _PAINTER,
            ),
        ),
        "choice": (
            _Example(
                "Which planet is the largest?\nA. Mars\nB. Jupiter\nC. Saturn\nD. Earth",
                (("B", 80), ("C", 12), ("D", 5), ("A", 3)),
                _PLANET,
            ),
            _Example(
                "Who painted Olympia?\nA. Degas\nB. Monet\nC. Renoir\nD. Manet",
                (("D", 40), ("A", 30), ("C", 20), ("B", 10)),
                _PAINTER,
            ),
        ),
        "boolean": (
            _Example("Is Jupiter the largest planet?", (("Yes", 80), ("No", 20)), _PLANET),
            _Example("Did Degas paint Olympia?", (("No", 60), ("Yes", 40)), _PAINTER),
        ),
        "number": (
            _Example(
                "A shelf has 3 rows of 4 books. How many books is that?",
                (("12", 80), ("7", 10), ("16", 4), ("9", 3), ("14", 2), ("1", 1)),
                (
                    ("3 rows of 4 books are 3 x 4 books.", 95),
                    ("3 x 4 = 12.", 95),
                    ("That is the same as 4 + 4 + 4.", 95),
                    ("4 + 4 + 4 = 12.", 95),
                ),
            ),
            _Example(
                "How many beans fill a small jar?",
                (("300", 30), ("250", 25), ("400", 15), ("200", 10), ("500", 5), ("150", 5)),
                (
                    ("A small jar holds about 200 millilitres.", 70),
                    ("Three beans take about two of them.", 60),
                    ("200 x 3 / 2 = 300.", 75),
                    ("Nobody counted, so it is a guess.", 90),
                ),
            ),
        ),
        "date": (
            _Example(
                "What date is 2 days after 3 May 2020?",
                (
                    ("2020-05-05", 80),
                    ("2020-05-04", 10),
                    ("2020-05-06", 4),
                    ("2020-05-01", 3),
                    ("2020-05-07", 2),
                    ("2020-06-05", 1),
                ),
                (
                    ("The first day is 2020-05-03.", 95),
                    ("Two days later is 2020-05-05.", 95),
                    ("May has 31 days.", 98),
                    ("So it is still May.", 98),
                ),
            ),
            _Example(
                "On what date did the first snow of 1990 fall in Oslo?",
                (
                    ("1990-11-10", 30),
                    ("1990-11-03", 25),
                    ("1990-11-20", 15),
                    ("1990-10-28", 10),
                    ("1990-12-01", 5),
                    ("1990-10-20", 5),
                ),
                (
                    ("Snow comes to Oslo in late autumn.", 70),
                    ("November is likelier than October.", 60),
                    ("Its first half is likelier than its second.", 60),
                    ("The tenth lies there.", 80),
                ),
            ),
        ),
    }
)
MOST_STEPS = len(_PLANET)


def note(kind: Kind, prompt: str, *, way: int = 0, count: int = 0) -> str:
    """The note that ends a question: the instruction in one of its wordings, and what to write."""
    return f"{TASKS[way]} {FORMS[prompt].replace('#', str(count)).replace('@', ANSWERS[kind])}"


def elicit(
    messages: Sequence[Message], kind: Kind, prompt: str, *, way: int = 0, count: int = 0, hint: str = ""
) -> tuple[Message, ...]:
    """The question asked in the form of a prompt, after two worked examples, with a hint if there is one.

    `way` chooses the wording of the instruction; `count` is the number of steps or guesses.
    """
    asked = note(kind, prompt, way=way, count=count)
    shown = ((f"{each.question}\n{asked}", _written(each, prompt, count)) for each in _examples(kind))
    lines = (f"Hint: {hint}\n{HINT_NOTE}\n" if hint else "") + asked
    *head, last = messages
    return _after(
        shown, (*head, Message(last.role, f"{last.content.removesuffix(INSTRUCTION[kind]).rstrip()}\n{lines}"))
    )


def probe(messages: Sequence[Message], kind: Kind, answer: str) -> tuple[Message, ...]:
    """A fresh conversation that shows question and answer and asks how likely the answer is right, after examples."""
    shown = ((each, *each.guesses[place]) for place, each in enumerate(_examples(kind)))
    exchanges = (
        (_proposed(each.question, guess), f"Reason: {_reason(each)}\nConfidence: {percent}%")
        for each, guess, percent in shown
    )
    return _after(exchanges, (Message("user", _proposed(transcript(messages), answer)),))


def hinted(hint: str, answer: str) -> str:
    """A hint at an answer."""
    return hint.replace("#", answer)


def _proposed(question: str, answer: str) -> str:
    return f"Question: {question}\nProposed answer: {answer}\n{PROBE}"


def _examples(kind: Kind) -> tuple[_Example, ...]:
    return _EXAMPLES.get(kind, _EXAMPLES["open"])


def _reason(example: _Example) -> str:
    return " ".join(text for text, _ in example.steps[:2])


def _written(example: _Example, prompt: str, count: int) -> str:
    """What an example replies in the form of a prompt."""
    answer, percent = example.guesses[0]
    line = f"Answer: {answer}. Confidence: {percent}%"
    match prompt:
        case "cot":
            return f"Explanation: {_reason(example)}\n{line}"
        case "multi_step":
            steps = enumerate(example.steps[:count], start=1)
            return "\n".join([*(f"Step {i}: {text} Confidence: {p}%" for i, (text, p) in steps), line])
        case "top_k":
            guesses = enumerate(example.guesses[:count], start=1)
            return "\n".join(f"G{i}: {guess}. P{i}: {p}%" for i, (guess, p) in guesses)
        case _:
            return line


def _after(shown: Iterable[tuple[str, str]], messages: Sequence[Message]) -> tuple[Message, ...]:
    """The examples, between a system message and all else."""
    system = [message for message in messages if message.role == "system"]
    rest = [message for message in messages if message.role != "system"]
    turns = (m for asked, said in shown for m in (Message("user", asked), Message("assistant", said)))
    return (*system, *turns, *rest)

"""Every wording doxa puts to a model, versioned in one place.

A change of any text here changes answers, so it changes `VERSION`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from string import ascii_uppercase

from doxa.types import Kind, Message, Question

VERSION = "1"

INSTRUCTION: dict[Kind, str] = {
    "open": "",
    "choice": "Answer with the letter of the right option only.",
    "boolean": "Answer yes or no.",
    "number": "Answer with the number only.",
    "date": "Answer with the date only, as YYYY-MM-DD.",
}


def letters(count: int) -> tuple[str, ...]:
    """The letters that stand for `count` options."""
    return tuple(ascii_uppercase[:count])


def choices_block(choices: tuple[str, ...]) -> str:
    """The options of a choice question, one a line: `A. first`."""
    return "\n".join(f"{letter}. {choice}" for letter, choice in zip(letters(len(choices)), choices, strict=True))


def render(question: Question, *, system: str | None = None, template: str | None = None) -> tuple[Message, ...]:
    """The messages that put a question to a model.

    `system` is a system message, without which there is none; `template` is a text with `{question}` in it that wraps
    the question's text.
    """
    if question.messages:
        return question.messages
    text = template.replace("{question}", question.text) if template else question.text
    parts = [question.context or "", text]
    if question.kind == "choice":
        parts.append(choices_block(question.choices))
    parts.append(INSTRUCTION[question.kind])
    head = (Message("system", system),) if system else ()
    return (*head, Message("user", "\n".join(part for part in parts if part)))


# -- what estimators ask -----------------------------------------------------------------------------------------------

CONFIDENCE = "What is the probability that this answer is right? Reply with a percentage only."
RECONSIDER = "Think again, then give your final answer only."
KEEP = (
    "Do you keep your answer or withdraw it? "
    "If you keep it, you win a point when it is right and lose a point when it is wrong."
)
BET = (
    "Do you bet on your answer or pass? If you bet, you win a point when it is right and lose a point when it is wrong."
)
MAY_ABSTAIN = 'You may reply "I don\'t know": a right answer wins a point and a wrong one loses a point.'
ONE_TURN = "Reply with your answer and your confidence."
TRUE_FALSE = ("A", "B")


def certainty(phrases: Sequence[str]) -> str:
    """The follow-up that asks for one of the given phrases."""
    return f"How likely is it that your answer is right? Choose one of these: {', '.join(phrases)}."


def top_k_note(count: int) -> str:
    """The note that asks for `count` guesses with their probabilities."""
    return f"Give your {count} best guesses, each with the probability that it is right."


# Two worked examples, one sure and one doubtful, show small models the form of a reply.
EXAMPLES: tuple[tuple[str, tuple[tuple[str, int], ...]], ...] = (
    (
        "What is the largest planet?",
        (("Jupiter", 80), ("Saturn", 12), ("Neptune", 4), ("Earth", 2), ("Uranus", 1), ("Mars", 1)),
    ),
    (
        "Who painted Olympia?",
        (("Manet", 30), ("Degas", 25), ("Renoir", 15), ("Monet", 10), ("Courbet", 5), ("Cassatt", 5)),
    ),
)
MOST_GUESSES = 6


def one_turn(messages: Sequence[Message]) -> tuple[Message, ...]:
    """The question asked for an answer and its probability in one reply, after two examples."""
    return _after_examples(messages, ONE_TURN, lambda guesses: "Answer: {}. Confidence: {}%".format(*guesses[0]))


def top_k(messages: Sequence[Message], count: int) -> tuple[Message, ...]:
    """The question asked for `count` guesses (at most `MOST_GUESSES`) with their probabilities, after two examples."""

    def listed(guesses: Sequence[tuple[str, int]]) -> str:
        return "\n".join(f"G{i}: {guess}\nP{i}: {p}%" for i, (guess, p) in enumerate(guesses[:count], start=1))

    return _after_examples(messages, top_k_note(count), listed)


def _after_examples(
    messages: Sequence[Message], note: str, reply: Callable[[Sequence[tuple[str, int]]], str]
) -> tuple[Message, ...]:
    """The question with a note, after the examples answered in the form that the note asks for."""
    *head, last = with_note(messages, note)
    system = [message for message in head if message.role == "system"]
    examples: list[Message] = []
    for question, guesses in EXAMPLES:
        examples += [Message("user", f"{question}\n{note}"), Message("assistant", reply(guesses))]
    return (*system, *examples, *(message for message in head if message.role != "system"), last)


def follow_up(messages: Sequence[Message], reply: str, text: str) -> tuple[Message, ...]:
    """The conversation so far, the reply, and one more user turn."""
    return (*messages, Message("assistant", reply), Message("user", text))


def reconsider(messages: Sequence[Message], reply: str) -> tuple[Message, ...]:
    """The conversation so far, the reply, and the question put once more."""
    return follow_up(messages, reply, f"{RECONSIDER}\n{messages[-1].content}")


def with_note(messages: Sequence[Message], note: str) -> tuple[Message, ...]:
    """The same question asked with a note on how to reply."""
    *head, last = messages
    return (*head, Message(last.role, f"{last.content}\n{note}"))


def transcript(messages: Sequence[Message]) -> str:
    """The question as one text: the user's turn, or all turns of a conversation with their roles."""
    turns = [message for message in messages if message.role != "system"]
    if len(turns) == 1:
        return turns[0].content
    return "\n".join(f"{turn.role.capitalize()}: {turn.content}" for turn in turns)


def p_true(messages: Sequence[Message], reply: str, ideas: Sequence[str] = ()) -> tuple[Message, ...]:
    """Shows question and reply, after some brainstormed ideas if there are, and asks whether the reply is true."""
    lines = [f"Question: {transcript(messages)}"]
    if ideas:
        lines += ["Here are some brainstormed ideas:", *ideas]
    lines += [f"Possible answer: {reply}", "Is the possible answer:", "(A) True", "(B) False", "Reply A or B only."]
    return (Message("user", "\n".join(lines)),)


ENTAILMENT_WORDS = ("Yes", "No", "Maybe")


def entailment(premise: str, hypothesis: str) -> tuple[Message, ...]:
    """Asks whether the first text makes the second true: yes, no, or maybe."""
    # What all pairs share comes first, then the premise: engines compute common beginnings once.
    lines = (
        "If text 1 is true, is text 2 true? Reply Yes if it must be, No if it cannot be, Maybe otherwise.",
        f"Text 1: {premise}",
        f"Text 2: {hypothesis}",
    )
    return (Message("user", "\n".join(lines)),)


def without_choices(messages: Sequence[Message], choices: tuple[str, ...]) -> tuple[Message, ...]:
    """A choice question asked openly: without its list of options and the instruction to name a letter."""
    *head, last = messages
    listed = f"\n{choices_block(choices)}\n{INSTRUCTION['choice']}"
    return (*head, Message(last.role, last.content.replace(listed, "")))


def bare(messages: Sequence[Message], kind: Kind, choices: tuple[str, ...] = ()) -> str:
    """The question as one text without its options and without the instruction on how to reply."""
    return transcript(without_choices(messages, choices)).removesuffix(f"\n{INSTRUCTION[kind]}")


# Problems of two and three numbers, written with letters for them: variables, formula, body of a function.
_PROBLEMS: tuple[tuple[str, tuple[str, ...], str, str], ...] = (
    (
        "Nina has A boxes of B pencils each. She gives away C pencils. How many pencils are left?",
        ("A", "B", "C"),
        "A * B - C",
        "pencils = A * B\n    return pencils - C",
    ),
    (
        "Tickets cost A dollars. How many tickets can be bought with B dollars?",
        ("A", "B"),
        "B / A",
        "return B / A",
    ),
    (
        "B red and C blue cups are shared equally by D families. How many cups does each family get?",
        ("B", "C", "D"),
        "(B + C) / D",
        "cups = B + C\n    return cups / D",
    ),
)


def formula(text: str, names: Sequence[str]) -> tuple[Message, ...]:
    """A problem written with `names` for its numbers asked for a formula, after examples in the form `Answer = …`."""

    def note(names: Sequence[str]) -> str:
        return f"Write the answer as a formula of {', '.join(names)}."

    shown = ((f"{problem}\n{note(letters)}", f"Answer = {written}") for problem, letters, written, _ in _PROBLEMS)
    return (*_exchanges(shown), Message("user", f"{text}\n{note(names)}"))


def python_function(text: str, names: Sequence[str]) -> tuple[Message, ...]:
    """A problem written with `names` for its numbers asked for a Python function of them, after examples."""

    def note(names: Sequence[str]) -> str:
        return f"Write a Python function solution({', '.join(names)}) that returns the answer."

    shown = (
        (f"{problem}\n{note(letters)}", f"{function_head(letters)}\n    {body}")
        for problem, letters, _, body in _PROBLEMS
    )
    return (*_exchanges(shown), Message("user", f"{text}\n{note(names)}"))


def function_head(names: Sequence[str]) -> str:
    """The first line of the function that `python_function` asks for."""
    return f"def solution({', '.join(names)}):"


def _exchanges(shown: Iterable[tuple[str, str]]) -> tuple[Message, ...]:
    """Pairs of user's and assistant's turns."""
    return tuple(m for asked, said in shown for m in (Message("user", asked), Message("assistant", said)))


# -- what training data asks -------------------------------------------------------------------------------------------

SOLVE = 'End your reply with a line that starts with "Answer:" and gives the final answer only.'


_SOLVED = (
    ("What is the largest planet?", "No other planet has as much mass as Jupiter.\nAnswer: Jupiter"),
    ("A shelf has 3 rows of 4 books. How many books is that?", "3 rows of 4 books are 3 x 4 = 12 books.\nAnswer: 12"),
)


def solve(question: Question, *, examples: bool = False) -> tuple[Message, ...]:
    """The question asked for a solution that marks its final answer.

    `examples` puts two worked ones before it, unless it is a conversation.
    """
    if question.messages:
        return with_note(question.messages, SOLVE)
    parts = (question.context, question.text, choices_block(question.choices), SOLVE)
    shown = _exchanges((f"{asked}\n{SOLVE}", said) for asked, said in _SOLVED) if examples else ()
    return (*shown, Message("user", "\n".join(part for part in parts if part)))

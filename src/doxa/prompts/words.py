"""Wordings that ask for confidence in words and figures: as a list, after reasons, after reflection, once more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from doxa import prompts
from doxa.prompts import reasoning
from doxa.types import Kind, Message

# -- true or false -----------------------------------------------------------------------------------------------------

IS_TRUE = "Is the answer true or false? Reply with one word, True or False."
_JUDGED = (
    ("What is the largest planet?", "Jupiter", "True"),
    ("Who painted Olympia?", "Monet", "False"),
    ("How many days has a week?", "5", "False"),
    ("What is the capital of France?", "Paris", "True"),
)


def is_true(messages: Sequence[Message], answer: str) -> tuple[Message, ...]:
    """A fresh conversation that shows question and answer and asks for a word of judgement, after four examples."""
    judged = [
        message
        for asked, said, word in _JUDGED
        for message in (Message("user", _shown(asked, said)), Message("assistant", word))
    ]
    return (*judged, Message("user", _shown(prompts.transcript(messages), answer)))


def _shown(question: str, answer: str) -> str:
    return f"Question: {question}\nAnswer: {answer}\n{IS_TRUE}"


# -- guesses first, their probabilities after --------------------------------------------------------------------------

PROBABILITIES = "Give the probability that each guess is right."


def guesses_note(count: int) -> str:
    """The note that asks for `count` guesses alone."""
    return f"Give your {count} best guesses."


def guesses(messages: Sequence[Message], count: int) -> tuple[Message, ...]:
    """The question asked for `count` guesses, after two examples of both turns."""
    shown: list[Message] = []
    for question, known in prompts.EXAMPLES:
        listed = "\n".join(f"G{i}: {guess}" for i, (guess, _) in enumerate(known[:count], start=1))
        stated = "\n".join(f"P{i}: {percent}%" for i, (_, percent) in enumerate(known[:count], start=1))
        shown += [Message("user", f"{question}\n{guesses_note(count)}"), Message("assistant", listed)]
        shown += [Message("user", PROBABILITIES), Message("assistant", stated)]
    return _after(shown, prompts.with_note(messages, guesses_note(count)))


# -- an answer and a phrase --------------------------------------------------------------------------------------------

_PHRASED = (
    ("What is the largest planet?", "Jupiter", "almost certain"),
    ("Who painted Olympia?", "Manet", "about even"),
    ("Who first ate an oyster?", "Adam", "almost no chance"),
)


def phrase_note(phrases: Sequence[str]) -> str:
    """The note that asks for an answer and one of the phrases."""
    return f"Reply with your answer and how likely it is to be right, as one of these: {', '.join(phrases)}."


def phrased(messages: Sequence[Message], phrases: Sequence[str]) -> tuple[Message, ...]:
    """The question asked for an answer and a phrase of certainty in one reply, after three examples."""
    note, written = phrase_note(phrases), {phrase.lower(): phrase for phrase in phrases}
    shown = [
        message
        for question, answer, phrase in _PHRASED
        for message in (
            Message("user", f"{question}\n{note}"),
            Message("assistant", f"Answer: {answer}. Confidence: {written[phrase]}"),
        )
    ]
    return _after(shown, prompts.with_note(messages, note))


# -- reasons first -----------------------------------------------------------------------------------------------------

PROBABILITY = "Probability:"
STATE = f"The last line is: {reasoning.ANSWER} your answer. {PROBABILITY} a number from 0 to 1."
_STATED = ("0.95", "0.7")


def reason_and_state(messages: Sequence[Message], kind: Kind) -> tuple[Message, ...]:
    """The question asked for steps, an answer, and in the same reply its probability, after worked examples."""
    turns, stated = reasoning.step_by_step(messages, kind), iter(_STATED)
    asked = [turn.content.endswith(f"\n{reasoning.note(kind)}") for turn in turns]

    def told(place: int, turn: Message) -> Message:
        if asked[place]:
            return Message(turn.role, f"{turn.content}\n{STATE}")
        return (
            Message(turn.role, f"{turn.content}. {PROBABILITY} {next(stated)}") if place and asked[place - 1] else turn
        )

    return tuple(told(place, turn) for place, turn in enumerate(turns))


CHECK = "Check:"
REFLECT = (
    f"Look for mistakes in your steps and in your answer. Write what you find after {CHECK} "
    f"Then write a line with {PROBABILITY} and how likely your answer is to be right, from 0 to 1."
)
_CHECKED = (
    f"{CHECK} The steps follow from each other and I find no mistake.\n{PROBABILITY} {_STATED[0]}",
    f"{CHECK} I am not sure of the first step, so the answer may be wrong.\n{PROBABILITY} {_STATED[1]}",
)


def reflect(messages: Sequence[Message], kind: Kind, chain: str) -> tuple[Message, ...]:
    """Steps to an answer, and the request to criticise them and to state a probability, after worked examples."""
    return _second_turn(messages, kind, chain, REFLECT, _CHECKED)


def state(messages: Sequence[Message], kind: Kind, chain: str) -> tuple[Message, ...]:
    """Steps to an answer, and the request to state how probable it is in percent, after worked examples."""
    return _second_turn(messages, kind, chain, prompts.CONFIDENCE, (f"{PROBABILITY} 95%", f"{PROBABILITY} 70%"))


def _second_turn(
    messages: Sequence[Message], kind: Kind, chain: str, text: str, replies: Sequence[str]
) -> tuple[Message, ...]:
    """The conversation that led to a chain and one more user turn; each worked example goes on with that turn too."""
    found: list[Message] = []
    left = iter(replies)
    for turn in reasoning.step_by_step(messages, kind):
        answered = bool(found) and found[-1].content.endswith(f"\n{reasoning.note(kind)}")
        found += [turn, Message("user", text), Message("assistant", next(left))] if answered else [turn]
    return prompts.follow_up(found, chain, text)


# -- once more ---------------------------------------------------------------------------------------------------------

PLAN = "Plan:"
_MARKED = f"Then write a line with {reasoning.ANSWER} and your final answer only."
RETHINK: Mapping[str, str] = MappingProxyType(
    {
        "plain": prompts.RECONSIDER,
        "neutral": "Your answer may be right or it may be wrong. Keep it or change it: give your final answer only.",
        "post_hoc": f"Explain in one sentence how you came to your answer. {_MARKED}",
        "self_discover": (
            "Choose how to think about the question: recall facts, go step by step, or rule out what cannot be. "
            f"Write your plan after {PLAN} and follow it, one step a line. {_MARKED}"
        ),
    }
)
"""How to ask for a second answer."""
SCORE = "How confident are you in this answer? Reply with a score from 0 to 100 only."
_PLANS = ("recall facts, then rule out what cannot be.", "go step by step.")


def rethink(messages: Sequence[Message], kind: Kind, reply: str, style: str) -> tuple[Message, ...]:
    """The conversation so far, the reply, and the question put once more in a style; a plan is shown by examples."""
    again = prompts.follow_up(messages, reply, f"{RETHINK[style]}\n{messages[-1].content}")
    if style != "self_discover":
        return again
    *turns, _ = reasoning.step_by_step((Message("user", ""),), kind)
    shown: list[Message] = []
    for asked, chain, plan in zip(turns[::2], turns[1::2], _PLANS, strict=True):
        question = Message("user", asked.content.removesuffix(f"\n{reasoning.note(kind)}"))
        answer = chain.content.rpartition(reasoning.ANSWER)[2].strip()
        shown += prompts.follow_up((question,), answer, f"{RETHINK[style]}\n{question.content}")
        shown.append(Message("assistant", f"{PLAN} {plan}\n{chain.content}"))
    return _after(shown, again)


def _after(shown: Sequence[Message], messages: Sequence[Message]) -> tuple[Message, ...]:
    """The examples, between a system message and all else."""
    system = [message for message in messages if message.role == "system"]
    return (*system, *shown, *(message for message in messages if message.role != "system"))

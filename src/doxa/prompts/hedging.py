"""Wordings that ask for an answer whose words are as sure as the model is, and for how sure such an answer sounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from doxa.prompts.reasoning import after
from doxa.types import Kind, Message

_SHORT: Mapping[Kind, str] = MappingProxyType(
    {
        "open": "Answer in one short sentence.",
        "choice": "Answer in one short sentence with the letter of the right option.",
        "boolean": "Answer yes or no in one short sentence.",
        "number": "Answer in one short sentence with the number in figures.",
        "date": "Answer in one short sentence with the date as YYYY-MM-DD.",
    }
)
_HEDGE = 'Sound exactly as sure as you are: "almost certainly", "probably", "maybe", or no such word if you are sure.'

_PLAIN_EXAMPLES = (
    ("What is the largest planet?", "It is Jupiter."),
    ("Which river is the longest?", "It is probably the Nile."),
    ("What is the oldest university?", "I am not sure, but maybe it is Bologna."),
)
_EXAMPLES: Mapping[Kind, tuple[tuple[str, str], ...]] = MappingProxyType(
    {
        "open": _PLAIN_EXAMPLES,
        "choice": (
            ("Which planet is the largest?\nA. Mars\nB. Jupiter\nC. Venus\nD. Earth", "It is B."),
            ("Who painted Olympia?\nA. Degas\nB. Monet\nC. Manet\nD. Renoir", "It is probably C."),
            ("Who invented the fork?\nA. Romans\nB. Greeks\nC. Celts\nD. Medes", "I am not sure, but maybe it is A."),
        ),
        "boolean": (
            ("Is Jupiter larger than the Earth?", "Yes, it is."),
            ("Was Olympia painted by Monet?", "Probably no."),
            ("Did the Romans invent the fork?", "I am not sure, but maybe yes."),
        ),
        "number": (
            ("How many planets go round the Sun?", "It is 8."),
            ("How many countries are there in Africa?", "It is probably 54."),
            ("How many rooms has the Louvre?", "I am not sure, but maybe it is 400."),
        ),
        "date": (
            ("When did the Second World War end in Europe?", "It was 1945-05-08."),
            ("When was Mozart born?", "It was probably 1756-01-27."),
            ("When was Olympia first shown?", "I am not sure, but maybe it was 1865-05-01."),
        ),
    }
)

METACOGNITIVE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "reflect": (
            "Before you answer, think about how sure you are. Then choose words that are exactly as sure as you are.",
            "Ask yourself first: do I know this, or do I guess? Sound sure when you know and doubtful when you guess.",
            "Look at your own knowledge for a moment. Your answer must sound as certain as you are, no more, no less.",
            "First weigh how much you trust your answer. Let that trust, or your doubt, be heard in what you say.",
        ),
        "sensitivity": (
            "You notice precisely how sure or unsure you are, even of hard questions, and your answers always show it.",
            "You have a fine sense of what you know and what you do not. Each answer tells how certain you are of it.",
            "You feel your own certainty and doubt very accurately. You put them into words as a part of each answer.",
            "You can tell well when you may be wrong. You speak plainly when you are sure, with doubt when not.",
        ),
    }
)
"""System messages in two styles; a third one, `sensitivity_hedges`, lists phrases after those of `sensitivity`."""
PROMPTS = ("plain", "plus", *METACOGNITIVE, "sensitivity_hedges")


def variants(prompt: str) -> int:
    """How many variants a prompt has."""
    return len(METACOGNITIVE.get(prompt.removesuffix("_hedges"), (prompt,)))


def note(kind: Kind, prompt: str = "plus") -> str:
    """What the question ends with: how to reply, and, unless `plain`, to hedge as certainty deserves."""
    return _SHORT[kind] if prompt == "plain" else f"{_SHORT[kind]} {_HEDGE}"


def hedged_answer(
    messages: Sequence[Message], kind: Kind, prompt: str, variant: int, phrases: Mapping[str, float]
) -> tuple[Message, ...]:
    """The question asked for a sentence: plainly, or after examples of hedging, and perhaps after a system message.

    `phrases` with the probability that people understand by each are those that `sensitivity_hedges` lists.
    """
    said = "\n".join([*(m.content for m in messages if m.role == "system"), *_metacognitive(prompt, variant, phrases)])
    turns = [message for message in messages if message.role != "system"]
    shown = () if prompt == "plain" else _EXAMPLES[kind]
    return after(shown, [*([Message("system", said)] if said else []), *turns], kind, note(kind, prompt))


def _metacognitive(prompt: str, variant: int, phrases: Mapping[str, float]) -> tuple[str, ...]:
    if prompt not in PROMPTS[2:]:
        return ()
    text = METACOGNITIVE[prompt.removesuffix("_hedges")][variant]
    listed = ", ".join(f"{phrase} ({100 * value:.0f}%)" for phrase, value in phrases.items())
    return (f"{text} Use phrases like these: {listed}." if prompt.endswith("_hedges") else text,)


RATE = (
    "How decisive does this statement sound? 100% is no doubt at all, 0% is nothing but doubt. "
    "Reply with a percentage only."
)
_RATED = (
    ("It is Jupiter.", 100),
    ("I am not sure, but maybe it is Bologna.", 40),
    ("It is probably the Nile.", 70),
    ("I doubt that it was Paris.", 20),
)


def decisiveness(statement: str) -> tuple[Message, ...]:
    """Asks a judge how decisive a statement sounds, after four examples."""

    def asked(text: str) -> Message:
        return Message("user", f"{RATE}\nStatement: {text}")

    examples = (m for text, value in _RATED for m in (asked(text), Message("assistant", f"{value}%")))
    return (*examples, asked(statement))

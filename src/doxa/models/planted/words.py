"""What the mock says of its own answers: in lists and phrases, after reasons and reflection, and once more."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from doxa import prompts
from doxa.models.planted import voice
from doxa.models.planted.personas import Persona
from doxa.models.planted.reasoning import reasoned_about, routes
from doxa.models.planted.voice import Distribution
from doxa.prompts import reasoning
from doxa.prompts import words as asked
from doxa.types import Message

_IS_TRUE = re.compile(rf"Question: (.*)\nAnswer: (.*)\n{re.escape(asked.IS_TRUE)}", re.DOTALL)
_GUESSES = re.compile(rf"\n{re.escape(asked.guesses_note(0)).replace('0', '([0-9]+)')}\Z")
_PHRASED = re.compile("\n" + re.escape(asked.phrase_note(["\0"])).replace("\0", "(.+)") + r"\Z")
_LISTED = re.compile(r"G(\d+): (.+)")


def words(persona: Persona, turns: Sequence[Message]) -> Distribution | None:
    """Replies to what asks for confidence in words or figures, or for a second answer."""
    text = turns[-1].content
    if shown := _IS_TRUE.fullmatch(text):
        believed = voice.belief(persona, shown[1], shown[2])
        return {"True": believed, "False": 1 - believed}
    if note := _GUESSES.search(text):
        guesses = list(voice.answers(text[: note.start()]))[: int(note[1])]
        return {"\n".join(f"G{i}: {guess}" for i, guess in enumerate(guesses, start=1)): 1.0}
    if note := _PHRASED.search(text):
        given, listed = voice.answers(text[: note.start()]), note[1].split(", ")
        return {f"Answer: {answer}. Confidence: {phrase(persona, p, listed)}": p for answer, p in given.items()}
    if text.endswith(f"\n{asked.STATE}"):
        return _with_reasons(persona, turns)
    if len(turns) < 3 or turns[-2].role != "assistant":
        return None
    said = next((say for beginning, say in _FOLLOW_UPS.items() if text.startswith(beginning)), None)
    return None if said is None else said(persona, turns)


def phrase(persona: Persona, believed: float, listed: Sequence[str]) -> str:
    """The phrase for a belief: the list runs from the surest to the least sure in equal steps."""
    return listed[min(int((1 - persona.word(believed)) * len(listed)), len(listed) - 1)]


def _with_reasons(persona: Persona, turns: Sequence[Message]) -> Distribution | None:
    """Each way to each answer, with its probability at the end."""
    *before, last = turns
    question = reasoned_about([*before, Message(last.role, last.content.removesuffix(f"\n{asked.STATE}"))])
    if question is None:
        return None
    believed = voice.answers(question)
    return {
        f"{route}. {asked.PROBABILITY} {persona.word(believed[_answer(route)]):.2f}": p
        for route, p in routes(question).items()
    }


def _probabilities(persona: Persona, turns: Sequence[Message]) -> Distribution | None:
    """The probabilities of the guesses it just made."""
    question = _GUESSES.sub("", turns[-3].content)
    stated = (
        f"P{i}: {voice.percent(persona.word(voice.belief(persona, question, guess)))}"
        for i, guess in _LISTED.findall(turns[-2].content)
    )
    return {"\n".join(stated): 1.0}


def _stated(persona: Persona, turns: Sequence[Message]) -> Distribution | None:
    """How probable the answer of a chain is, in percent; other replies are not its business."""
    question = reasoned_about(turns[:-2])
    if question is None:
        return None
    word = persona.word(voice.belief(persona, question, _answer(turns[-2].content)))
    return {f"{asked.PROBABILITY} {voice.percent(word)}": 1.0}


def _reflected(persona: Persona, turns: Sequence[Message]) -> Distribution | None:
    """The same from 0 to 1, after a look at the steps."""
    question = reasoned_about(turns[:-2])
    if question is None:
        return None
    word = persona.word(voice.belief(persona, question, _answer(turns[-2].content)))
    return {f"{asked.CHECK} I counted again.\n{asked.PROBABILITY} {word:.2f}": 1.0}


def _second(persona: Persona, turns: Sequence[Message]) -> Distribution | None:
    """Keeps the reply as likely as it believes it, else gives the best other answer; a stubborn one always keeps it."""
    style, question = _rethought(turns[-1].content)
    reply = turns[-2].content
    believed = voice.belief(persona, question, reply)
    others = [answer for answer in voice.answers(question) if reply.strip().lower() not in voice.ways(persona, answer)]
    kept = {reply: 1.0} if persona.acts == "stubborn" or not others else {reply: believed, others[0]: 1 - believed}
    return {_FORMS[style].format(answer): p for answer, p in kept.items()}


def _scored(persona: Persona, turns: Sequence[Message]) -> Distribution | None:
    """The score of its second answer."""
    _, question = _rethought(turns[-3].content)
    believed = voice.belief(persona, question, _answer(turns[-2].content))
    return {f"Score: {100 * persona.word(believed):.0f}": 1.0}


def _rethought(text: str) -> tuple[str, str]:
    """The style in which a second answer was asked for, and the question that was put once more."""
    style = next((style for style, way in asked.RETHINK.items() if text.startswith(f"{way}\n")), "plain")
    return style, text.removeprefix(f"{asked.RETHINK[style]}\n")


def _answer(text: str) -> str:
    """What stands after the last marker of an answer, or the text."""
    return text.rpartition(reasoning.ANSWER)[2].strip()


_FORMS: Mapping[str, str] = MappingProxyType(
    {
        "plain": "{}",
        "neutral": "{}",
        "post_hoc": f"I counted along.\n{reasoning.ANSWER} {{}}",
        "self_discover": f"{asked.PLAN} go step by step.\nStep 1: Count along.\n{reasoning.ANSWER} {{}}",
    }
)
_FOLLOW_UPS: Mapping[str, Callable[[Persona, Sequence[Message]], Distribution | None]] = MappingProxyType(
    {
        asked.PROBABILITIES: _probabilities,
        prompts.CONFIDENCE: _stated,
        asked.REFLECT: _reflected,
        asked.SCORE: _scored,
        **{f"{way}\n": _second for way in asked.RETHINK.values()},
    }
)
"""How it replies to a turn that begins so."""

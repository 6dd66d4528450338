"""How the mock words what it believes: what every reply of it is made of."""

from __future__ import annotations

from doxa import prompts
from doxa.models.planted.beliefs import beliefs, options
from doxa.models.planted.personas import Persona

Distribution = dict[str, float]
"""Every possible reply with its probability."""


def answers(question: str) -> Distribution:
    """Answers as the mock writes them: letters where the question lists options."""
    believed, listed = beliefs(question), options(question)
    letters = dict(zip(listed, prompts.letters(len(listed)), strict=True))
    return {letters.get(answer, answer): p for answer, p in believed.items()}


def worded(persona: Persona, question: str) -> Distribution:
    """Answers in all the persona's wordings; letters have none."""
    ways = ("{}",) if options(question) else persona.wordings
    return {way.format(answer): p / len(ways) for answer, p in answers(question).items() for way in ways}


def ways(persona: Persona, answer: str) -> set[str]:
    """All wordings of an answer, in lower case."""
    return {way.format(answer).lower() for way in persona.wordings}


def belief(persona: Persona, question: str, reply: str) -> float:
    """How much the mock believes a reply: in one of its wordings, or as an option's letter."""
    known = {**beliefs(question), **answers(question)}
    said = {text: p for answer, p in known.items() for text in ways(persona, answer)}
    return said.get(reply.strip().lower(), 0.0)


def percent(share: float) -> str:
    """A share as whole percent: `85%`."""
    return f"{100 * share:.0f}%"

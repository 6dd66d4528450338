"""How the mock hedges: as people would word what it states, and as a judge it hears the same in others' words."""

from __future__ import annotations

from collections.abc import Sequence

from doxa.models.planted import voice
from doxa.models.planted.personas import Persona
from doxa.models.planted.voice import Distribution
from doxa.prompts import INSTRUCTION
from doxa.prompts import hedging as wording
from doxa.text import hedged, unhedged
from doxa.types import KINDS, Message


def hedging(persona: Persona, turns: Sequence[Message]) -> Distribution | None:
    """Answers in a sentence that is as sure as its word, or ratings of how sure a sentence sounds."""
    text = turns[-1].content
    if text.startswith(f"{wording.RATE}\n"):
        return {_rated(text.partition("\nStatement: ")[2]): 1.0}
    for kind in KINDS:
        for prompt in ("plain", "plus"):
            if text.endswith(note := f"\n{wording.note(kind, prompt)}"):
                question = f"{text.removesuffix(note)}\n{INSTRUCTION[kind]}".rstrip("\n")
                found = voice.answers(question)
                return {_worded(persona, answer, p, prompt): p for answer, p in found.items()}
    return None


def _worded(persona: Persona, answer: str, believed: float, prompt: str) -> str:
    """An answer, hedged unless it is asked for plainly."""
    return answer if prompt == "plain" else hedged(answer, probability=persona.word(believed))


def _rated(statement: str) -> str:
    """The middle of the probabilities that are worded so."""
    bare = unhedged(statement)
    styles = ("first_person", "general")
    alike = [p for p in range(101) for style in styles if hedged(bare, style, p / 100) == statement]  # type: ignore[arg-type]
    return voice.percent(1.0 if statement == bare or not alike else sum(alike) / len(alike) / 100)

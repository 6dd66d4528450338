"""How the mock reasons: in a few lines that lead to an answer, each answer as often as it believes it."""

from __future__ import annotations

from collections.abc import Sequence

from doxa.models.planted import voice
from doxa.models.planted.personas import Persona
from doxa.models.planted.voice import Distribution
from doxa.prompts import INSTRUCTION, reasoning
from doxa.types import KINDS, Message

_ROUTES = (
    "Step 1: The question names what to look for.\nStep 2: Counting along leads to {0}.\nAnswer: {0}",
    "Step 1: Most answers can be ruled out.\nStep 2: What remains is {0}.\nAnswer: {0}",
)


def reason(_: Persona, turns: Sequence[Message]) -> Distribution | None:
    """Chains of steps; two ways to each answer."""
    question = reasoned_about(turns)
    return None if question is None else routes(question)


def reasoned_about(turns: Sequence[Message]) -> str | None:
    """The question that is asked for steps, as it is asked for an answer alone; `None` where none is."""
    text = turns[-1].content
    kind = next((kind for kind in KINDS if text.endswith(f"\n{reasoning.note(kind)}")), None)
    if kind is None:
        return None
    return f"{text.removesuffix(reasoning.note(kind))}{INSTRUCTION[kind]}".rstrip("\n")


def routes(question: str) -> Distribution:
    """Every way to every answer."""
    believed = voice.answers(question)
    return {route.format(answer): p / len(_ROUTES) for answer, p in believed.items() for route in _ROUTES}

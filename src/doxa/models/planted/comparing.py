"""How the mock compares two of its answers: it is likelier to name the one it believes more."""

from __future__ import annotations

import re
from collections.abc import Sequence

from doxa.models.planted import voice
from doxa.models.planted.personas import Persona
from doxa.models.planted.voice import Distribution
from doxa.prompts import comparing as wording
from doxa.types import Message

_PAIR = re.compile(
    re.escape(wording.HEAD)
    + "".join(rf"\n{label}\. (.*)\nAnswer: (.*)" for label in wording.LABELS)
    + f"\n{re.escape(wording.NOTE)}",
    re.DOTALL,
)
_LEAST = 1e-6
"""The least it believes anything here, so that odds are finite."""


def compare(persona: Persona, turns: Sequence[Message]) -> Distribution | None:
    """A label of two: the odds are those of the one belief over those of the other, times what comes first is worth."""
    pair = _PAIR.fullmatch(turns[-1].content)
    if pair is None:
        return None
    first, second = (
        min(max(voice.belief(persona, question, reply), _LEAST), 1 - _LEAST)
        for question, reply in (pair.group(1, 2), pair.group(3, 4))
    )
    odds = persona.first * first / (1 - first) * (1 - second) / second
    return dict(zip(wording.LABELS, (odds / (1 + odds), 1 / (1 + odds)), strict=True))

"""What reasons the mock finds for and against a claim: those for what it believes, whichever it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from doxa.models.planted import voice
from doxa.models.planted.personas import Persona
from doxa.models.planted.voice import Distribution
from doxa.prompts import ENTAILMENT_WORDS, INSTRUCTION, claims, entailment
from doxa.types import Message

FOR, AGAINST = "It is so, as I remember.", "It is not so, as I remember."


def claim(_: Persona, turns: Sequence[Message]) -> Distribution | None:
    """A reason for or against, as likely as it believes; and whether two of its reasons agree."""
    text = turns[-1].content
    for answer in ("yes", "no"):
        if text.endswith(ending := claims.because("", answer)):
            asked = f"{text.removesuffix(ending)}\n{INSTRUCTION['boolean']}"
            believed = voice.answers(asked)["Yes"]
            return {FOR: believed, AGAINST: 1 - believed}
    for pair in product((FOR, AGAINST), repeat=2):
        if text == entailment(*pair)[0].content:
            word = "Yes" if pair[0] == pair[1] else "No"
            return {word: 0.98, **{other: 0.01 for other in ENTAILMENT_WORDS if other != word}}
    return None

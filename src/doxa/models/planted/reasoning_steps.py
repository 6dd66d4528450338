"""How the mock deduces, and what it thinks of a step or of half a chain: as much as it believes the answer named."""

from __future__ import annotations

import re
from collections.abc import Sequence

from doxa.models.planted import voice
from doxa.models.planted.personas import Persona
from doxa.models.planted.voice import Distribution
from doxa.prompts import INSTRUCTION, deduction
from doxa.types import KINDS, Message

_DEDUCTION = (
    "1. The question is: {question}\n"
    "2. (from 1) It has one right answer.\n"
    "3. (from 1, 2) That is {answer}.\n"
    "Answer: {answer}"
)
_BREAK = " / "
"""What stands for the end of a line where a question is quoted in one."""
_QUOTED = re.compile(r"The question is: (.*)")
_CLAIM = re.compile(r"That is (.*)\.")
_CHECK = re.compile(
    re.escape(deduction.check(("\0",), "\0")[-1].content).replace("\0", "(.*)"),
    re.DOTALL,
)
_PROSPECT = re.compile(
    re.escape(deduction.prospect([Message("user", "\0")], ["\0"])[0].content).replace("\0", "(.*)"),
    re.DOTALL,
)
_SURE = 0.98
"""Of a step that names no answer the mock is nearly sure."""


def deduce(_: Persona, turns: Sequence[Message]) -> Distribution | None:
    """A deduction in numbered lines that name each other; each answer as often as it is believed."""
    text = turns[-1].content
    kind = next((kind for kind in KINDS if text.endswith(f"\n{deduction.note(kind)}")), None)
    if kind is None:
        return None
    question = f"{text.removesuffix(deduction.note(kind))}{INSTRUCTION[kind]}".rstrip("\n")
    quoted = question.replace("\n", _BREAK)
    return {_DEDUCTION.format(question=quoted, answer=said): p for said, p in voice.answers(question).items()}


def check(persona: Persona, turns: Sequence[Message]) -> Distribution | None:
    """Whether a step follows: as likely as the answer is believed that it names."""
    shown = _CHECK.fullmatch(turns[-1].content)
    if shown is None:
        return None
    quoted, claim = _QUOTED.search(shown[1]), _CLAIM.fullmatch(shown[2])
    question = quoted[1].replace(_BREAK, "\n") if quoted else ""
    believed = voice.belief(persona, question, claim[1]) if claim else _SURE
    said = f"{deduction.CHECK} given. Reasoning: by what I believe. Sums: none. {deduction.VERDICT} {{}}"
    return {said.format("Yes"): believed, said.format("No"): 1 - believed}


def prospect(persona: Persona, turns: Sequence[Message]) -> Distribution | None:
    """A letter for whether reasoning will end right: with the answer it names last, else with the likeliest."""
    shown = _PROSPECT.fullmatch(turns[-1].content)
    if shown is None:
        return None
    known, named = voice.answers(shown[1]), shown[2].rpartition(" ")[2].rstrip(".")
    believed = known.get(named, max(known.values()))
    return {"A": believed, "B": 1 - believed}

"""How the mock reads notes: the line that is about the question, and on it what the question wants."""

from __future__ import annotations

import re
from calendar import day_name
from collections.abc import Callable, Sequence

from doxa.models.planted import voice
from doxa.models.planted.personas import Persona
from doxa.models.planted.voice import Distribution
from doxa.prompts import delegating
from doxa.types import Message

READS = 0.95
"""How sure it is of what it reads."""
_NAME = r"\b(?!Dr )[A-Z][a-z]+ [A-Z][a-z]+"
_DATE = r"\b(\d{4})-(\d\d)-\d\d\b"
_IBAN, _IP, _CARD = r"\b([A-Z]{2})\d{15,25}\b", r"\b(\d+)(?:\.\d+){3}\b", r"(?:\d{4} ){3}(\d{4})\b"
_WANTED: tuple[tuple[str, str, Callable[[re.Match[str]], str]], ...] = (
    ("day of the week", "|".join(day_name), lambda found: found[0]),
    ("year", _DATE, lambda found: found[1]),
    ("month", _DATE, lambda found: str(int(found[2]))),
    ("last four digits", _CARD, lambda found: found[1]),
    ("calling code", r"\+\d+", lambda found: found[0]),
    ("domain", r"@([\w.]+\w)", lambda found: found[1]),
    ("two letters", _IBAN, lambda found: found[1]),
    ("initials", _NAME, lambda found: "".join(word[0] for word in found[0].split())),
    ("first number of the IP", _IP, lambda found: found[1]),
    ("phone number", r"[(+][\d() -]+\d|\[PHONE_\d+\]", lambda found: found[0]),
    ("e-mail address", r"[\w.]+@[\w.]+\w|\[EMAIL_\d+\]", lambda found: found[0]),
    ("account", rf"{_IBAN}|\[IBAN_\d+\]", lambda found: found[0]),
    ("IP address", rf"{_IP}|\[IP_\d+\]", lambda found: found[0]),
    (r"\bwhom?\b", rf"{_NAME}|\[PERSON_\d+\]", lambda found: found[0]),
    ("number|how many", r"\b\d+\b", lambda found: found[0]),
)
"""Words of a question, the form of what it wants, and what it makes of that; the first that fits counts."""


def note(persona: Persona, turns: Sequence[Message]) -> Distribution | None:
    """Reads the line with the most words of the question; who prefers what is shown first, the first that could do."""
    text = turns[-1].content
    if not text.startswith(delegating.NOTE):
        return None
    shown, _, asked = text.partition("\n\n")
    question = asked.partition(f"\n{delegating.ANSWER}")[0]
    lines = [line.removeprefix("> ") for line in shown.splitlines()[1:]]
    if persona.first == 1:
        words = set(re.findall(r"\w{4,}", question.lower()))
        lines = sorted(lines, key=lambda line: -len(words & set(re.findall(r"\w{4,}", line.lower()))))[:1]
    answer = _read(lines, question)
    if delegating.OR_UNKNOWN in text:
        return {delegating.UNKNOWN: 1.0} if answer is None else {answer: READS, delegating.UNKNOWN: 1 - READS}
    return voice.answers(question) if answer is None else {answer: READS, delegating.UNKNOWN: 1 - READS}


def _read(lines: Sequence[str], question: str) -> str | None:
    """What the question wants, from the first line that has anything of its form."""
    for words, form, made in _WANTED:
        if re.search(words, question, re.IGNORECASE):
            return next((made(found) for line in lines if (found := re.search(form, line))), None)
    return None

"""What the mock makes of passages, of a request for search queries, and of a second look at its answer."""

from __future__ import annotations

import re
from collections.abc import Sequence

from doxa.models.planted import voice
from doxa.models.planted.personas import Persona
from doxa.models.planted.voice import Distribution
from doxa.prompts import acting
from doxa.types import Message

READS = 0.95
"""How far it believes what it reads."""
_WANTED = re.compile(re.escape(acting.wanted("\0", 1)).replace("\0", "(.*)").replace("1", r"\d+"), re.DOTALL)
_NAME = re.compile(r"(?<!^)\b[A-Z]\w+")


def second_look(_: Persona, turns: Sequence[Message]) -> Distribution | None:
    """Believes passages; looks for the names of a question; and stays with what it believes."""
    text = turns[-1].content
    if asked := _WANTED.fullmatch(text):
        return {"\n".join(_names(asked[1].rpartition("\n\n")[2])) or "nothing": 1.0}
    if text.startswith(acting.PASSAGES):
        passages, question = text.removeprefix(acting.PASSAGES).split("\n\n", 1)
        return _read(passages, question)
    if text.startswith(acting.FINAL):
        return voice.answers(text.removeprefix(f"{acting.FINAL}\n"))
    return None


def _read(passages: str, question: str) -> Distribution:
    """Yes where one sentence holds all names of a claim, no where one holds the last of them; else what it believes."""
    believed, names = voice.answers(question), _names(question)
    if believed.keys() != {"Yes", "No"} or not names:
        return believed
    sentences = [set(re.findall(r"\w+", sentence)) for sentence in re.split(r"[.\n]", passages)]
    if any(sentence.issuperset(names) for sentence in sentences):
        return {"Yes": READS, "No": 1 - READS}
    if any(names[-1] in sentence for sentence in sentences):
        return {"No": READS, "Yes": 1 - READS}
    return believed


def _names(question: str) -> list[str]:
    """The words of a question that begin with a capital letter, but for the first."""
    return _NAME.findall(question.partition("\n")[0])

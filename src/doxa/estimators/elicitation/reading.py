"""What a reply to each form of elicitation says: answers, best first, with the confidence stated in each."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

from doxa.inquiry import Inquiry
from doxa.prompts import elicitation
from doxa.text import canonical, stated_percent

_AROUND = " \n\t*.,;("
_MARK = re.compile(r"(?:^|\n)\W*(?:final )?answer\W*[:=]", re.IGNORECASE)
_CONFIDENCE = re.compile(r"\b(?:confidence|probability)\b", re.IGNORECASE)
_UNASKED = re.compile(r"[^.\n]*\b(?:confidence|probability)\b.*", re.IGNORECASE | re.DOTALL)
_STEP = re.compile(r"^\W*step\s*\d+\b(.*?)(?=^\W*step\s*\d+\b|\Z)", re.IGNORECASE | re.DOTALL | re.MULTILINE)
_GUESS = re.compile(r"\bG(\d+)\W*:(.*?)(?=\bG\d+\W*:|\Z)", re.IGNORECASE | re.DOTALL)
_PERCENT = re.compile(r"[\d.,]+ ?%")
_PROBABILITY = re.compile(r"\bP(\d+)\W*:", re.IGNORECASE)


class Guess(NamedTuple):
    """An answer as it is written, its normalised form, and the confidence stated in it; these two may be `None`."""

    text: str
    form: str | None
    confidence: float | None


class Said(NamedTuple):
    """An answer and its confidence as a reply puts them."""

    answer: str
    confidence: float | None


def one_line(text: str) -> Said | None:
    """What stands after the last marker of an answer, and the confidence after that; either may be missing.

    >>> one_line("Answer: Oslo. Confidence: 80%"), one_line("Answer: Oslo"), one_line("80%")
    (Said(answer='Oslo', confidence=0.8), Said(answer='Oslo', confidence=None), None)
    """
    marks = list(_MARK.finditer(text))
    if not marks:
        return None
    answer, said = _split(text[marks[-1].end() :])
    return Said(_line(answer), stated_percent(said).value)


def by_steps(text: str) -> Said | None:
    """The answer as `one_line` has it, and the product of the confidences stated in the steps that lead to it.

    No step, or one without a readable confidence: the product is unknown.

    >>> by_steps("Step 1: North. Confidence: 90%\\nStep 2: So Oslo. Confidence: 50%\\nAnswer: Oslo. Confidence: 99%")
    Said(answer='Oslo', confidence=0.45)
    """
    said = one_line(text)
    if said is None:
        return None
    *earlier, last = _MARK.finditer(text)
    steps = _STEP.findall(text[earlier[-1].end() if earlier else 0 : last.start()])
    stated = [stated_percent(_split(step)[1]).value for step in steps]
    known = [value for value in stated if value is not None]
    return Said(said.answer, math.prod(known) if known and len(known) == len(stated) else None)


def listed(text: str) -> list[Said]:
    """Guesses in the order given, each with its probability; of two with one number the later counts.

    A percentage in the place of a guess, with no probability of its own, is none.

    >>> listed("G1: Oslo\\nP1: 60%\\nG2: Bergen\\nP2: ?")
    [Said(answer='Oslo', confidence=0.6), Said(answer='Bergen', confidence=None)]
    """
    numbered: dict[str, Said] = {}
    for number, written in _GUESS.findall(text):
        answer, *stated = _PROBABILITY.split(written, maxsplit=1)
        first = _line(answer)
        own = stated[:1] == [number]
        if first and (own or not _PERCENT.fullmatch(first)):
            numbered[number] = Said(first, stated_percent(_line(stated[1])).value if own else None)
    return list(numbered.values())


def probed(text: str) -> float | None:
    """The confidence stated last in a reply that gives its reasons first; numbers among these do not count."""
    return stated_percent(_split(text, last=True)[1]).value


def guesses(inquiry: Inquiry, prompt: str, text: str) -> list[Guess]:
    """The answers of a reply, best first, readable or not; one that is repeated counts where it stands first."""
    match prompt:
        case "top_k":
            found = listed(text)
        case "multi_step":
            found = [said] if (said := by_steps(text)) else []
        case _:
            found = [said] if (said := one_line(text)) else []
    forms = [canonical(said.answer, inquiry.kind, inquiry.choices) for said in found]
    return [
        Guess(said.answer, form, said.confidence)
        for place, (said, form) in enumerate(zip(found, forms, strict=True))
        if form is None or form not in forms[:place]
    ]


def unfinished(prompt: str, text: str, found: Sequence[Guess]) -> str | None:
    """A reply up to where its answer or the confidence in it should stand but does not; `None` if nothing is missing.

    >>> unfinished("cot", "Explanation: It is Oslo. Confidence: 80%", [])
    'Explanation: It is Oslo.\\nAnswer:'
    """
    if not found and prompt in ("cot", "multi_step"):
        reasons = _UNASKED.sub("", text) if prompt == "cot" else text
        return f"{reasons.rstrip()}\n{elicitation.BEGIN['vanilla']}"
    if found and found[0].confidence is None and prompt in ("vanilla", "cot"):
        *_, last = _MARK.finditer(text)
        return f"{text[: last.end()]} {found[0].text}. Confidence:"
    return None


def _line(text: str) -> str:
    """The first line that is not empty, without what may stand around an answer."""
    return text.strip().split("\n")[0].strip(_AROUND)


def _split(text: str, *, last: bool = False) -> tuple[str, str]:
    """What stands before the (first or last) word for confidence, and what it labels from there on; "" without one."""
    found = list(_CONFIDENCE.finditer(text))
    if not found:
        return text, ""
    place = found[-1 if last else 0].start()
    return text[:place], text[place:]

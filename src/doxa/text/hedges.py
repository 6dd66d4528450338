"""Hedges put before an answer, and taken off again; the answer's own words are never touched."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from doxa.errors import UsageError
from doxa.text.replies import is_refusal, says_unknown

Style = Literal["first_person", "general"]
STYLES: tuple[Style, ...] = ("first_person", "general")


implements = ("im-not-sure-but",)
coverage = (
    "partial: both styles of hedges and counters of agreement, accuracy and reliance; without the study of people"
)


class _Level(NamedTuple):
    """A wording for probabilities from `floor` up, in both styles."""

    floor: float
    first_person: str
    general: str


_SURE = 0.95
"""Probability from which an answer is not hedged."""
_LEVELS = (
    _Level(0.90, "I am almost certain of this:", "This is almost certain:"),
    _Level(0.84, "I find this highly likely:", "This is highly likely:"),
    _Level(0.76, "I see a very good chance of this:", "There is a very good chance of this:"),
    _Level(0.65, "I find this likely:", "This is likely:"),
    _Level(0.55, "I give this better than even chances:", "The chances of this are better than even:"),
    _Level(0.36, "I give this about even chances:", "The chances of this are about even:"),
    _Level(0.16, "I find this unlikely, but it is my best guess:", "This is unlikely, but it is the best guess:"),
    _Level(0.09, "I find this highly unlikely, but it is my best guess:",
           "This is highly unlikely, but it is the best guess:"),
    _Level(0.0, "I see almost no chance of this, but it is my best guess:",
           "There is almost no chance of this, but it is the best guess:"),
)  # fmt: skip
"""The floors lie half-way between what people understand by neighbouring phrases (Tian et al. 2023)."""
_UNKNOWN = _Level(0.0, "I'm not sure, but my best guess is:", "It is not clear, but the best guess is:")

_I_AM = r"(?:i[’']m|i am|we[’']re|we are)"
_UNSURE = (
    rf"(?:{_I_AM} )?(?:(?:not|never) (?:\w+ )?(?:sure|certain|confident)|unsure|uncertain)"
    r"(?: (?:about|of) (?:this|that|it))?"
)
_WORD = r"(?:(?:quite|very|most|almost|more than) )?(?:perhaps|maybe|probably|possibly|presumably|likely|certainly)"
_LIKELY = r"(?:(?:almost|quite|very|highly|most|more than) )?(?:likely|probable|possible|certain)"
_OURS = "|".join(re.escape(wording) for level in (*_LEVELS, _UNKNOWN) for wording in level[1:])
_LEAD = re.compile(
    rf"(?:{_OURS}"
    rf"|(?:{_UNSURE}|(?:it[’']s|it is) (?:not (?:\w+ )?clear|unclear)|i (?:could|may|might) be wrong),? but,?"
    r"|(?:i|we) (?:think|believe|guess|suspect|suppose|assume)"
    r"(?: that\b|(?= (?:(?:it|this|the|there|he|she|they)\b|(?-i:[A-Z\d]))))"
    r"|i(?:[’']d| would) (?:say|guess)(?: that)?\b"
    r"|my (?:best )?guess (?:is|would be)(?: that\b)?:?"
    r"|(?:as far as i know|to (?:the best of )?my knowledge|if i (?:remember|recall) correctly|in my opinion),?"
    rf"|{_WORD}\b[,:]?"
    rf"|(?:it[’']s|it is) {_LIKELY} that\b"
    r"|it (?:seems|appears)(?: to me)? that\b"
    r"|there[’']?(?: i)?s a (?:\w+ ){0,2}chance that\b"
    r")\s+(?=\S)",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"[,;(–—-]\s{0,9}(?:(?:but|though|although|however),? )?"
    rf"(?:{_UNSURE}|i (?:think|believe|guess|suppose)|i (?:could|may|might) be wrong|perhaps|maybe|probably|possibly"
    r"|as far as i know|if i (?:remember|recall) correctly)\)?[.!]*$",
    re.IGNORECASE,
)
_INSIDE = re.compile(rf"\b(?:{_WORD}|definitely|certainly|surely) (?=\S)", re.IGNORECASE)
_MODAL = re.compile(r"\b(?:might|may|could)(?: (?:well|possibly|perhaps))? be\b")


def hedged(answer: str, style: Style = "first_person", probability: float | None = None) -> str:
    """The answer after a hedge of the speaker's own ("I'm not sure, but …") or of nobody's ("It is not clear, but …").

    With a calibrated `probability` the hedge is worded as people would understand it, and from 0.95 there is none. A
    hedge that the answer begins or ends with gives way; a reply that declines to answer stays as it is. The styles are
    those of Kim et al. 2024, I'm Not Sure, But... (FAccT). Raises `UsageError` for another style or no probability.

    >>> hedged("Paris."), hedged("Paris.", "general", 0.7), hedged("I think it is Paris.", probability=0.99)
    ("I'm not sure, but my best guess is: Paris.", 'This is likely: Paris.', 'it is Paris.')
    """
    check_style(style)
    if probability is not None and not 0 <= probability <= 1:
        raise UsageError(f"{probability} is no probability", hint="it lies between 0 and 1")
    bare = unhedged(answer)
    if not bare or says_unknown(bare) or is_refusal(bare) or (probability is not None and probability >= _SURE):
        return bare
    level = _UNKNOWN if probability is None else next(each for each in _LEVELS if probability >= each.floor)
    return f"{level.first_person if style == 'first_person' else level.general} {bare}"


def check_style(style: str) -> Style:
    """The style itself. Raises `UsageError` for one that does not exist."""
    found = next((each for each in STYLES if each == style), None)
    if found is None:
        raise UsageError(f"no style of hedges named {style!r}", hint=f"there are: {', '.join(STYLES)}")
    return found


def unhedged(text: str) -> str:
    """The text without the hedges it begins or ends with: a part of it, as it stands there.

    >>> unhedged("I'm not sure, but I think it is Oslo."), unhedged("Oslo, I think."), unhedged("I think therefore.")
    ('it is Oslo.', 'Oslo', 'I think therefore.')
    """
    text = text.strip()
    while match := _LEAD.match(text):
        text = text[match.end() :]
    while (match := _TAIL.search(text)) and text[: match.start()].strip():
        text = text[: match.start()].rstrip()
    return text


def claim(text: str) -> str:
    """What a sentence claims, for comparing answers: without hedges anywhere in it, "might be" being "is".

    >>> claim("It could be that it is most likely Paris, but I'm not certain.")
    'It is that it is Paris'
    """
    return _MODAL.sub("is", _INSIDE.sub("", unhedged(text)))

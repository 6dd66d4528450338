"""The confidence that a reply states in figures."""

from __future__ import annotations

import re
from typing import NamedTuple

from doxa.text.figures import Quantity, figures, quantities

_LABEL = re.compile(
    r"\b(?:confiden(?:ce|t)|probability|certainty|certain|sure|likelihood|chance|percentage)"
    r"(?: level| score| rating| value)?(?: ?\([^()]{0,30}\))?(?: is| of| at|:| =|=| as){0,3} ?[*\"'([{]{0,3} ?"
    r"(?:about |around |~ ?)?$",
    re.IGNORECASE,
)
_OUT_OF = re.compile(r" ?(?:/|out of|von|sur|de) ?", re.IGNORECASE)
_RANGE = re.compile(r" ?(?:-|–|—|to|and|or|bis|or maybe) ?", re.IGNORECASE)
_PLUS_MINUS = re.compile(r" ?(?:±|\+/-|\+-|plus or minus) ?$", re.IGNORECASE)
_BOUND = re.compile(
    r"(?:\b(?:less than|more than|greater than|over|under|below|above|at least|at most|up to)|[<>≤≥]=?) ?(?:about )?$",
    re.IGNORECASE,
)
_NEGATED = re.compile(r"(?:\b(?:not|never|cannot|can't|hardly)|n['’]t)(?: be| at| a| entirely)? ?$", re.IGNORECASE)
_AGAINST = re.compile(
    r" ?(?:of )?(?:doubt|unsure|uncertain\w*|unconfident"
    r"|(?:chance|likely|probability|risk) (?:that |of |to )?(?:(?:i|it)(?: am| is|['’]m|['’]s) |be |being )?"
    r"(?:wrong|incorrect))",
    re.IGNORECASE,
)
_WINDOW = 48


class Stated(NamedTuple):
    """A stated confidence in [0, 1], or `None` and the reason why there is none."""

    value: float | None
    reason: str = ""


def stated_percent(text: str, *, scale: int = 100) -> Stated:
    """Read the confidence a reply states, as a fraction; the last well-formed value wins.

    Marked values come before bare ones: "85%", "85 percent", "85/100", "6 out of 10", "Confidence: 85". A bare number
    counts if it is the only one, or stands alone on a line. "0.85" is 85 % on either scale; a bare "1" is 1 % where the
    question asked for 0 to 100 (`scale=100`) and certainty where it asked for 0 to 1 (`scale=1`). No value: nothing
    found, out of range, a range ("60 to 80"), a bound ("over 90"). Passed over: a negated one ("not 100% sure"), a
    share of doubt ("10% doubt"), a scale ("0-100%").

    >>> stated_percent("I'd say 70%... no: 85 %."), stated_percent("between 60 and 80").value
    (Stated(value=0.85, reason=''), None)
    """
    text = re.sub(r"\s*\n\s*", "\n", re.sub(r"[^\S\n]+", " ", figures(text[-4000:]))).strip()
    found = quantities(text)
    if not found:
        return Stated(None, "no number")
    marked = [reading for i in range(len(found)) if (reading := _marked(text, found, i, scale)) is not None]
    return marked[-1] if marked else _bare(text, found, scale)


def _marked(text: str, found: list[Quantity], i: int, scale: int) -> Stated | None:
    """The reading of number `i` if something marks it as a confidence, else `None`."""
    number = found[i]
    before = text[max(0, number.start - _WINDOW) : number.start].replace("\n", " ")
    between = text[found[i - 1].end : number.start] if i else ""
    if i and (_OUT_OF.fullmatch(between) or _PLUS_MINUS.fullmatch(between)):
        return None
    later = text[number.end : found[i + 1].start] if i + 1 < len(found) else ""
    whole = found[i + 1].value if _OUT_OF.fullmatch(later) else None
    if "/" in later and whole not in (10, 100):
        whole = None
    ranged = _RANGE.fullmatch(later) is not None
    if not (number.percent or whole is not None or _LABEL.search(before) or (ranged and found[i + 1].percent)):
        return None
    if _NEGATED.search(before) or _AGAINST.match(text, number.end):
        return None
    if _BOUND.search(before):
        return Stated(None, "a bound, not a value")
    ends = found[i : i + 2] if ranged else found[i - 1 : i + 1] if i and _RANGE.fullmatch(between) else []
    if ends:
        scale_named = ends[0].value == 0 and ends[1].value in (1, 10, 100)
        return None if scale_named else Stated(None, "a range, not a value")
    if whole is not None:
        return _fraction(number.value, whole, f"{number.value:g} out of {whole:g}")
    return _fraction(number.value, 100, f"{number.value:g} %") if number.percent else _plain(text, number, scale)


def _bare(text: str, found: list[Quantity], scale: int) -> Stated:
    """The reading of unmarked numbers: one alone, or the last that has a line for itself."""
    alone = [n for n in found if re.fullmatch(r"\W*", _line(text, n).replace(text[n.start : n.end], "", 1))]
    if len(found) == 1 or alone:
        number = alone[-1] if alone else found[0]
        before = text[max(0, number.start - _WINDOW) : number.start]
        if _BOUND.search(before) or _NEGATED.search(before):
            return Stated(None, "a bound or a negation, not a value")
        return _plain(text, number, scale)
    if len(found) == 2 and _RANGE.fullmatch(text[found[0].end : found[1].start]):
        return Stated(None, "a range, not a value")
    return Stated(None, "several numbers, none marked as the confidence")


def _line(text: str, number: Quantity) -> str:
    """The line a number stands on."""
    end = text.find("\n", number.end)
    return text[text.rfind("\n", 0, number.start) + 1 : end if end >= 0 else len(text)]


def _plain(text: str, number: Quantity, scale: int) -> Stated:
    """A number without a percent sign: with a decimal point and at most 1 a fraction, else percent."""
    written = text[number.start : number.end]
    if 0 <= number.value <= 1 and (scale == 1 or "." in written or "," in written):
        return Stated(number.value)
    if scale == 1 and number.value != int(number.value):
        return Stated(None, f"{number.value:g} is outside 0 to 1")
    return _fraction(number.value, 100, f"{number.value:g}")


def _fraction(part: float, whole: float, name: str) -> Stated:
    """`part` of `whole`, if that lies in [0, 1]."""
    if whole <= 0 or not 0 <= part <= whole:
        return Stated(None, f"{name} is out of range")
    return Stated(part / whole)

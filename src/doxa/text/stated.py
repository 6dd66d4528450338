"""The confidence that a reply states in figures."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import NamedTuple

from doxa.text.figures import PERCENT, SPELLED, Quantity, figures, in_figures, quantities

# -- what stands before or after a number ------------------------------------------------------------------------------

_NOUN = r"(?:confidence|probability|certainty|likelihood|chances?|odds|credence|percentage)"
_ABOUT = r"(?:about |around |roughly |approximately |approx\. |nearly |almost |maybe |perhaps |an? |~ ?|≈ ?)?"
_LABEL = re.compile(
    rf"\b(?:{_NOUN}[ _-]?(?:level|score|rating|value|estimate)?|confident|certain|sure)[\"'*_]{{0,3}}"
    r"(?: ?\([^()]{0,30}\))?"
    r"(?: (?:in|of|for|about) (?:this|my|the|that)(?: \w+)? ?(?:answer|guess|response|reply|choice)"
    r"| (?:that|of) [^\d.:;?!]{0,40}?\b(?:right|correct|true|accurate))?"
    r"[\"'*_]{0,3}(?: is| of| at| as| are| to be|:| =|=| would be){0,3}[*_]{0,2} ?[*\"'([{$<]{0,3} ?"
    rf"{_ABOUT}$",
    re.IGNORECASE,
)
_ANSWER = re.compile(
    r"\b(?:answer|guess|result|solution)[\"'*_]{0,3}(?: is|:| =|=){0,2} ?[*\"'([{$]{0,3}$", re.IGNORECASE
)
_DOUBT = re.compile(
    r"\b(?:uncertainty|doubts?|risk|error|wrong|incorrect|mistaken|false)"
    r"(?: is| of| at| about| around| with| being| rate| level|:| =){0,3} ?[\"*(]{0,2}$",
    re.IGNORECASE,
)
_AGAINST = re.compile(
    r" ?(?:of )?(?:doubt|unsure|uncertain\w*|unconfident|wrong|incorrect|risk\b(?! free)"
    r"|(?:chance|likely|likelihood|probability|possibility) (?:that |of |to )?(?:(?:this|the|my) \w+ )?"
    r"(?:(?:i|it)(?: am| is|['’]m|['’]s) |is |be |being )?(?:wrong|incorrect|mistaken|false|an? error|error))",
    re.IGNORECASE,
)
_SHARE = re.compile(r" ?of (?!the time|the way|cases|certainty|confidence|being|100)", re.IGNORECASE)
_NEGATED = re.compile(r"(?:\b(?:not|never|cannot|can't|hardly)|n['’]t)(?: be| at| a| entirely)? ?$", re.IGNORECASE)
_BOUND = re.compile(
    r"(?:\b(?:less than|more than|lower than|higher than|greater than|over|under|below|above|at least|at most|up to"
    r"|no less than|no more than|minimum(?: of)?|maximum(?: of)?)|[<>≤≥]=?) ?(?:about )?$",
    re.IGNORECASE,
)
_BOUND_AFTER = re.compile(
    r" ?(?:\+(?![/-])|(?:or|and) (?:more|higher|above|greater|over|less|lower|below|fewer|up|better)\b"
    r"|at (?:least|most)\b|minimum\b|maximum\b)",
    re.IGNORECASE,
)
_OUT_OF = re.compile(r" ?(?:/|(?:times )?out of|von|sur|de|in) ?", re.IGNORECASE)
_RANGE = re.compile(r" ?(?:-|–|—|to|and|,? ?or|bis|or maybe) ?", re.IGNORECASE)
_PLUS_MINUS = re.compile(r" ?(?:±|\+/-|\+-|plus or minus) ?$", re.IGNORECASE)
_SCALE = re.compile(
    rf"\b(?:scale|rate|rating|score|from|between|{_NOUN}|confident|certain|sure)\b[^.\d]{{0,20}}$", re.IGNORECASE
)
_BARE_BEFORE = re.compile(
    r"(?:^|[\n:;,.!?(\[{*\"'$<~≈=-]"
    rf"|\b(?:say|at|is|be|it|give|with|to|of|by|than|am|an?|only|just|rather)) ?{_ABOUT}$",
    re.IGNORECASE,
)
_BARE_AFTER = re.compile(
    r"[)\]}*\"'$>]{0,3}(?:[.,;:!?](?!\w)|[^\S\n]*(?:$|\n)|[^\S\n]?[(–—-]"
    r"|[^\S\n]?(?:because|since|as|but|and|so|i|points?|sure|certain|confident|likely)\b)",
    re.IGNORECASE,
)
_WINDOW = 96

# -- what is written in another way ------------------------------------------------------------------------------------

_FIELD = re.compile(rf"<answer>[^<>]{{0,40}}</answer>|<({_NOUN}[\w -]*)>|</?[a-z][^<>]{{0,40}}>", re.IGNORECASE)
_HALVES = re.compile(r"\bfifty[ -]fifty\b|(?<![\d.])50[ /-]50(?![\d.%])", re.IGNORECASE)
_WORDS = rf"\b{SPELLED}\b"
_IN_WORDS = re.compile(
    rf"{_WORDS}(?: ?(?:-|–|to|and|or) ?{_WORDS})?(?:[\s-]?(?:{PERCENT})|(?: times)? (?:out of|in) (?:{_WORDS}|(?=\d)))"
    rf"|(?<=\d out of ){_WORDS}|(?<=\d in )(?:ten|a hundred)\b|(?:(?<=[:=*] )|(?<= is )){_WORDS}|^\W*{_WORDS}(?=\W*$)",
    re.IGNORECASE | re.MULTILINE,
)


class Stated(NamedTuple):
    """A stated confidence in [0, 1], or `None` and the reason why there is none."""

    value: float | None
    reason: str = ""


def stated_percent(text: str, *, scale: int = 100, question: str = "") -> Stated:
    """Read the confidence a reply states, as a fraction; the last well-formed value wins.

    Marked values come before bare ones: "85%", "85 percent", "85/100", "nine out of ten", "Confidence: 85". A bare
    number counts if it stands alone on a line, or is the only one and nothing makes it the number of something else.
    "0.85" is 85 % on either scale; a bare "1" is 1 % where the question asked for 0 to 100 (`scale=100`) and certainty
    where it asked for 0 to 1 (`scale=1`); a scale that the reply itself names ("from 1 to 10") comes first. No value:
    nothing found, out of range, a range ("60 to 80"), a bound ("over 90", "90+"). Passed over: a negated one ("not 100%
    sure"), doubt ("10% doubt", "Uncertainty: 10%"), shares of other things ("70% of it is water"), a number labelled as
    the answer, and all sentences with numbers that repeat one of `question`.

    >>> stated_percent("I'd say 70%... no: 85 %."), stated_percent("between 60 and 80").value
    (Stated(value=0.85, reason=''), None)
    """
    text = _without(_prepared(text[-4000:]), _prepared(question[-4000:]))
    found = quantities(text)
    if not found:
        return Stated(None, "no number")
    found, scale = _apart_from_scale(text, found, scale)
    marked = [reading for i in range(len(found)) if (reading := _marked(text, found, i, scale)) is not None]
    return marked[-1] if marked else _bare(text, found, scale)


def first_decimal(text: str) -> Stated:
    """The first number with a decimal point, as released with LM-Polygraph: "1" and "90%" are none, a version may be.

    >>> first_decimal("Confidence: 0.8"), first_decimal("90%").value
    (Stated(value=0.8, reason=''), None)
    """
    found = re.search(r"\d+\.\d+", text)
    return _fraction(float(found[0]), 1, found[0]) if found else Stated(None, "no number with a decimal point")


def _prepared(text: str) -> str:
    """The text in figures and blanks: fields of confidence as labels, other tags as line ends, words as figures."""
    text = _FIELD.sub(lambda tag: f"\n{tag[1]}: " if tag[1] else "\n", figures(text)).replace("\\%", "%")
    text = re.sub(r"\s*\n\s*", "\n", re.sub(r"[^\S\n]+", " ", text)).strip()
    text = re.sub(r"<\s?([\d.,]+\s?%?)\s?>", r"\1", text)
    return _IN_WORDS.sub(lambda match: in_figures(match[0]), _HALVES.sub("50%", text))


def _without(text: str, question: str) -> str:
    """The text without the sentences of the question that hold a number."""
    for sentence in re.split(r"(?<=[.?!])\s|\n", question):
        if re.search(r"\d\D*[^\W\d]|[^\W\d]\D*\d", sentence):
            spaced = r"\s+".join(re.escape(word) for word in sentence.split())
            text = re.sub(spaced, "\n", text, flags=re.IGNORECASE)
    return text


def _apart_from_scale(text: str, found: list[Quantity], scale: int) -> tuple[list[Quantity], int]:
    """The numbers without those of a scale that the text names ("from 1 to 10"), and the upper end of that scale."""
    ends: set[Quantity] = set()
    for low, high in pairwise(found):
        span = low.value in (0, 1) and high.value in (1, 5, 10, 100) and low.value < high.value
        if span and _RANGE.fullmatch(text[low.end : high.start]):
            ends |= {low, high}
            if _SCALE.search(text[max(0, low.start - _WINDOW) : low.start]):
                scale = int(high.value)
    return [number for number in found if number not in ends], scale


def _marked(text: str, found: list[Quantity], i: int, scale: int) -> Stated | None:
    """The reading of number `i` if something marks it as a confidence, else `None`."""
    number = found[i]
    before = text[max(0, number.start - _WINDOW) : number.start].replace("\n", " ")
    between = text[found[i - 1].end : number.start] if i else ""
    later = text[number.end : found[i + 1].start] if i + 1 < len(found) else ""
    labelled, ranged = _LABEL.search(before), _RANGE.fullmatch(later) is not None
    whole = _whole(later, found[i + 1].value, labelled is not None) if later else None
    if (i and (_OUT_OF.fullmatch(between) or _PLUS_MINUS.fullmatch(between))) or not (
        number.percent or whole is not None or labelled or (ranged and found[i + 1].percent)
    ):
        return None
    end = number.end if whole is None else found[i + 1].end
    if _NEGATED.search(before) or _AGAINST.match(text, end) or _SHARE.match(text, end) or _DOUBT.search(before):
        return None
    if not labelled and _ANSWER.search(before):
        return None
    if _BOUND.search(before) or _BOUND_AFTER.match(text, end):
        return Stated(None, "a bound, not a value")
    ends = found[i : i + 2] if ranged else found[i - 1 : i + 1] if i and _RANGE.fullmatch(between) else []
    if ends:
        return Stated(None, "a range, not a value")
    if whole is not None:
        return _fraction(number.value, whole, f"{number.value:g} out of {whole:g}")
    return _fraction(number.value, 100, f"{number.value:g} %") if number.percent else _plain(text, number, scale)


def _whole(between: str, whole: float, labelled: bool) -> float | None:
    """What a number is a part of: "out of" anything; "/" and "in" 1, 10 or 100, and what is labelled also up to 20."""
    sign = _OUT_OF.fullmatch(between)
    if sign is None:
        return None
    if sign[0].strip() not in ("/", "in") or whole in (1, 10, 100) or (labelled and 1 < whole <= 20):
        return whole
    return None


def _bare(text: str, found: list[Quantity], scale: int) -> Stated:
    """The reading of unmarked numbers: the last that has a line for itself, or the only one if it can be it."""
    if len(found) == 2 and _RANGE.fullmatch(text[found[0].end : found[1].start]):
        return Stated(None, "a range, not a value")
    plain = [number for number in found if not number.percent]
    alone = [n for n in plain if re.fullmatch(r"[^\w<>≤≥+]*", _line(text, n).replace(text[n.start : n.end], "", 1))]
    if len(found) > 1 and not alone:
        return Stated(None, "several numbers, none marked as the confidence")
    if not plain:
        return Stated(None, "a number that is not the confidence")
    number = alone[-1] if alone else plain[0]
    before = text[max(0, number.start - _WINDOW) : number.start]
    if _BOUND.search(before) or _NEGATED.search(before) or _BOUND_AFTER.match(text, number.end):
        return Stated(None, "a bound or a negation, not a value")
    if not alone and (_ANSWER.search(before) or _DOUBT.search(before) or _AGAINST.match(text, number.end)):
        return Stated(None, "a number that is not the confidence")
    if not alone and not (_BARE_BEFORE.search(before) and _BARE_AFTER.match(text, number.end)):
        return Stated(None, "a number that nothing marks as the confidence")
    return _plain(text, number, scale)


def _line(text: str, number: Quantity) -> str:
    """The line a number stands on."""
    end = text.find("\n", number.end)
    return text[text.rfind("\n", 0, number.start) + 1 : end if end >= 0 else len(text)]


def _plain(text: str, number: Quantity, scale: int) -> Stated:
    """A number without a percent sign: below 1, or 1 with a decimal point, a fraction, else of the scale or percent."""
    value, written = number.value, text[number.start : number.end]
    if 0 <= value < 1 or (value == 1 and (scale == 1 or "." in written or "," in written)):
        return Stated(value)
    if scale == 1 and 1 < value < 10:
        return Stated(None, f"{value:g} is outside 0 to 1")
    whole = scale if value <= scale else 100
    return _fraction(value, whole, f"{value:g}")


def _fraction(part: float, whole: float, name: str) -> Stated:
    """`part` of `whole`, if that lies in [0, 1]."""
    if whole <= 0 or not 0 <= part <= whole:
        return Stated(None, f"{name} is out of range")
    return Stated(part / whole)

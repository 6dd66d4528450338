"""Numbers in texts, in figures and in small words."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from doxa.text.words import plain

_SEPARATORS = re.compile("(?<=\\d)[\u00a0\u2009\u202f_'’٬](?=\\d{3}(?!\\d))")
_SUPERSCRIPT = re.compile("(?<=[\\d)])[⁻⁰¹²³⁴-⁹]+")
_VULGAR = re.compile("(\\d{0,15})\\s?([¼-¾⅐-⅞])")
PERCENT = r"%|per[\s-]?cento?\b|pct\b|pro[cz]ent\b|pour[\s-]?cent\b|por[\s-]?c(?:i?ento)\b|процент\w*|パーセント"
_NUMBER = re.compile(
    r"(?<![\w.])(?:(?<![)\]])[-−])?"
    r"(?:(?<!\d,)[1-9]\d{0,2}(?:,\d{3})+(?![\d,])(?:\.\d+)?|(?<!\d,)(?:\d+,\d{1,2}|0,\d+)(?![\d,])|\d+(?:\.\d+)?|\.\d+)"
    r"(?:e[+-]?\d{1,3}(?!\w)|\s?[×x*]\s?10\^[-−]?\d{1,3})?"
    rf"(?!\.?\d)(?P<percent>[\s-]?(?=[%pпパ])(?:{PERCENT}))?",
    re.IGNORECASE,
)
_UNITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_TEENS = ("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_WORDS = {word: i for i, word in enumerate(_UNITS + _TEENS)} | {word: 10 * i for i, word in enumerate(_TENS, start=2)}
_SCALES = {"thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}


_LONGEST = 20_000


class Quantity(NamedTuple):
    """A number as it stands in `figures(text)` from `start` to `end`; `percent` if a percent sign follows."""

    value: float
    percent: bool
    start: int
    end: int


def figures(text: str) -> str:
    """The form of a text in which numbers are looked for: plain figures, powers as ``^``, no thousands blanks.

    Of a text longer than 20,000 characters only the first and the last 10,000 are read.
    """
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST // 2]}\n{text[-_LONGEST // 2 :]}"
    text = _VULGAR.sub(lambda m: f" {int(m[1] or 0) + unicodedata.numeric(m[2]):.6g} ", _SEPARATORS.sub("", text))
    text = _SUPERSCRIPT.sub(lambda m: "^" + m[0], text)
    return plain(text).replace("٫", ".").replace("٪", "%").replace("−", "-")


def quantities(text: str) -> list[Quantity]:
    """All numbers of `figures(text)` in their order.

    A comma before exactly three figures groups thousands ("1,234"); before one or two last ones it is a decimal
    comma ("85,5"), but in lists ("1,2,3") it separates. "10-5" holds 10 and 5, "B12" and "1.2.3" hold none.
    """
    found = []
    for match in _NUMBER.finditer(text):
        digits = match[0][: match.start("percent") - match.start()] if match["percent"] else match[0]
        found.append(Quantity(_value(digits), bool(match["percent"]), match.start(), match.end()))
    return [q for q in found if abs(q.value) < float("inf")]


def _value(digits: str) -> float:
    """The value of one matched number."""
    if digits.isdigit():
        return float(digits)
    digits = digits.lower().replace(" ", "").replace("\t", "")
    if re.search(r"^[-−]?0,|\d,\d{1,2}(?!\d)", digits):
        digits = digits.replace(",", ".")
    digits = digits.replace(",", "")
    mantissa, power, exponent = re.sub("[×x*]10\\^", "p", digits).partition("p")
    return float(f"{mantissa}e{exponent}") if power else float(mantissa)


def numbers(text: str) -> list[float]:
    """All numbers of a text, in order, as they are written ("85 %" is 85).

    >>> numbers("from −1,234.5 to ３ × 10⁸, not B12")
    [-1234.5, 300000000.0]
    """
    return [quantity.value for quantity in quantities(figures(text))]


def last_number(text: str) -> float | None:
    """The last number of a text, or `None`."""
    return next(iter(numbers(text)[::-1]), None)


_UNIT = "|".join(_UNITS)
_SPELLED = re.compile(
    rf"(?:(?P<hundred>(?:a |one )?hundred)|(?P<ten>{'|'.join(_TENS)})(?:[- ](?P<unit>{'|'.join(_UNITS[1:10])}))?"
    rf"|(?P<low>{'|'.join(sorted(_UNITS + _TEENS, key=len, reverse=True))}))\b"
    rf"(?: point (?P<digits>(?:{_UNIT})(?: (?:{_UNIT}))*))?",
    re.IGNORECASE,
)
SPELLED = re.sub(r"\?P<\w+>", "?:", _SPELLED.pattern)
"""A pattern of numbers up to a hundred in English words: nine, ninety-five, ninety-nine point five, a hundred."""


def in_figures(text: str) -> str:
    """The text with its `SPELLED` numbers in figures.

    >>> in_figures("ninety-nine point five of a hundred")
    '99.5 of 100'
    """

    def figure(match: re.Match[str]) -> str:
        parts = [match[part].lower() for part in ("ten", "unit", "low") if match[part]]
        whole = 100 if match["hundred"] else sum(_WORDS[part] for part in parts)
        digits = "".join(str(_WORDS[word.lower()]) for word in (match["digits"] or "").split())
        return f"{whole}.{digits}" if digits else str(whole)

    return re.sub(rf"\b(?:{_SPELLED.pattern})", figure, text, flags=re.IGNORECASE)


def number_word(text: str) -> float | None:
    """The value of an English number in words if the text starts with one, else `None`.

    >>> number_word("Forty-two apples"), number_word("minus one hundred and five"), number_word("someone")
    (42.0, -105.0, None)
    """
    words = plain(text[:200]).casefold().replace("-", " ").strip(" .*:").split()
    sign = -1.0 if words and words[0] in ("minus", "negative") else 1.0
    total = current = 0
    read = False
    for word in (w.strip(".,;:!*") for w in (words[1:] if sign < 0 else words)):
        if word in _WORDS:
            current, read = current + _WORDS[word], True
        elif word == "hundred":
            current, read = max(current, 1) * 100, True
        elif word in _SCALES:
            total, current, read = total + max(current, 1) * _SCALES[word], 0, True
        elif not (read and word == "and"):
            break
    return sign * (total + current) if read else None

"""Words: one written form for equal texts, whole-word search, and text that is safe to print."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th"})
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]")
_APOSTROPHES = re.compile("['’‘ʼʻ`´′]")
_ELISION = re.compile(r"\b(?:l|d|qu|dell|all|nell)'|'(?=[dt][ıiuü]r\b)")
_ARTICLE = re.compile(r"(?<!\S)(?:the|an?)\s+(?=\S)")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_MINUS = re.compile(r"(?<!\w)[-−](?=\d)")
_KEPT = "+#%"
_LONGEST_KEPT = 4000
_UNSPACED = "\u0e00-\u0eff\u0f00-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u9fff"
_HANGUL = "\uac00-\ud7a3"

_ESCAPES = re.compile("\x1b(?:\\[[0-?]*[ -/]*[@-~]|\\][^\x07\x1b]*(?:\x07|\x1b\\\\)|[ -/]*[0-~])")
_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff"
    "\ufff9-\ufffb]"
)
_BREAKS = re.compile("\r\n?|[\u0085\u2028\u2029]")
_SURROGATES = re.compile("[\ud800-\udfff]")


def clean(text: str) -> str:
    r"""Make text safe to print: no control, escape, bidirectional or invisible characters but ``\n`` and ``\t``.

    Line ends become ``\n``; lone surrogates are written out, so that the result always encodes as UTF-8.

    >>> clean("a\x1b[31mb\u202ec\r\nd\ud800")
    'abc\nd\\ud800'
    """
    return encodable(_CONTROLS.sub("", _ESCAPES.sub("", _BREAKS.sub("\n", text))))


def encodable(text: str) -> str:
    r"""The text with lone surrogates written out, so that it encodes as UTF-8; JSON and command lines may hold them.

    >>> encodable("half a \ud83d")
    'half a \\ud83d'
    """
    return _SURROGATES.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def plain(text: str) -> str:
    """Unicode compatibility form (fullwidth digits become digits) without invisible characters.

    Runs of more than 30 combining marks are cut, as in Unicode's stream-safe format: ordering them costs their square.
    """
    marks = "".join(c for c in set(text) if unicodedata.combining(c))
    if marks:
        text = re.sub(f"([{marks}]{{30}})[{marks}]+", r"\1", text)
    return unicodedata.normalize("NFKC", _INVISIBLE.sub("", text))


def normalise(text: str) -> str:
    """One form for texts that say the same: case, accents, punctuation, English articles and blanks do not count.

    Marks that are letters of their own (Indic vowels, Thai tones, Japanese voicing) stay. An article at the very end
    stays too: it is then a word of its own ("vitamin A").

    >>> normalise("The  Côte d’Ivoire!"), normalise("A"), normalise("São Tomé")
    ('cote d ivoire', 'a', 'sao tome')
    """
    return _remembered(text) if len(text) <= _LONGEST_KEPT else _normalised(text)


def _normalised(text: str) -> str:
    text = _APOSTROPHES.sub("'", plain(text).casefold().translate(_LETTERS))
    text = _THOUSANDS.sub("", _ELISION.sub(lambda match: match[0].replace("'", " "), text)).replace("'", "")
    text = _MINUS.sub("\ue000", unicodedata.normalize("NFD", text))
    text = text.translate({ord(c): _replacement(c) for c in set(text)}).replace("\ue000", "-")
    return " ".join(_ARTICLE.sub("", unicodedata.normalize("NFC", text)).split())


_remembered = lru_cache(maxsize=4096)(_normalised)  # every estimator of a question normalises the same few replies


@lru_cache(maxsize=4096)  # texts are written in few characters
def _replacement(character: str) -> str:
    """What stands for one character of decomposed text: itself, a blank for punctuation, nothing for an accent."""
    weight = unicodedata.combining(character)
    if 10 <= weight <= 36 or 200 <= weight <= 240:
        return ""
    category = unicodedata.category(character)
    if (category[0] == "P" or category in ("Sk", "Sm")) and character not in _KEPT:
        return " "
    return character


def contains_phrase(haystack: str, needle: str) -> bool:
    """Whether the words of `needle` stand in `haystack` as whole words, in order; both are normalised first.

    Scripts written without blanks (Chinese, Japanese, Thai …) have no word edges; Korean has none at a word's end.

    >>> contains_phrase("It is Parisian.", "Paris"), contains_phrase("It's PARIS!", "paris")
    (False, True)
    """
    return stands_in(normalise(haystack), normalise(needle))


def stands_in(words: str, wanted: str) -> bool:
    """`contains_phrase` for texts that are normalised already."""
    if not wanted or wanted not in words:
        return False
    left = "" if re.match(f"[{_UNSPACED}]", wanted) else rf"(?<![^\s{_UNSPACED}])"
    right = "" if re.search(f"[{_UNSPACED}{_HANGUL}]$", wanted) else rf"(?![^\s{_UNSPACED}])"
    return re.search(left + re.escape(wanted) + right, words) is not None

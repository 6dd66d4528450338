"""Where a text holds private data: telephone numbers, accounts, cards, national numbers, addresses, dates, names."""

from __future__ import annotations

import calendar
import importlib
import ipaddress
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any

from doxa.errors import UsageError

KINDS = ("EMAIL", "IBAN", "CARD", "ID", "IP", "DATE", "PHONE", "PERSON")
"""Kinds of private data; where two overlap the first is meant."""
VERSION = "pii/1"
_EMAIL = re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)*\.[^\W\d_]{2,}")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}\b")
_CARD = re.compile(r"\b\d(?:[ -]?\d){12,18}\b")
_ID = re.compile(r"\b\d{3}[ -]\d{2,3}[ -]\d{4}\b")
_IP = re.compile(r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]+(?::[0-9A-Fa-f]*){2,7})(?![\w:]|\.\d)")
_MONTHS = MappingProxyType({name: number for number, name in enumerate(calendar.month_name) if name})
_MONTH = "|".join(_MONTHS)
_DATE = re.compile(
    rf"\b(?:(?P<y>\d{{4}})-(?P<m>\d\d)-(?P<d>\d\d)|(?P<d2>\d\d?) (?P<m2>{_MONTH}) (?P<y2>\d{{4}})"
    rf"|(?P<m3>{_MONTH}) (?P<d3>\d\d?), (?P<y3>\d{{4}}))\b"
)
_TITLE = r"(?:Dr|Mr|Mrs|Ms|Prof)\b\.? "
_NAME = rf"(?!{_TITLE})[^\W\d_a-zß-ÿ](?:[^\W\d_A-ZÀ-Þ]|['’][^\W\d_])(?:[\w-]|['’](?!s\b))*"
_PERSON = re.compile(rf"(?P<title>{_TITLE})?(?P<name>\b{_NAME}(?: {_NAME}){{0,2}})\b")
_STARTS = """
    A After All An And As Ask At Before But By Call Contact Dear For From He Hello Her Hi His How I If In Is It Its My
    No Of On Or Our Please She So That The Their Then They This To Was We What When Where Which Who Whose Why With Yes
    You Your
"""
_NO_NAME = frozenset((*_STARTS.split(), *calendar.month_name, *calendar.day_name))
"""Words with a capital letter that begin no name."""


@dataclass(frozen=True, slots=True)
class Found:
    """Private data at `[start, end)` of a text; two with the same kind and `value` are the same, however written."""

    start: int
    end: int
    kind: str
    value: str

    @property
    def unit(self) -> str:
        """What is counted once."""
        return f"{self.kind} {self.value}"


class PII:
    """Finds private data in English text, on this machine and without a model.

    Telephone numbers are found by `phonenumbers`, the port of Google's libphonenumber; those without a country's code
    are read as of `region`. Numbers of bank accounts (IBAN), of cards (Luhn) and the US and UK national numbers (Social
    Security, NHS) are checked by `python-stdnum`; network addresses and dates (2001-12-31, 31 December 2001,
    December 31, 2001) by the standard library; e-mail addresses have the usual form. There is no recogniser of names:
    a person is whatever follows a title, and two or three words with a capital letter in a row, but for words that
    begin sentences, months and days. So places of two words are taken for persons, and a first name alone is missed,
    as are postal addresses and everything that tells who somebody is without such a mark. What is not found is not
    protected. Raises `UsageError` without the two packages or for a region that does not exist.
    """

    def __init__(self, region: str = "US") -> None:
        """Load the packages."""
        self._phones = _package("phonenumbers")
        if region not in self._phones.SUPPORTED_REGIONS:
            raise UsageError(f"{region!r} is no region", hint="two letters, as US, GB or DE")
        checks = ("stdnum.iban", "stdnum.luhn", "stdnum.us.ssn", "stdnum.gb.nhs")
        iban, luhn, ssn, nhs = (_package(each).is_valid for each in checks)
        self._forms: dict[str, tuple[re.Pattern[str], Callable[[str], bool]]] = {
            "EMAIL": (_EMAIL, lambda text: True),
            "IBAN": (_IBAN, iban),
            "CARD": (_CARD, luhn),
            "ID": (_ID, lambda text: bool(ssn(text) or nhs(text))),
            "IP": (_IP, _is_address),
        }
        self._region = region
        self.fingerprint = f"{VERSION}\n{region}\n{self._phones.__version__}\n{_package('stdnum').__version__}"

    def find(self, text: str) -> list[Found]:
        """All private data of a text, in its order; none overlap.

        >>> [each.unit for each in PII().find("Ask Maria Keller, +44 20 7946 0123, or m.keller@example.org.")]
        ['PERSON maria keller', 'PHONE +442079460123', 'EMAIL m.keller@example.org']
        """
        kept: list[Found] = []
        for found in (*self._checked(text), *_dates(text), *self._telephones(text), *_persons(text)):
            if all(found.end <= other.start or other.end <= found.start for other in kept):
                kept.append(found)
        return sorted(kept, key=lambda each: each.start)

    def _checked(self, text: str) -> Iterator[Found]:
        """What has a form, and passes the check of its kind."""
        for kind, (form, valid) in self._forms.items():
            for match in form.finditer(text):
                plain = match[0] if kind in ("EMAIL", "IP") else re.sub(r"[ -]", "", match[0])
                if valid(plain):
                    yield Found(*match.span(), kind, plain.casefold())

    def _telephones(self, text: str) -> Iterator[Found]:
        """Valid numbers, in the international form."""
        library = self._phones
        for match in library.PhoneNumberMatcher(text, self._region):
            value = library.format_number(match.number, library.PhoneNumberFormat.E164)
            yield Found(match.start, match.end, "PHONE", value)


def _package(name: str) -> Any:
    """Import a package of the `privacy` extra."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        lacking = f"finding private data needs the package {name.partition('.')[0]}"
        raise UsageError(lacking, hint="pip install 'doxa[privacy]'") from error


def _is_address(text: str) -> bool:
    """Whether it is an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _dates(text: str) -> Iterator[Found]:
    """Days that exist, as YYYY-MM-DD."""
    for match in _DATE.finditer(text):
        year, month, day = (
            next(value for value in (match[part], match[f"{part}2"], match[f"{part}3"]) if value) for part in "ymd"
        )
        try:
            value = date(int(year), _MONTHS.get(month) or int(month), int(day)).isoformat()
        except ValueError:
            continue
        yield Found(*match.span(), "DATE", value)


def _persons(text: str) -> Iterator[Found]:
    """Runs of words with a capital letter, without words before them that begin no name; of one word after a title."""
    for match in _PERSON.finditer(text):
        words, start = match["name"].split(" "), match.start("name")
        while words and words[0] in _NO_NAME:
            start += len(words.pop(0)) + 1
        while words and words[-1] in _NO_NAME:
            words.pop()
        name = " ".join(words)
        if len(words) > 1 or (words and match["title"]):
            yield Found(start, start + len(name), "PERSON", name.casefold())

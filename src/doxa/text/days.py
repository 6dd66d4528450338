"""Dates and durations in texts."""

from __future__ import annotations

import re
from datetime import date, timedelta

from doxa.text.words import plain

_MONTH_NAMES = "january february march april may june july august september october november december"
_MONTHS = tuple(_MONTH_NAMES.split())
_MONTH = r"(?P<month>[a-z]{3,9})\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_DATE = re.compile(
    r"(?<![\w.])(?:"
    r"(?P<iso>\d{4}[-/.]\d{1,2}[-/.]\d{1,2})"
    r"|(?P<short>\d{1,2}(?P<mark>[-/.])\d{1,2}(?P=mark)\d{4})"
    rf"|{_DAY}\s(?:of\s)?{_MONTH},?\s(?P<year>\d{{4}})"
    rf"|{_MONTH.replace('month', 'month2')}\s(?:the\s)?{_DAY.replace('day', 'day2')},?\s(?P<year2>\d{{4}})"
    r")(?!\d)",
    re.IGNORECASE,
)
_DURATION = re.compile(
    r"(?<![\w.])(\d{1,9}(?:\.\d{1,6})?|an?|one)[\s-]?(week|day|hour|minute|second)s?\b", re.IGNORECASE
)


def dates(text: str) -> list[date]:
    """All dates of a text in order: 2021-05-03, 3 May 2021, May 3rd, 2021; 25/12/2021 where only one reading exists.

    >>> dates("On 03/05/2021? No, on 2021-05-03, a week after 04/26/2021.")
    [datetime.date(2021, 5, 3), datetime.date(2021, 4, 26)]
    """
    text = re.sub(r"\s+", " ", plain(text))
    return [day for match in _DATE.finditer(text) if (day := _read(match)) is not None]


def _read(match: re.Match[str]) -> date | None:
    """One match as a date; `None` if there is no such day, or two readings."""
    if match["iso"]:
        year, month, day = (int(part) for part in re.split("[-/.]", match["iso"]))
    elif match["short"]:
        first, second, year = (int(part) for part in re.split("[-/.]", match["short"]))
        if first <= 12 and second <= 12 and first != second:
            return None
        day, month = (second, first) if second > 12 else (first, second)
    else:
        word = (match["month"] or match["month2"]).casefold()
        month = next((i for i, name in enumerate(_MONTHS, start=1) if _abbreviates(word, name)), 0)
        day, year = int(match["day"] or match["day2"]), int(match["year"] or match["year2"])
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _abbreviates(word: str, month: str) -> bool:
    """Whether `word` is a month's name, its first three letters, or "sept"."""
    return word in (month, month[:3]) or (word == "sept" and month == "september")


def durations(text: str) -> list[timedelta]:
    """All durations of a text with a fixed length: weeks, days, hours, minutes, seconds.

    >>> durations("two minutes? No: 3 weeks and a day")
    [datetime.timedelta(days=21), datetime.timedelta(days=1)]
    """
    found = []
    for count, unit in _DURATION.findall(plain(text)):
        amount = 1.0 if count.casefold() in ("a", "an", "one") else float(count)
        try:
            found.append(timedelta(**{unit.casefold() + "s": amount}))
        except OverflowError:
            continue
    return found

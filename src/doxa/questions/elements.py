"""Chemical elements: names, symbols, atomic numbers."""

from __future__ import annotations

from dataclasses import dataclass

from doxa.questions.facts.packages import package
from doxa.questions.facts.sampling import sample
from doxa.types import Kind, Question

_ALSO = {"Al": ("aluminium",), "Cs": ("caesium",), "S": ("sulphur",)}


@dataclass(frozen=True)
class Elements:
    """Symbol to name, name to symbol, and name to atomic number, for each of the 118 elements.

    Facts: periodictable. Difficulty is by atomic number, a proxy for how common an element is: up to 36 is easy, above
    86 hard. The three questions on one element share a cluster.
    """

    n: int | None = None
    """At most this many, chosen by `seed`."""
    seed: int = 0

    def questions(self) -> list[Question]:
        """Three questions an element, by atomic number."""
        elements = (element for element in package("periodictable").elements if element.number > 0)
        made = [q for element in elements for q in _about(element.number, element.symbol, element.name)]
        return sample(made, self.n, self.seed)


def _about(number: int, symbol: str, name: str) -> list[Question]:
    """The three questions on one element."""
    asked: tuple[tuple[str, str, Kind, tuple[str, ...]], ...] = (
        ("name", f"Which chemical element has the symbol {symbol}?", "open", (name, *_ALSO.get(symbol, ()))),
        ("symbol", f"What is the chemical symbol of {name}?", "open", (symbol,)),
        ("number", f"What is the atomic number of {name}?", "number", (str(number),)),
    )
    difficulty = "easy" if number <= 36 else "medium" if number <= 86 else "hard"
    return [
        Question(
            id=f"elements/{symbol.lower()}/{what}",
            text=text,
            answers=answers,
            kind=kind,
            cluster=f"element/{symbol}",
            tags={"bank": "elements", "language": "en", "asked": what, "difficulty": difficulty},
        )
        for what, text, kind, answers in asked
    ]

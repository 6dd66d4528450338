"""Sums, graded by operation and number of digits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from doxa.questions.facts.sampling import sample
from doxa.types import Question

_OPERATIONS = ("add", "subtract", "multiply", "divide", "modulo", "square", "round")
_DIGITS = (1, 2, 3, 4, 5)


@dataclass(frozen=True)
class Arithmetic:
    """Seven operations on numbers of one to five digits; every answer is a whole number.

    After CalibratedMath (Lin, Hilton and Evans 2022, arXiv 2205.14334), whose tasks are likewise graded by operation
    and digits. Difficulty: one step for each operation that is not add, subtract or round, one for three digits, one
    more for four; no step is easy, one medium, more hard.
    """

    each: int = 4
    """Questions for each operation and number of digits."""
    n: int | None = None
    """At most this many, chosen by `seed`."""
    seed: int = 0

    def questions(self) -> list[Question]:
        """All questions, by operation, digits and place."""
        cells = ((operation, digits) for operation in _OPERATIONS for digits in _DIGITS)
        return sample([q for operation, digits in cells for q in self._cell(operation, digits)], self.n, self.seed)

    def _cell(self, operation: str, digits: int) -> Iterator[Question]:
        """The questions for one operation and number of digits, each sum once."""
        random = Random(f"{self.seed}/{operation}/{digits}")
        drawn = dict(_draw(operation, digits, random) for _ in range(20 * self.each))
        steps = (operation not in ("add", "subtract", "round")) + (digits > 2) + (digits > 3)
        for place, (text, answer) in enumerate(list(drawn.items())[: self.each]):
            yield Question(
                id=f"arithmetic/{self.seed}/{operation}/{digits}/{place}",
                text=text,
                answers=(str(answer),),
                kind="number",
                tags={
                    "bank": "arithmetic",
                    "language": "en",
                    "operation": operation,
                    "digits": str(digits),
                    "difficulty": ("easy", "medium", "hard", "hard")[steps],
                },
            )


def _draw(operation: str, digits: int, random: Random) -> tuple[str, int]:
    """One sum in words, with its value."""
    low, high = 10 ** (digits - 1), 10**digits - 1
    a, b = random.randint(max(low, 2), high), random.randint(max(low, 2), high)
    match operation:
        case "add":
            return f"What is {a} + {b}?", a + b
        case "subtract":
            return f"What is {a} - {b}?", a - b
        case "multiply":
            return f"What is {a} × {b}?", a * b
        case "divide":
            return f"What is {a * b} ÷ {b}?", a
        case "modulo":
            divisor = random.randint(2, 9 if digits < 3 else 99)
            return f"What is the remainder when {a} is divided by {divisor}?", a % divisor
        case "square":
            return f"What is the square of {a}?", a * a
    unit = 10 ** max(1, digits - 1)
    nearest = (a + unit // 2) // unit * unit
    return f"What is {a} rounded to the nearest multiple of {unit}, halves up?", nearest

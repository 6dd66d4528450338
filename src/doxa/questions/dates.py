"""Sums with dates and durations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from doxa.questions.facts.sampling import sample
from doxa.types import Kind, Question

_ASKED = ("after", "before", "between", "weekday", "minutes")
_SPANS = {"easy": (2, 9), "medium": (10, 99), "hard": (100, 999)}
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTH_NAMES = "January February March April May June July August September October November December"


@dataclass(frozen=True)
class Dates:
    """The date some days after or before another, the days between two, the weekday a span after a given one, minutes.

    Dates lie in 1950 to 2049 of the Gregorian calendar. Difficulty is by the length of the span: below ten days (hours
    for minutes) is easy, from a hundred on hard.
    """

    each: int = 6
    """Questions for each thing asked and difficulty."""
    n: int | None = None
    """At most this many, chosen by `seed`."""
    seed: int = 0

    def questions(self) -> list[Question]:
        """All questions, by what is asked, difficulty and place."""
        cells = ((asked, level, place) for asked in _ASKED for level in _SPANS for place in range(self.each))
        return sample([self._question(asked, level, place) for asked, level, place in cells], self.n, self.seed)

    def _question(self, asked: str, level: str, place: int) -> Question:
        """One question."""
        random = Random(f"{self.seed}/{asked}/{level}/{place}")
        day = date(1950, 1, 1) + timedelta(days=random.randrange(36_500))
        text, answer, kind = _ask(asked, day, random.randint(*_SPANS[level]), random)
        return Question(
            id=f"dates/{self.seed}/{asked}/{level}/{place}",
            text=text,
            answers=(answer,),
            kind=kind,
            tags={"bank": "dates", "language": "en", "asked": asked, "difficulty": level},
        )


def _ask(asked: str, day: date, span: int, random: Random) -> tuple[str, str, Kind]:
    """A question's text, answer and kind."""
    later, earlier = day + timedelta(days=span), day - timedelta(days=span)
    match asked:
        case "after":
            return f"What date is {span} days after {_written(day)}?", later.isoformat(), "date"
        case "before":
            return f"What date is {span} days before {_written(day)}?", earlier.isoformat(), "date"
        case "between":
            return f"How many days are there from {_written(day)} to {_written(later)}?", str(span), "number"
        case "weekday":
            today, then = _WEEKDAYS[day.weekday()], _WEEKDAYS[later.weekday()]
            return f"If today is {today}, what day of the week is it in {span} days?", then, "open"
    minutes = random.randint(1, 59)
    return f"How many minutes are {span} hours and {minutes} minutes?", str(60 * span + minutes), "number"


def _written(day: date) -> str:
    """A date as "3 May 2021", whatever the machine's language."""
    return f"{day.day} {_MONTH_NAMES.split()[day.month - 1]} {day.year}"

"""Answers that misleading hints point at, made without knowing which answer is right."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from random import Random

from doxa.prompts import letters
from doxa.types import Kind

_SYLLABLES = ("ba", "del", "fo", "gri", "hal", "mu", "nor", "pe", "quo", "ris", "ta", "vel")
_DAYS = 365


def pointed_at(kind: Kind, options: int, own: str, rivals: Sequence[str], random: Random) -> str:
    """An answer for a hint, given the normalised form of the model's `own` answer.

    Choice: the letter of any of the `options`, and boolean: Yes or No, which may be the own answer. Number: the own one
    and a random whole number of at most its size. Date: the own one and up to a year. Open: one of `rivals`, answers
    that the model also gives; a made-up word where there are none.
    """
    match kind:
        case "choice":
            return random.choice(letters(options))
        case "boolean":
            return random.choice(("Yes", "No"))
        case "number":
            value = float(own)
            size = max(1, int(abs(value)))
            return f"{value + random.randint(-size, size):.12g}"
        case "date":
            day = datetime.date.fromisoformat(own).toordinal() + random.randint(-_DAYS, _DAYS)
            return datetime.date.fromordinal(min(max(day, 1), datetime.date.max.toordinal())).isoformat()
        case "open":
            return random.choice(rivals) if rivals else _made_up(random)


def _made_up(random: Random) -> str:
    """A word that means nothing."""
    return "".join(random.choice(_SYLLABLES) for _ in range(3)).capitalize()

"""How far a worker is, and what it says of that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from doxa import errors
from doxa.errors import DoxaError
from doxa.inquiry import Caller
from doxa.types import Usage


@dataclass(frozen=True, slots=True)
class Tally:
    """What workers have done since the run began or went on, in lives that were ended too."""

    done: int = 0
    """Questions that are told."""
    usage: Usage = field(default_factory=Usage)
    saved: int = 0
    failures: Mapping[str, int] = field(default_factory=dict)
    unfinished: int = 0
    taken: int = 0
    """Calls that count against the limit."""
    cost: float | None = 0.0
    restarts: int = 0
    """Workers that were started again, where that is known: Ray keeps it to itself."""

    @classmethod
    def total(cls, tallies: Iterable[Tally]) -> Tally:
        """The sum of what several workers have done."""
        found = list(tallies)
        failures: dict[str, int] = {}
        for tally in found:
            for kind, number in tally.failures.items():
                failures[kind] = failures.get(kind, 0) + number
        costs = [tally.cost for tally in found]
        return cls(
            sum(tally.done for tally in found),
            sum((tally.usage for tally in found), Usage()),
            sum(tally.saved for tally in found),
            failures,
            sum(tally.unfinished for tally in found),
            sum(tally.taken for tally in found),
            None if None in costs else sum(cost for cost in costs if cost),
            sum(tally.restarts for tally in found),
        )

    def hand_to(self, caller: Caller) -> None:
        """Let a caller speak for the workers too: what they paid for, it will find in the journal without saving it.

        Their failures are not handed on: what has no answer is asked again, and counts if it fails then.
        """
        caller.spent += self.usage
        caller.saved -= self.usage.calls


@dataclass(frozen=True, slots=True)
class Word:
    """One message of a worker: how far it is, whether that is all, and the error that ended it."""

    tally: Tally
    last: bool = False
    error: tuple[str, str, str] | None = None
    """Class, message and hint."""

    @classmethod
    def of(cls, error: DoxaError, tally: Tally) -> Word:
        """The last word of a worker that met an error."""
        return cls(tally, True, (type(error).__name__, str(error), error.hint))

    def check(self) -> None:
        """Raise the worker's error, if there is one."""
        if self.error is not None:
            name, message, hint = self.error
            raise getattr(errors, name, DoxaError)(message, hint=hint)


encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(Word).decode

"""Alarms that may be looked at after every answer: gamblers whose capital grows only where something has changed.

Who bets at fair odds multiplies the capital by `1 / level` ever with a probability of at most `level` (Ville 1939). So
an alarm at that capital is false at most that often, however long one watches and whenever one looks. `Drift` bets that
new values are not exchangeable with old ones, `Invalidity` that outcomes do not have the probabilities that were told.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right, insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from doxa.errors import DataError
from doxa.metrics.maths.checks import Floats, check, numbers

BETS = (-1.0, -0.5, -0.25, 0.0, 0.25, 0.5, 1.0)
"""Stakes on a signal; 0 keeps the capital."""
RATES = (1e-2, 1e-3, 1e-4)
"""Shares of the capital that change their stake at every step, as in Vovk, Petej and Gammerman 2021."""
_BUFFER = 2048


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a gambler has seen and won; capitals are decimal logarithms, and start at 0."""

    seen: int
    capital: float
    peak: float
    """The largest capital so far."""
    needed: float
    """The capital at which the alarm is raised."""
    raised: int | None
    """After how many values it was raised; `None` while it is not."""


@dataclass(slots=True)
class Gambler:
    """The composite jumper: capital spread over signals, rates and stakes, each cell multiplied by 1 + stake · signal.

    It is fair where each signal, which lies in [-1, 1], has the mean 0 given all before. Of each signal's and rate's
    capital a share `rate` is spread over the stakes anew at every step, so that a change is found late too. With one
    signal p − 1/2, the stakes -1, 0 and 1 and the rate 0.01 it is the simple jumper of Vovk et al. 2021 (arXiv
    2102.10439); several rates are those of Vovk, Petej and Gammerman 2021 (arXiv 2107.01726).
    """

    signals: int
    level: float = 0.01
    bets: tuple[float, ...] = BETS
    rates: tuple[float, ...] = RATES
    seen: int = 0
    log: float = 0.0
    peak: float = 0.0
    raised: int | None = None
    shares: Floats = field(default_factory=lambda: np.zeros(0))
    """Shares of the capital (signal, rate, stake); their sum is 1."""

    def __post_init__(self) -> None:
        """Check the level, and spread the capital evenly to begin with."""
        if not 0 < self.level < 1:
            raise DataError(f"level={self.level!r}", hint="the probability of a false alarm lies between 0 and 1")
        shape = (self.signals, len(self.rates), len(self.bets))
        self.shares = self.shares.reshape(shape) if self.shares.size else np.full(shape, 1 / math.prod(shape))

    def bet(self, signals: Floats) -> Evidence:
        """Bet on each row of (n, signals) in turn."""
        stakes, rates = np.asarray(self.bets), np.asarray(self.rates)[:, None]
        kept, needed, shares = 1 - rates, -math.log(self.level), self.shares
        for factor in 1 + signals[:, :, None, None] * stakes:
            shares = (kept * shares + rates * shares.mean(-1, keepdims=True)) * factor
            total = float(shares.sum())
            shares = shares / total
            self.log += math.log(total)
            self.seen += 1
            self.peak = max(self.peak, self.log)
            if self.raised is None and self.log >= needed:
                self.raised = self.seen
        self.shares = shares
        return self.evidence

    @property
    def evidence(self) -> Evidence:
        """How it stands."""
        ten = math.log(10)
        return Evidence(self.seen, self.log / ten, self.peak / ten, -math.log10(self.level), self.raised)

    def to_json(self) -> dict[str, Any]:
        """The state as JSON-able values."""
        names = ("signals", "level", "seen", "log", "peak", "raised")
        state = {name: getattr(self, name) for name in names}
        return {**state, "bets": list(self.bets), "rates": list(self.rates), "shares": self.shares.ravel().tolist()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The gambler that `to_json` described."""
        lists = {"bets": tuple(data["bets"]), "rates": tuple(data["rates"]), "shares": np.asarray(data["shares"])}
        return cls(**{**data, **lists})


class Ranks:
    """A growing bag of numbers that counts how many are larger, and how many equal: O(log n), amortised."""

    def __init__(self, values: Floats) -> None:
        self._sorted = np.sort(values)
        self._recent: list[float] = []

    def __len__(self) -> int:
        """How many numbers there are."""
        return len(self._sorted) + len(self._recent)

    @property
    def values(self) -> Floats:
        """All numbers, in order."""
        return np.sort(np.concatenate([self._sorted, self._recent]))

    def place(self, values: Floats) -> tuple[Floats, Floats]:
        """For each value in turn, how many earlier ones are larger and how many equal; then it is one of them."""
        larger, equal = np.empty(len(values)), np.empty(len(values))
        for start in range(0, len(values), _BUFFER):
            part = values[start : start + _BUFFER]
            low, high = (np.searchsorted(self._sorted, part, side) for side in ("left", "right"))
            for i, value in enumerate(part.tolist()):
                left, right = bisect_left(self._recent, value), bisect_right(self._recent, value)
                larger[start + i] = len(self._sorted) - high[i] + len(self._recent) - right
                equal[start + i] = high[i] - low[i] + right - left
                insort(self._recent, value)
            if len(self._recent) >= _BUFFER:
                self._sorted, self._recent = self.values, []
        return larger, equal


def conformal(larger: ArrayLike, equal: ArrayLike, earlier: ArrayLike, chance: ArrayLike) -> Floats:
    """Conformal p-values (larger + chance · (equal + 1)) / (earlier + 1): the smaller, the more a value is on top.

    Where values are exchangeable and `chance` is drawn evenly from [0, 1] they are independent and uniform, whatever
    ties there are. Vovk, Nouretdinov and Gammerman 2003, Testing Exchangeability On-Line.
    """
    larger, equal, earlier, chance = (np.asarray(each, np.float64) for each in (larger, equal, earlier, chance))
    return np.asarray((larger + chance * (equal + 1)) / (earlier + 1))


class Drift:
    """Are new values exchangeable with the reference and with each other? Needs no outcomes.

    Each value's conformal p-value among all before it is bet on twice: that values have become larger or smaller, and
    that they lie more in the middle or more at the ends than they did. Ties are broken by a stream that depends on
    `seed` and the value's number alone. An alarm is false with a probability of at most `level`, ever.
    """

    def __init__(self, reference: ArrayLike, *, level: float = 0.01, seed: int = 0) -> None:
        self._ranks = Ranks(numbers("reference", reference))
        self._gambler = Gambler(2, level)
        self.seed = seed

    def update(self, values: ArrayLike) -> Evidence:
        """Take further values, in the order of their arrival."""
        new = numbers("values", values)
        earlier = len(self._ranks) + np.arange(len(new))
        p = conformal(*self._ranks.place(new), earlier, self._chance(len(new)))
        return self._gambler.bet(np.stack([p, np.abs(2 * p - 1)], axis=1) - 0.5)

    @property
    def evidence(self) -> Evidence:
        """How it stands."""
        return self._gambler.evidence

    def _chance(self, n: int) -> NDArray[np.float64]:
        """The next n numbers of the stream; each step of its counter gives four, of which the first is taken."""
        stream = np.random.Philox(key=self.seed).advance(self._gambler.seen)
        return np.random.Generator(stream).random(4 * n)[::4]

    def to_json(self) -> dict[str, Any]:
        """The state as JSON-able values: the distinct values, how often each was there, and the capital."""
        values, counts = np.unique(self._ranks.values, return_counts=True)
        bag = {"values": values.tolist(), "counts": counts.tolist(), "seed": self.seed}
        return {**bag, "gambler": self._gambler.to_json()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The watch that `to_json` described."""
        found = cls(np.repeat(np.asarray(data["values"], np.float64), data["counts"]), seed=data["seed"])
        found._gambler = Gambler.from_json(data["gambler"])
        return found


class Invalidity:
    """Do outcomes have the probabilities that were told for them? Outcomes may come late, and in any order.

    Any order, that is, which does not depend on the outcomes themselves: where errors are reported sooner than
    successes, it sees errors. Bets on y − p, that all probabilities are too low or too high, and on (y − p)(2p − 1),
    that they are too timid or too bold. Each bet wins or loses a bounded share, so that no single outcome raises the
    alarm, even one that was called impossible. In the spirit of Seillier-Moiseiwitsch and Dawid 1993, On Testing the
    Validity of Sequential Probability Forecasts. An alarm is false with a probability of at most `level`, ever.
    """

    def __init__(self, *, level: float = 0.01) -> None:
        self._gambler = Gambler(2, level)

    def update(self, *, probability: ArrayLike, correct: ArrayLike | Sequence[bool]) -> Evidence:
        """Take further outcomes with their probabilities, in the order of their arrival."""
        if not len(np.asarray(probability)):
            return self._gambler.evidence
        p, y = check(probability, correct)
        gap = y - p
        return self._gambler.bet(np.stack([gap, gap * (2 * p - 1)], axis=1))

    @property
    def evidence(self) -> Evidence:
        """How it stands."""
        return self._gambler.evidence

    def to_json(self) -> dict[str, Any]:
        """The state as JSON-able values."""
        return self._gambler.to_json()

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The watch that `to_json` described."""
        found = cls(level=data["level"])
        found._gambler = Gambler.from_json(data)
        return found

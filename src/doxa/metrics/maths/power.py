"""How many questions does a difference need, which difference do so many questions show, and how surely?

A design says how surely n questions show a difference; `needed` and `detectable` turn that around.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Protocol

from doxa.errors import DataError, UsageError

Z_POWER = 0.8416212335729143
"""The 80 % point of the standard normal distribution."""
LEVEL, POWER = 0.05, 0.8
MOST = 10**9
"""Questions beyond which nothing is planned."""


class Design(Protocol):
    """What two rivals are measured by."""

    @property
    def largest(self) -> float:
        """The difference cannot reach this."""

    def power(self, n: int, difference: float, level: float = LEVEL) -> float:
        """Chance that n questions show a true difference at a two-sided level."""


@dataclass(frozen=True, slots=True)
class Means:
    """Means of question scores of two models that answer the same questions, several times each.

    Miller 2024, Adding Error Bars to Evals (arXiv 2411.00640), equation 9: the variance of one question's difference is
    ω² + σ_A² / K_A + σ_B² / K_B.
    """

    between: float
    """ω²: variance, over questions, of the difference of the two expected scores."""
    noise: tuple[float, float] = (0.0, 0.0)
    """σ²: mean variance of the score when a model answers the same question again."""
    answers: tuple[int, int] = (1, 1)
    """K: answers per question."""

    @property
    def largest(self) -> float:
        """Scores may have any scale."""
        return float("inf")

    def power(self, n: int, difference: float, level: float = LEVEL) -> float:
        """By the normal approximation."""
        variance = self.between + self.noise[0] / self.answers[0] + self.noise[1] / self.answers[1]
        return normal_power(difference, variance / n, level)


@dataclass(frozen=True, slots=True)
class Accuracies:
    """Shares right of two models on the same questions, by McNemar's exact test."""

    accuracy: float
    """Of the one; the other differs from it by the difference, downwards where there is no room above."""
    correlation: float = 0.5
    """Of the two verdicts on a question. Miller 2024 finds 0.3 to 0.7 between frontier models."""
    discordant: float | None = None
    """Share of questions that just one of the two gets right, where it is known."""

    def __post_init__(self) -> None:
        """Refuse what is no share."""
        shares = {"accuracy": self.accuracy, "discordant": 0.5 if self.discordant is None else self.discordant}
        for name, value in shares.items():
            if not 0 < value < 1:
                raise DataError(f"{name} is {value:g}", hint="a share between 0 and 1, both excluded")
        if not -1 <= self.correlation <= 1:
            raise DataError(f"correlation is {self.correlation:g}", hint="it lies in [-1, 1]")

    @property
    def largest(self) -> float:
        """No accuracy leaves [0, 1], and no difference exceeds the share that differs."""
        room = max(self.accuracy, 1 - self.accuracy)
        return room if self.discordant is None else min(room, self.discordant)

    def differing(self, difference: float) -> float:
        """Share of questions that just one of the two gets right."""
        if self.discordant is not None:
            return self.discordant
        a = self.accuracy
        b = a + difference if a + difference < 1 else a - difference
        apart = a * (1 - b) + b * (1 - a) - 2 * self.correlation * sqrt(a * (1 - a) * max(0.0, b * (1 - b)))
        return min(max(apart, difference), 1.0)

    def power(self, n: int, difference: float, level: float = LEVEL) -> float:
        """Exact: over all numbers of questions that may differ, and all ways in which these may go."""
        import numpy as np
        from scipy.stats import binom

        differing = self.differing(difference)
        spread = 8 * sqrt(n * differing) + 20
        changed = np.arange(max(1, int(n * differing - spread)), min(n, int(n * differing + spread)) + 1)
        fewest = binom.ppf(level / 2, changed, 0.5)
        fewest = np.where(binom.cdf(fewest, changed, 0.5) > level / 2, fewest - 1, fewest)
        better = (1 + difference / differing) / 2
        shown = binom.cdf(fewest, changed, 1 - better) + binom.cdf(fewest, changed, better)
        return float(binom.pmf(changed, n, differing) @ shown)


@dataclass(frozen=True, slots=True)
class Areas:
    """AUROCs of two confidences on the same answers, or of two models on the same questions.

    Hanley and McNeil 1982 for the variance of an area, as if the scores were exponentially distributed; Hanley and
    McNeil 1983 for two areas on the same questions.
    """

    auroc: float
    """Of the one; the other differs from it by the difference, downwards where there is no room above."""
    accuracy: float
    """Share of right answers."""
    correlation: float = 0.5
    """Of the two areas."""

    def __post_init__(self) -> None:
        """Refuse what is no share."""
        for name in ("auroc", "accuracy"):
            if not 0 < getattr(self, name) < 1:
                raise DataError(f"{name} is {getattr(self, name):g}", hint="a share between 0 and 1, both excluded")
        if not -1 <= self.correlation < 1:
            raise DataError(f"correlation is {self.correlation:g}", hint="it lies in [-1, 1)")

    @property
    def largest(self) -> float:
        """No area leaves [0, 1]."""
        return max(self.auroc, 1 - self.auroc)

    def power(self, n: int, difference: float, level: float = LEVEL) -> float:
        """By the normal approximation."""
        other = self.auroc + difference if self.auroc + difference < 1 else self.auroc - difference
        right, wrong = n * self.accuracy, n * (1 - self.accuracy)
        one, two = (hanley_mcneil(area, right, wrong) for area in (self.auroc, other))
        apart = one + two - 2 * self.correlation * sqrt(one * two)
        return normal_power(difference, apart, level)


def hanley_mcneil(area: float, right: float, wrong: float) -> float:
    """Variance of an AUROC of so many right and wrong answers (Hanley and McNeil 1982)."""
    both_above, both_below = area / (2 - area), 2 * area**2 / (1 + area)
    spread = max(right - 1, 0) * (both_above - area**2) + max(wrong - 1, 0) * (both_below - area**2)
    return (area * (1 - area) + spread) / (right * wrong)


def normal_power(difference: float, variance: float, level: float) -> float:
    """Chance that a normal estimate with this variance is found to differ from 0."""
    from scipy.special import ndtr, ndtri

    if variance <= 0:
        return float(difference != 0)
    shift, z = difference / sqrt(variance), float(ndtri(1 - level / 2))
    return float(ndtr(shift - z) + ndtr(-shift - z))


def needed(design: Design, difference: float, *, power: float = POWER, level: float = LEVEL) -> int:
    """The fewest questions that show a true difference with the wanted power. Raises `UsageError` for an absurd one.

    >>> needed(Means(between=1 / 9), 0.03)  # the example of Miller 2024
    969
    """
    if not 0 < difference < design.largest:
        raise UsageError(f"no difference of {difference:g}", hint=f"it lies between 0 and {design.largest:g}")
    few, enough = 1, 2
    while design.power(enough, difference, level) < power:
        few, enough = enough, 2 * enough
        if enough > MOST:
            raise UsageError(f"a difference of {difference:g} needs over {MOST:,} questions", hint="plan a larger one")
    while enough - few > 1:
        middle = (few + enough) // 2
        few, enough = (few, middle) if design.power(middle, difference, level) >= power else (middle, enough)
    return enough


def detectable(design: Design, n: int, *, power: float = POWER, level: float = LEVEL) -> float | None:
    """The least true difference that n questions show with the wanted power; `None` where no difference would do."""
    low, high = 0.0, min(design.largest, 1e6)
    if design.power(n, high * (1 - 1e-9), level) < power:
        return None
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if design.power(n, middle, level) >= power else (middle, high)
    return high

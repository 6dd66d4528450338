"""Calibration within every group at once, where groups may overlap."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from doxa import registry
from doxa.calibrators.maths.groups import matched, memberships
from doxa.errors import UsageError
from doxa.metrics.maths.binning import equal_width
from doxa.metrics.maths.checks import Bools, Floats, check
from doxa.state import dump, fitted, load
from doxa.types import Scale

Patch = tuple[float, ...]
"""A group's number, then what is added to its members' probability in each bin."""


@dataclass(frozen=True, slots=True)
class Multicalibration:
    """Shift probabilities until, in every bin of every group, their mean is within `alpha` of the share right.

    It begins with what the calibrator `method` makes of the confidence, or without one with the confidence itself. In
    turn each group (all answers are one too) is divided into `bins` of the probability as it stands; where mean and
    share are more than `alpha` apart the difference is added, clipped to [0, 1]. Bins with fewer than `least` answers,
    or than `alpha` / `bins` of the group, are left alone. A shift takes alpha² or more from the mean squared error of
    its bin, so there are at most n / (`least` · alpha²). The last step of the paper, to answer with the mean of the
    bin, is left out: it would cost the ranking within it. `by` is a label for each answer, several, or memberships.
    Source: Hébert-Johnson, Kim, Reingold and Rothblum 2018, arXiv 1711.08513.
    """

    implements: ClassVar[tuple[str, ...]] = ()
    grouped: ClassVar[bool] = True
    method: str = "isotonic"
    alpha: float = 0.05
    bins: int = 10
    least: int = 50
    _start: Any = None
    _groups: tuple[str, ...] | None = None
    _patches: tuple[Patch, ...] | None = None

    def __post_init__(self) -> None:
        """Refuse knobs out of range, and a method that does not exist."""
        if not 0 < self.alpha < 1 or self.bins < 1 or self.least < 1:
            raise UsageError(
                f"alpha={self.alpha!r}, bins={self.bins!r}, least={self.least!r}",
                hint="alpha lies between 0 and 1, bins and least are at least 1",
            )
        if self.method:
            registry.make("calibrators", self.method)

    @property
    def scale(self) -> Scale:
        """The scale that the method takes, `UNIT` without one."""
        scale: Scale = registry.make("calibrators", self.method).scale if self.method else Scale.UNIT
        return scale

    def fit(self, *, confidence: ArrayLike, correct: ArrayLike, by: Any = None) -> Self:
        """Return a fitted copy; without `by` all answers are the only group. Raises `DataError` for bad values."""
        p, y = check(confidence, correct, self.scale)
        start: Any = ()
        if self.method:
            start = (registry.make("calibrators", self.method).fit(confidence=p, correct=y),)
            p = start[0].predict(confidence=p)
        groups = {} if by is None else memberships(by, len(p))
        members = np.column_stack([np.ones(len(p), dtype=bool), *groups.values()])
        patches = patched(p, y, members, self.alpha, self.bins, self.least)
        return replace(self, _start=start, _groups=tuple(groups), _patches=patches)

    def predict(self, *, confidence: ArrayLike, by: Any = None) -> Floats:
        """Probability of being right. Raises `UsageError` where it was fitted by group and `by` is not given."""
        names, patches = fitted(self._groups), fitted(self._patches)
        matched(names, by)
        p = check(confidence, np.zeros(np.shape(confidence)), self.scale)[0].copy()
        for start in fitted(self._start):
            p = start.predict(confidence=p)
        found = {} if by is None else memberships(by, len(p))
        nobody = np.zeros(len(p), dtype=bool)
        members = [np.ones(len(p), dtype=bool), *(found.get(name, nobody) for name in names)]
        for number, *shifts in patches:
            p = shifted(p, members[int(number)], np.asarray(shifts))
        return p

    def to_json(self) -> dict[str, Any]:
        """Knobs and state as JSON-able values."""
        return dump(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The calibrator that `to_json` wrote."""
        return load(cls, data)


def patched(p: Floats, correct: Bools, members: Bools, alpha: float, bins: int, least: int) -> tuple[Patch, ...]:
    """The patches, in the order in which they are to be applied."""
    kinds, index = np.unique(np.column_stack([p, members]), axis=0, return_inverse=True)
    index = index.ravel()  # some releases of numpy return a column
    count, right = np.bincount(index).astype(np.float64), np.bincount(index, correct)
    p, members = kinds[:, 0], kinds[:, 1:].astype(bool)
    patches: list[Patch] = []
    quiet = 0
    while quiet < members.shape[1]:
        for number, here in enumerate(members.T):
            shifts = violations(p[here], right[here], count[here], alpha, bins, least)
            if shifts.any():
                p = shifted(p, here, shifts)
                patches.append((number, *shifts.tolist()))
                quiet = 0
            else:
                quiet += 1
    return tuple(patches)


def violations(p: Floats, right: Floats, count: Floats, alpha: float, bins: int, least: int) -> Floats:
    """Per bin the share of right answers minus the mean probability, 0 where that is within `alpha` or of too few."""
    index = equal_width(p, bins)
    total = np.bincount(index, count, bins)
    gap = (np.bincount(index, right, bins) - np.bincount(index, count * p, bins)) / np.maximum(total, 1)
    judged = total >= max(least, alpha / bins * count.sum())
    return np.where(judged & (np.abs(gap) > alpha), gap, 0.0)


def shifted(p: Floats, here: Bools, shifts: Floats) -> Floats:
    """The probabilities after one patch."""
    moved = np.clip(p + shifts[equal_width(p, len(shifts))], 0, 1)
    return np.where(here, moved, p)

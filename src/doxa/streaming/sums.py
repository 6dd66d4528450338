"""Metrics of sums over answers: their slopes, and what calibrated answers would show."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from doxa.metrics.maths.bootstrap import TIMES
from doxa.metrics.maths.cells import Cells
from doxa.metrics.maths.checks import Floats
from doxa.metrics.maths.kernels import Part, Sums
from doxa.streaming.tally import shaped

STEP = 1e-5
"""Of differences, as a share of what is changed: rounding and curvature then both weigh about 1e-10."""


def finished(kernel: Sums, parts: Sequence[Part], total: Floats, sums: Floats) -> Floats:
    """The metric of numbers of answers (...) and their sums (..., all parts one after the other)."""
    pieces = np.split(sums, np.cumsum([part.bins for part in parts])[:-1], axis=-1)
    return kernel.finish(total, *(shaped(part, piece) for part, piece in zip(parts, pieces, strict=True)))


def slopes(kernel: Sums, cells: Cells, n: int, sums: Floats) -> tuple[Floats, Floats]:
    """What one right and one wrong answer more at each confidence would change: the derivatives by the counts.

    By central differences over the sums, which are few, times what an answer adds to each.
    """
    parts = kernel.parts(cells.confidence)
    at = np.append(float(n), sums)
    steps = STEP * np.maximum(np.abs(at), 1e-3 * n)
    points = at + np.vstack([np.diag(steps), -np.diag(steps)])
    up, down = np.split(finished(kernel, parts, points[:, 0], points[:, 1:]), 2)
    by_total, *by_sums = (up - down) / 2 / steps
    right, wrong = (np.full(len(cells.confidence), by_total) for _ in range(2))
    first = 0
    for part in parts:
        slope = np.array(by_sums[first : first + part.bins])[0 if part.bin is None else part.bin]
        right, wrong = right + slope * part.if_right, wrong + slope * part.if_wrong
        first += part.bins
    return right, wrong


def by_chance(kernel: Sums, cells: Cells, seed: int) -> Floats:
    """Values that the metric takes where outcomes are drawn from the confidences themselves.

    Sums over so many answers are normal; each is drawn with the mean and variance that its answers give it.
    """
    parts = kernel.parts(cells.confidence)
    chance, count = cells.confidence, cells.count
    likely = Cells(chance, count * chance, count * (1 - chance))
    centre = np.concatenate([np.atleast_1d(part.over(likely)) for part in parts])
    spread = [
        Part(squares, np.zeros(len(chance)), part.bin, part.bins).over(Cells(chance, count, np.zeros(len(chance))))
        for part in parts
        for squares in [chance * (1 - chance) * (part.if_right - part.if_wrong) ** 2]
    ]
    deviation = np.sqrt(np.concatenate([np.atleast_1d(variance) for variance in spread]))
    drawn = centre + deviation * np.random.default_rng(seed).standard_normal((TIMES, len(centre)))
    return finished(kernel, parts, np.full(TIMES, float(cells.total)), drawn)

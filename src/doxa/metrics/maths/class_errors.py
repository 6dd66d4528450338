"""Calibration errors of whole distributions over labels: of every label's probability, or of the likeliest label's."""

from __future__ import annotations

import numpy as np

from doxa.errors import DataError
from doxa.metrics.maths.binning import equal_width, fold
from doxa.metrics.maths.cells import ratio
from doxa.metrics.maths.checks import Bools, Floats, Ints
from doxa.metrics.maths.columns import Column_
from doxa.metrics.maths.form import Statistic

ROUNDING = 1e-9
"""What probabilities of a softmax may exceed 1 by."""


def table(options: Column_, gold: Column_) -> tuple[Floats, Bools]:
    """Probability of each label, (n, labels), 0 where a question does not offer it, and whether it is right.

    Labels are compared without case and outer spaces. Raises `DataError` for numbers outside [0, 1], and where the
    right label is none of all labels.
    """
    rows = [{name.strip().lower(): p for name, p in row.items()} for row in options]
    right = [{text.strip().lower() for text in each} for each in gold]
    labels = sorted(set().union(*rows))
    for row, each in zip(rows, right, strict=True):
        if not all(0 <= share <= 1 + ROUNDING for share in row.values()):
            raise DataError(f"{row} are no probabilities", hint="give numbers from 0 to 1")
        if each.isdisjoint(labels):
            raise DataError(f"{' or '.join(sorted(each))!r} is no label", hint=f"the labels are: {', '.join(labels)}")
    p = np.array([[row.get(label, 0.0) for label in labels] for row in rows], dtype=np.float64)
    return np.minimum(p, 1.0), np.array([[label in each for label in labels] for each in right], dtype=np.bool_)


def classwise(p: Floats, right: Bools, bins: int) -> Statistic:
    """Mean over labels of the calibration error of the label's probability."""
    errors = [_per_group(p[:, k], right[:, k], np.zeros(len(p), dtype=np.intp), bins) for k in range(p.shape[1])]
    return lambda weights: np.mean([ratio(e(weights)[..., 0], weights.sum(-1)) for e in errors], axis=0)


def top_label(p: Floats, right: Bools, bins: int, even: bool) -> Statistic:
    """Mean over answers, or `even` over labels, of the calibration error among answers of the same likeliest label."""
    top = p.argmax(axis=1)
    rows = np.arange(len(p))
    error, labels = _per_group(p[rows, top], right[rows, top], top, bins), int(top.max()) + 1
    if not even:
        return lambda weights: ratio(error(weights).sum(-1), weights.sum(-1))

    def mean(weights: Floats) -> Floats:
        own = fold(weights, top, labels)
        return ratio(ratio(error(weights), own, 0.0).sum(-1), (own > 0).sum(-1))

    return mean


def _per_group(confidence: Floats, right: Bools, group: Ints, bins: int) -> Statistic:
    """Sum of the absolute gaps of a group's bins, (b, groups)."""
    groups = int(group.max()) + 1
    slot = group * bins + equal_width(confidence, bins)
    excess = confidence - right

    def error(weights: Floats) -> Floats:
        gaps = np.abs(fold(weights * excess, slot, groups * bins))
        return np.asarray(gaps.reshape(*gaps.shape[:-1], groups, bins).sum(-1))

    return error

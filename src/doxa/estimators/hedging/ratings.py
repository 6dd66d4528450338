"""A mapper learnt from rated sentences: which words make people hear more or less certainty than the hedges say."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from doxa.errors import DataError
from doxa.estimators.hedging import PLAIN, heard
from doxa.text import normalise

if TYPE_CHECKING:
    from doxa.types import Floats

COLUMNS = ("sentence", "rating")
LEAST = 10
"""Ratings without which nothing is learnt."""
_LONGEST = 3
"""Words of the longest phrase that is a feature; a phrase is one if two sentences hold it."""
_PENALTY = 1.0
_HINT = "a CSV file with the columns sentence and rating"


@dataclass(frozen=True, slots=True)
class Mapper:
    """A logistic regression on the phrases of a sentence, on top of what its hedges say."""

    intercept: float
    slope: float
    """Of the log-odds that the hedges alone give."""
    weights: Mapping[str, float]

    def __call__(self, sentence: str) -> float:
        """How sure the sentence sounds, in (0, 1)."""
        found = math.fsum(self.weights.get(phrase, 0.0) for phrase in phrases(sentence))
        score = self.intercept + self.slope * _logit(sentence) + found
        return float(_sigmoid(np.array(score)))


def phrases(sentence: str) -> list[str]:
    """The phrases of one to three words in a sentence, each once, sorted."""
    words = normalise(sentence).split()
    places = range(len(words))
    return sorted({" ".join(words[i : i + n]) for n in range(1, _LONGEST + 1) for i in places if i + n <= len(words)})


def learn(sentences: Sequence[str], ratings: Sequence[float]) -> Mapper:
    """Fit ratings in [0, 1]: fractional logistic regression (Papke and Wooldridge 1996) with a ridge of 1.

    The log-odds of the hedge mapper are one regressor with an intercept, both without penalty; the phrases' weights are
    drawn to 0. The problem is convex, so the same ratings always give the same mapper.
    """
    from scipy.optimize import minimize
    from scipy.sparse import csr_array

    held = [phrases(sentence) for sentence in sentences]
    counts = Counter(phrase for each in held for phrase in each)
    place = {phrase: i for i, phrase in enumerate(sorted(phrase for phrase, n in counts.items() if n > 1))}
    columns = [[place[phrase] for phrase in each if phrase in place] for each in held]
    ends = np.cumsum([0, *map(len, columns)])
    index = np.array([column for each in columns for column in each], dtype=np.int64)
    present = csr_array((np.ones(len(index)), index, ends), shape=(len(held), len(place)))
    base, target = np.array([_logit(sentence) for sentence in sentences]), np.asarray(ratings, dtype=np.float64)

    def loss(theta: Floats) -> tuple[float, Floats]:
        weights = theta[2:]
        score = theta[0] + theta[1] * base + present @ weights
        error = _sigmoid(score) - target
        value = float(np.logaddexp(0, score).sum() - target @ score + _PENALTY / 2 * weights @ weights)
        return value, np.concatenate([[error.sum(), error @ base], present.T @ error + _PENALTY * weights])

    start = np.zeros(2 + len(place))
    start[1] = 1.0
    theta = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 2000, "ftol": 1e-12}).x
    return Mapper(float(theta[0]), float(theta[1]), MappingProxyType(dict(zip(place, theta[2:].tolist(), strict=True))))


def mapper_of(path: str, out_of: int) -> Mapper:
    """The mapper learnt from a file of ratings; relative paths start where the command runs. Raises `DataError`."""
    try:
        return _learnt(path, Path(path).read_bytes(), out_of)
    except OSError as error:
        raise DataError(f"cannot read the ratings {Path(path).absolute()}: {error.strerror}", hint=_HINT) from None


@lru_cache(maxsize=4)  # by content: every question of a run asks for the same mapper
def _learnt(path: str, content: bytes, out_of: int) -> Mapper:
    return learn(*read_ratings(path, content, out_of))


def read_ratings(path: str, content: bytes, out_of: int) -> tuple[list[str], list[float]]:
    """Sentences and their ratings, divided by `out_of`. Raises `DataError` naming file, row and column."""
    try:
        rows = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        missing = [column for column in COLUMNS if column not in (rows.fieldnames or ())]
        if missing:
            raise DataError(f"{path} has no column {missing[0]!r}", hint=_HINT)
        read = [_row(path, number, row, out_of) for number, row in enumerate(rows, start=2)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} is not a CSV file in UTF-8: {error}", hint=_HINT) from None
    if len(read) < LEAST:
        raise DataError(f"{path} has {len(read)} ratings", hint=f"at least {LEAST} are needed to learn from")
    return [sentence for sentence, _ in read], [rating for _, rating in read]


def _row(path: str, number: int, row: Mapping[str, str | None], out_of: int) -> tuple[str, float]:
    sentence, written = (row["sentence"] or "").strip(), (row["rating"] or "").strip()
    if not sentence:
        raise DataError(f"{path}, row {number}, column sentence: it is empty", hint="leave the row out")
    try:
        rating = float(written)
    except ValueError:
        raise DataError(f"{path}, row {number}, column rating: {written!r} is no number", hint=_HINT) from None
    if not 0 <= rating <= out_of:
        other = "say out_of=100 for ratings in percent" if out_of == 1 else "it is to lie between 0 and 100"
        raise DataError(f"{path}, row {number}, column rating: {written} is not between 0 and {out_of}", hint=other)
    return sentence, rating / out_of


def _logit(sentence: str) -> float:
    value = heard(sentence).value
    value = min(max(PLAIN if value is None else value, 0.01), 0.99)
    return math.log(value / (1 - value))


def _sigmoid(score: Floats) -> Floats:
    """1 / (1 + e^-score), without overflow."""
    return np.exp(-np.logaddexp(0, -score))

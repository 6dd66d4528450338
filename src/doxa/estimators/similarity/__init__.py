"""How alike texts are by their words, as one matrix for all pairs; `"jaccard"`, `"rouge1"`, `"rouge2"`, `"rougeL"`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from doxa.errors import Unavailable, UsageError
from doxa.inquiry import Inquiry
from doxa.text import canonical, normalise
from doxa.types import Reply

if TYPE_CHECKING:
    from doxa.types import Floats

Words = tuple[str, ...]


def jaccard(a: Words, b: Words) -> float:
    """Share of the distinct words of two texts that both have: |A ∩ B| / |A ∪ B|.

    >>> jaccard(("a", "b", "a"), ("b", "c", "d"))
    0.25
    """
    one, other = set(a), set(b)
    return len(one & other) / len(one | other)


def common_subsequence(a: Words, b: Words) -> int:
    """Length of the longest common subsequence, one machine addition per word of `b` (Hyyrö 2004, bit-parallel LCS).

    >>> common_subsequence(("a", "b", "c", "d"), ("b", "d", "a"))
    2
    """
    places: dict[str, int] = {}
    for place, word in enumerate(a):
        places[word] = places.get(word, 0) | 1 << place
    whole = row = (1 << len(a)) - 1
    for word in b:
        matched = row & places.get(word, 0)
        row = ((row + matched) | (row - matched)) & whole
    return len(a) - row.bit_count()


def rouge_l(a: Words, b: Words) -> float:
    """ROUGE-L F1: twice the longest common subsequence over the words of both (Lin 2004)."""
    return 2 * common_subsequence(a, b) / (len(a) + len(b))


def rouge_n(a: Words, b: Words, n: int) -> float:
    """ROUGE-n F1: twice the runs of n words in common over the runs of both; 0 when there are none (Lin 2004)."""
    one, other = (Counter(zip(*(words[start:] for start in range(n)), strict=False)) for words in (a, b))
    runs = one.total() + other.total()
    return 2 * (one & other).total() / runs if runs else 0.0


SIMILARITIES: Mapping[str, Callable[[Words, Words], float]] = MappingProxyType(
    {"jaccard": jaccard, "rouge1": partial(rouge_n, n=1), "rouge2": partial(rouge_n, n=2), "rougeL": rouge_l}
)


def check_similarity(name: str) -> None:
    """Raise `UsageError` for a similarity that does not exist."""
    if name not in SIMILARITIES:
        raise UsageError(f"no similarity named {name!r}", hint=f"there are: {', '.join(SIMILARITIES)}")


def similarities(name: str, texts: Sequence[str]) -> Floats:
    """Symmetric matrix of the similarities of all pairs, in [0, 1].

    Words are those of the normalised texts. Texts of equal words have similarity 1, even where they are too short to
    have what is counted, or have no words at all.

    >>> similarities("jaccard", ["Oslo", "It is Oslo.", "oslo!"]).round(2).tolist()
    [[1.0, 0.33, 1.0], [0.33, 1.0, 0.33], [1.0, 0.33, 1.0]]
    """
    alike, numbers = SIMILARITIES[name], dict[Words, int]()
    places = [numbers.setdefault(tuple(normalise(text).split()), len(numbers)) for text in texts]
    different = list(numbers)
    matrix = np.eye(len(different))
    for row, words in enumerate(different):
        for column in range(row):
            matrix[row, column] = matrix[column, row] = alike(words, different[column])
    return matrix[np.ix_(places, places)]


async def compared(name: str, inquiry: Inquiry, replies: Sequence[Reply]) -> Floats:
    """Similarities of all pairs of replies. Raises `Unavailable` when none of them holds a readable answer."""
    if all(canonical(reply.text, inquiry.kind, inquiry.choices) is None for reply in replies):
        raise Unavailable("no sample holds a readable answer")
    return similarities(name, [reply.text for reply in replies])

"""Questions too many for memory: kept in a file, read one at a time."""

from __future__ import annotations

import hashlib
import os
import tempfile
import weakref
from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import overload

import msgspec

from doxa.types import Question

ROOM = 1 << 24
"""Characters of questions that are held in memory; a file takes what is more."""
_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(Question).decode


class Shelf(Sequence[Question]):
    """A sequence of questions in a nameless temporary file, which goes when nobody holds it any more.

    What JSON does not know in `meta` (dates, bytes) comes back as text.
    """

    def __init__(self, questions: Iterable[Question]) -> None:
        """Write the questions; only where each ends stays in memory."""
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the shelf
        weakref.finalize(self, self._file.close)
        self._ends = array("Q", [0])
        for question in questions:
            self._ends.append(self._ends[-1] + self._file.write(_encode(question)))
        self._file.flush()

    def __len__(self) -> int:
        """Number of questions."""
        return len(self._ends) - 1

    @overload
    def __getitem__(self, place: int) -> Question: ...
    @overload
    def __getitem__(self, place: slice) -> list[Question]: ...
    def __getitem__(self, place: int | slice) -> Question | list[Question]:
        """The question at a place, or a list of those at several."""
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(len(self)))]
        if not -len(self) <= place < len(self):
            raise IndexError(f"there are {len(self)} questions, none at {place}")
        start, end = self._ends[place % len(self)], self._ends[place % len(self) + 1]
        return _decode(os.pread(self._file.fileno(), end - start, start))

    def __iter__(self) -> Iterator[Question]:
        """All questions, in their order."""
        return (self[place] for place in range(len(self)))


def shelved(questions: Iterable[Question]) -> Sequence[Question]:
    """The questions as a list, or on a shelf when they would fill more than `ROOM`."""
    source, held, size = iter(questions), list[Question](), 0
    for question in source:
        held.append(question)
        size += len(question.text) + len(question.context or "") + sum(len(each.content) for each in question.messages)
        if size > ROOM:
            return Shelf(chain(held, source))
    return held


def question_hash(questions: Sequence[Question]) -> str:
    """SHA-256 of the questions as they are, in their order: of the JSON list of them."""
    digest = hashlib.sha256(b"[")
    for place, question in enumerate(questions):
        digest.update(b"," * bool(place) + _encode(question))
    digest.update(b"]")
    return digest.hexdigest()

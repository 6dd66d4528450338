"""Seeded choices that depend on names only, never on the order in which things stand in a file."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence

from doxa.shelf import shelved
from doxa.types import Question


def rank(seed: int, name: str) -> bytes:
    """The place of a name in the order that a seed makes: a hash of both."""
    return hashlib.sha256(f"{seed}\0{name}".encode("utf-8", "surrogatepass")).digest()


def shuffled(names: Iterable[str], seed: int, salt: str = "") -> list[str]:
    """Names in the order of their ranks under a seed and a salt."""
    return sorted(names, key=lambda name: rank(seed, f"{salt}\0{name}"))


def sample(questions: Sequence[Question], n: int | None, seed: int) -> list[Question]:
    """`limited`, as a list."""
    return list(limited(questions, n, seed))


def limited(questions: Sequence[Question], n: int | None, seed: int) -> Sequence[Question]:
    """At most `n` questions, in their given order, chosen by hash of seed and id, the same number of each bank.

    A bank that has too few gives its places to the others. Which questions are chosen does not depend on their order.
    """
    if n is None or n >= len(questions):
        return questions
    banks: dict[str, list[str]] = defaultdict(list)
    named = ((question.id, question.tags.get("bank", "")) for question in questions)
    for identity, bank in sorted(named, key=lambda pair: rank(seed, pair[0])):
        banks[bank].append(identity)
    rounds = sorted(
        (place, rank(seed, bank), identity) for bank, members in banks.items() for place, identity in enumerate(members)
    )
    chosen = {identity for _, _, identity in rounds[: max(n, 0)]}
    return shelved(question for question in questions if question.id in chosen)

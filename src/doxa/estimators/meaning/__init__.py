"""Classes of replies that mean the same, and the entropy over them."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType

from doxa.errors import UsageError
from doxa.inquiry import Inquiry
from doxa.text import canonical
from doxa.types import Reply

Equivalence = Callable[[Inquiry, Sequence[Reply]], Awaitable[list[str | None]]]
"""Names the class of each reply, `None` for replies without a readable answer."""


async def _normalised(inquiry: Inquiry, replies: Sequence[Reply]) -> list[str | None]:
    """Replies mean the same when their normalised answers are equal."""
    return [canonical(reply.text, inquiry.kind, inquiry.choices) for reply in replies]


EQUIVALENCES: Mapping[str, Equivalence] = MappingProxyType({"normalised": _normalised})


def check_equivalence(name: str) -> None:
    """Raise `UsageError` for an equivalence that does not exist."""
    if name not in EQUIVALENCES:
        raise UsageError(f"no equivalence named {name!r}", hint=f"there are: {', '.join(EQUIVALENCES)}")


async def classes(name: str, inquiry: Inquiry, replies: Sequence[Reply]) -> list[str | None]:
    """The class of meaning of every reply: a partition, in which all replies without an answer are one class."""
    return await EQUIVALENCES[name](inquiry, replies)


def entropy(weights: Sequence[float]) -> float:
    """Entropy in nats of weights that are normalised first; 0 for a single class, never negative.

    >>> round(entropy([5, 5]), 4), entropy([3])
    (0.6931, 0.0)
    """
    total = math.fsum(weights)
    return 0.0 - math.fsum(w / total * math.log(w / total) for w in weights if w > 0)

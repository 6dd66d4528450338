"""Which steps of different chains say the same."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from doxa.errors import UsageError
from doxa.estimators.meaning import mutual
from doxa.estimators.meaning.services import AUTO, ENTAILMENT, NEUTRAL, provenance
from doxa.inquiry import Inquiry
from doxa.prompts import transcript
from doxa.text import normalise

if TYPE_CHECKING:
    from doxa.estimators.meaning import Bools

EQUIVALENCES = (AUTO, "normalised", "entailment")
_SIGNS: Mapping[str, str] = MappingProxyType(
    {"-": "minus", "−": "minus", "–": "minus", "*": "x", "×": "x", "/": "by", "÷": "by"}
)
_SIGN = re.compile(rf"(?<=\d)\s*([{re.escape(''.join(_SIGNS))}])\s*(?=\d)")


def check_step_equivalence(name: str) -> None:
    """Raise `UsageError` for an equivalence that does not exist."""
    if name not in EQUIVALENCES:
        raise UsageError(f"no equivalence of steps named {name!r}", hint=f"there are: {', '.join(EQUIVALENCES)}")


def step_equivalence(name: str, inquiry: Inquiry) -> tuple[str, str]:
    """The equivalence that `name` stands for, and with its service's name: entailment where it can be had.

    Steps are sentences whatever the kind of the question. Raises `Unavailable` where there is no such service.
    """
    if name == AUTO:
        name = "normalised" if inquiry.services.entailer is None else "entailment"
    return name, provenance(name, inquiry)


def step_key(step: str) -> str:
    """One form for steps that say the same in the same words; signs of arithmetic count.

    >>> step_key("6 × 2 = 12."), step_key("6 * 2 = 12"), step_key("6 - 2 = 4")
    ('6 x 2 12', '6 x 2 12', '6 minus 2 4')
    """
    return normalise(_SIGN.sub(lambda sign: f" {_SIGNS[sign[1]]} ", step))


def pairs_within(routes: Sequence[Sequence[str]], reach: int | None) -> list[tuple[str, str]]:
    """The pairs of distinct steps that occur in different routes, at most `reach` places apart; `None`: anywhere.

    >>> pairs_within([["a", "b"], ["a", "c"]], None), pairs_within([["a", "b"], ["a", "c"]], 0)
    ([('a', 'b'), ('a', 'c'), ('b', 'c')], [('b', 'c')])
    """
    found = {
        (min(one, other), max(one, other))
        for number, route in enumerate(routes)
        for another in routes[:number]
        for place, one in enumerate(route)
        for elsewhere, other in enumerate(another)
        if one != other and (reach is None or abs(place - elsewhere) <= reach)
    }
    return sorted(found)


async def same_steps(
    name: str, inquiry: Inquiry, texts: Mapping[str, str], routes: Sequence[Sequence[str]], reach: int | None
) -> Bools:
    """Whether steps are the same, for all pairs of `texts` by key in their order.

    "normalised": no two keys are. "entailment": of the `pairs_within` reach of each other those are that entail each
    other, both read after the question.
    """
    verdicts = np.zeros((len(texts), len(texts), 3))
    verdicts[..., NEUTRAL] = 1
    np.fill_diagonal(verdicts[..., ENTAILMENT], 2)
    if name == "entailment":
        question, place = transcript(inquiry.messages), {key: number for number, key in enumerate(texts)}
        asked = [pair for one, other in pairs_within(routes, reach) for pair in ((one, other), (other, one))]
        found = await inquiry.entail([(f"{question} {texts[a]}", f"{question} {texts[b]}") for a, b in asked])
        for (one, other), verdict in zip(asked, found, strict=True):
            verdicts[place[one], place[other]] = astuple(verdict)
    return mutual(verdicts)

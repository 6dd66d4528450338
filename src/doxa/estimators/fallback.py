"""Fallback: the best signal there is about the reply, and which one it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar

from doxa.errors import CallFailed, Unavailable
from doxa.estimators.normalized_probability import NormalizedProbability
from doxa.estimators.self_consistency import SelfConsistency
from doxa.estimators.stated_two_turn import StatedTwoTurn
from doxa.inquiry import Inquiry
from doxa.types import Access, Confidence, Scale

SIGNALS: Mapping[str, NormalizedProbability | SelfConsistency | StatedTwoTurn] = MappingProxyType(
    {"log-probabilities": NormalizedProbability(), "samples": SelfConsistency(), "stated": StatedTwoTurn()}
)
"""The signals in the order in which they are tried."""


@dataclass(frozen=True)
class Fallback:
    """Confidence from log-probabilities where the model gives them, else from samples, else from its word.

    Range [0, 1], higher is surer. The signals are length-normalised probability (Malinin and Gales 2021), agreement of
    ten samples (Wang et al. 2022) and the percentage stated in a second turn (Tian et al. 2023): three measures, not
    one, so `provenance` names for every reply the signal that was used and why those before it were not. A call that
    failed is an error and no reason to fall back.
    """

    access: ClassVar[Access] = Access.TEXT
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    alternatives: ClassVar[int] = 0
    implements: ClassVar[tuple[str, ...]] = ()
    helps: ClassVar[str] = "One command must work with any model, whatever it shows of itself."
    fails: ClassVar[str] = (
        "Numbers of several signals in one column are not comparable, so models that show different things should not "
        "be compared by it."
    )

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Try one signal after the other."""
        missing: list[str] = []
        for signal, estimator in SIGNALS.items():
            try:
                found = await estimator.estimate(inquiry)
            except CallFailed:
                raise
            except Unavailable as unavailable:
                found = Confidence(None, self.scale, str(unavailable))
            if found.value is not None:
                return replace(found, provenance="; ".join([signal, *missing]))
            missing.append(f"no {signal}: {found.reason}")
        return Confidence(None, self.scale, "; ".join(missing))

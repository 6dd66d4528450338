"""Variation ratios of samples, against the published vectors and hand counts."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

from doxa.errors import Unavailable, UsageError
from doxa.estimators.variation_ratio import VariationRatio, variation_ratio, variation_ratio_original
from doxa.inquiry import Inquiry
from doxa.types import Capabilities, Confidence, Message, Reply, Request


class Script:
    """A caller that answers greedily with the first text, and with one of the others for each sample."""

    capabilities = Capabilities()

    def __init__(self, *texts: str) -> None:
        self.texts = texts
        self.asked: list[Request] = []

    async def call(self, request: Request) -> Reply:
        self.asked.append(request)
        return Reply(self.texts[0 if request.seed is None else 1 + request.seed % 1024])


def measure(script: Script, **knobs: Any) -> Confidence:
    async def work() -> Confidence:
        inquiry = Inquiry("q", (Message("user", "What is the capital of Norway?"),), {"subject": script})
        return await VariationRatio(**{"samples": len(script.texts) - 1, **knobs}).estimate(inquiry)

    return asyncio.run(work())


def test_known_distances() -> None:
    assert variation_ratio(1 - np.array([[0, 0.2, 0.4], [0.2, 0, 0.6], [0.4, 0.6, 0]])) == pytest.approx(0.4)
    assert variation_ratio_original(1 - np.array([0.1, 0.5, 0.3])) == pytest.approx(0.3)


def test_words_in_common_are_the_similarity() -> None:
    script = Script("Oslo city", "Oslo", "Oslo city", "Bergen")
    assert measure(script).value == pytest.approx((2 / 3 + 0 + 0) / 3)
    assert measure(script, original=True).value == pytest.approx((2 / 3 + 1 + 0) / 3)
    assert {request.temperature for request in script.asked} == {0.0, 0.7}


def test_equal_and_wholly_different_samples_are_the_ends() -> None:
    assert measure(Script("Oslo", "Oslo", "oslo!")).value == 1
    assert measure(Script("Oslo", "Bergen", "Moss")).value == 0
    assert measure(Script("Oslo", "Bergen", "Moss"), original=True).value == 0


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(UsageError, match="no pairs"):
        VariationRatio(samples=1)
    with pytest.raises(UsageError, match="telepathy"):
        VariationRatio(similarity="telepathy")
    with pytest.raises(Unavailable):
        measure(Script("", "", "I don't know"))

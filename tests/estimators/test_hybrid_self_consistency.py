"""Samples vote with the confidence stated for them."""

from __future__ import annotations

import pytest
from test_values import QUESTION, Script, measure, says

from doxa import prompts
from doxa.errors import UsageError
from doxa.estimators.hybrid_self_consistency import HybridSelfConsistency, weighted_agreement
from doxa.types import Outcome, Request


def voting(stated: dict[str, str], *texts: str) -> Script:
    """Greedily the first text, sample number i is text i; and what is stated for each."""

    def answer(request: Request) -> Outcome:
        if request.messages[-1].content == prompts.CONFIDENCE:
            return says(stated[request.messages[-2].content])
        return says(texts[0 if request.seed is None else request.seed % 1024])

    return Script(answer)


def test_the_vote_is_the_share_of_the_weight() -> None:
    assert weighted_agreement("a", ["a", "b", "a", None], [0.5, 0.25, 0.25, 1.0]) == pytest.approx(0.375)
    assert weighted_agreement("a", ["a", "b"], [1.0, 0.0]) == 1
    assert weighted_agreement("a", ["a"], [0.0]) is None


def test_every_sample_votes_with_what_is_stated_for_it() -> None:
    script = voting({"red": "80%", "blue": "40%", "green": "no idea"}, "red", "blue", "red", "green")
    found = measure(HybridSelfConsistency(samples=4), script)
    assert found.value == pytest.approx(1.6 / 2.0) and found.details == {"votes": 3}
    asked = {request.messages[: len(QUESTION) + 1] for request in script.asked if len(request.messages) > len(QUESTION)}
    assert {messages[-1].content for messages in asked} == {"red", "blue", "green"}


def test_with_the_same_word_everywhere_it_is_self_consistency() -> None:
    script = voting(dict.fromkeys(("red", "blue"), "70%"), "red", "red", "blue", "red", "blue")
    assert measure(HybridSelfConsistency(samples=5), script).value == pytest.approx(3 / 5)


def test_without_a_readable_word_there_is_no_vote_and_without_samples_no_sense() -> None:
    found = measure(HybridSelfConsistency(samples=2), voting({"red": "no idea"}, "red", "red"))
    assert found.value is None and found.reason
    with pytest.raises(UsageError):
        HybridSelfConsistency(samples=0)

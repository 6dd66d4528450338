"""Certainty and consistency of a verdict: published values, definitions by brute force, and planted beliefs."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doxa import prompts
from doxa.errors import Unavailable, UsageError
from doxa.estimators.pcc import Pcc, Verdict, consistency, harmonic_mean, most_contradictory, verdict
from doxa.inquiry import Asking, Caller, Inquiry, Services
from doxa.models.mock import Mock
from doxa.models.planted.beliefs import beliefs
from doxa.prompts import claims
from doxa.services.judge import Judge
from doxa.types import Capabilities, Confidence, Entailment, Outcome, Question, Reply, Request, Token
from services_fake import FakeEntailer

CLAIMS = [Question(f"claim-{i}", f"Is bead {i} red?", kind="boolean") for i in range(60)]


def ask(question: Question, model: Any, services: Services, **knobs: Any) -> Confidence:
    async def work() -> Confidence:
        callers, messages = {"subject": Caller(model)}, prompts.render(question)
        inquiry = Inquiry(question.id, messages, callers, question.kind, question.choices, asking=Asking())
        inquiry.services = services
        return await Pcc(**knobs).estimate(inquiry)

    return asyncio.run(work())


# -- the maths ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("tau", "gamma", "expected"), [(0.8, 0.5, 0.615385), (0.9, 0.1, 0.18)])
def test_the_published_values_of_the_harmonic_mean(tau: float, gamma: float, expected: float) -> None:
    assert harmonic_mean(tau, gamma) == pytest.approx(expected, abs=5e-7)


UNIT = st.floats(0, 1)


@given(UNIT, UNIT)
def test_the_mean_lies_between_its_parts_and_is_nothing_where_both_are(tau: float, gamma: float) -> None:
    assert harmonic_mean(0.0, 0.0) == 0.0
    assert min(tau, gamma) - 1e-12 <= harmonic_mean(tau, gamma) <= max(tau, gamma) + 1e-12
    assert harmonic_mean(tau, gamma) == harmonic_mean(gamma, tau)


def top(**probabilities: float) -> list[tuple[str, float]]:
    return [(word.replace("_", " "), math.log(p)) for word, p in probabilities.items()]


def test_certainty_is_the_margin_of_the_classes_or_one_where_the_likeliest_two_agree() -> None:
    found = verdict(top(Yes=0.5, No=0.2, _yes=0.1, True_=0.05, no=0.1, maybe=0.05))
    assert found is not None and found.true and found.certainty == pytest.approx(0.65 - 0.3)
    assert verdict(top(No=0.3, _no=0.25, Yes=0.24)) == Verdict(False, 1.0)
    third = verdict(top(The=0.6, no=0.25, yes=0.1))
    assert third is not None and not third.true and third.certainty == pytest.approx(0.15)
    assert verdict(top(The=0.6, It=0.3)) is None and verdict([]) is None
    assert verdict([("Yes", 0.0)]) == Verdict(True, 1.0)
    assert verdict([("Yes", 0.0), ("No", -math.inf)]) == Verdict(True, 1.0)


def test_consistency_is_one_minus_the_mean_contradiction() -> None:
    matrix = np.array([[[0.2, 0.4], [1.0, 0.8]], [[0.0, 0.0], [0.1, 0.3]]])
    symmetrised = [(0.2 + 0.4) / 2, (1.0 + 0.8) / 2, 0.0, (0.1 + 0.3) / 2]
    assert consistency(matrix) == pytest.approx(1 - sum(symmetrised) / 4)


# -- asking ------------------------------------------------------------------------------------------------------------


@dataclass
class Talker:
    """Says yes with seven tenths; has two reasons for and two against, the second of each by an odd seed."""

    reasons: tuple[str, ...] = ("for 0", "for 1", "against 0", "against 1")
    alternatives: int = 5
    name: str = "talker"
    base_url: str = ""
    fingerprint: str = "talker"

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(logprobs=True, top_logprobs=self.alternatives)

    async def generate(self, requests: Sequence[Request]) -> list[list[Outcome]]:
        return [[self._reply(request)] for request in requests]

    def _reply(self, request: Request) -> Reply:
        text = request.messages[-1].content
        if "reason" not in text:
            return Reply("Yes", (Token("Yes", math.log(0.7), tuple(top(Yes=0.7, No=0.3))),))
        against = text.endswith(claims.because("", "no"))
        return Reply(self.reasons[2 * against + (request.seed or 0) % 2])

    async def score(self, requests: Sequence[Request]) -> list[Outcome]:
        raise AssertionError("nothing is scored here")

    async def close(self) -> None:
        """Nothing is held."""


def says(contradiction: float) -> Entailment:
    return Entailment(contradiction, 1 - contradiction, 0.0)


def test_every_reason_for_is_held_against_every_reason_against_in_both_directions() -> None:
    table = {(f"for {i}", f"against {j}"): says(0.1 * (1 + i + 2 * j)) for i in range(2) for j in range(2)}
    table |= {(other, one): says(0.5) for one, other in table}
    service = FakeEntailer(table)
    found = ask(CLAIMS[0], Talker(), Services(service), rationales=2)
    gamma = 1 - (0.1 + 0.2 + 0.3 + 0.4 + 4 * 0.5) / 8
    assert found.details == pytest.approx({"tau": 0.4, "gamma": gamma})
    assert found.value == pytest.approx(2 * 0.4 * gamma / (0.4 + gamma))
    assert found.answer == "yes" and found.provenance == "contradiction by table"
    assert set(service.asked[0]) == set(table) and len(service.asked) == 1


def test_what_it_needs_is_said() -> None:
    with pytest.raises(Unavailable, match="no entailment service"):
        ask(CLAIMS[0], Talker(), Services())
    with pytest.raises(Unavailable, match="a question of yes or no"):
        ask(Question("q", "Who?"), Talker(), Services(FakeEntailer()))
    with pytest.raises(Unavailable, match="alternatives"):
        ask(CLAIMS[0], Talker(alternatives=0), Services(FakeEntailer()))
    with pytest.raises(Unavailable, match="an empty reason"):
        ask(CLAIMS[0], Talker(reasons=("a", " ", "b", "c")), Services(FakeEntailer()))
    with pytest.raises(UsageError, match="0 rationales"):
        Pcc(rationales=0)


def test_the_mock_is_certain_as_it_believes_and_consistent_as_far_as_it_does_not_waver() -> None:
    wavering = []
    for question in CLAIMS:
        believed = beliefs(prompts.render(question)[0].content)["Yes"]
        found = ask(question, Mock(), Services(Judge()), rationales=4)
        assert found.answer == ("yes" if believed > 0.5 else "no")
        assert found.details["tau"] == pytest.approx(abs(2 * believed - 1))
        gamma = found.details["gamma"]
        assert gamma is not None
        wavering.append(((1 - gamma) / 0.98, 2 * believed * (1 - believed)))
    drawn, expected = (sum(values) / len(wavering) for values in zip(*wavering, strict=True))
    assert drawn == pytest.approx(expected, abs=0.05)


def test_the_most_contradictory_pair_is_shown() -> None:
    matrix = np.array([[[0.2, 0.4], [0.5, 0.7]], [[0.9, 0.3], [0.1, 0.3]]])  # means .3, .6, .6, .2
    assert most_contradictory(matrix, ["f0", "f1"], ["a0", "a1"]) == ("f0", "a1")
    table = {("for 1", "against 0"): says(0.9), ("against 0", "for 1"): says(0.8)}
    table |= {(a, b): says(0.3) for a in ("for 0", "for 1") for b in ("against 0", "against 1") if (a, b) not in table}
    table |= {(b, a): says(0.3) for a, b in list(table) if (b, a) not in table}
    found = ask(CLAIMS[0], Talker(), Services(FakeEntailer(table)), rationales=2)
    assert found.evidence == ("for 1", "against 0")

"""Log-probabilities that are none: flagged by a null with its reason, and no number leaves its range (R14)."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doxa import flow, prompts, registry
from doxa.inquiry import Asking, Caller, Inquiry
from doxa.models.http.parsing import outcomes
from doxa.models.http.reading import decode
from doxa.types import Access, Capabilities, Confidence, Failure, Outcome, Question, Request, Scale

KINDS = {name: registry.find("estimators", name) for name in registry.names("estimators")}
MEMBERS = {
    name: kind()
    for name, kind in KINDS.items()
    if (kind.access is Access.LOGPROBS or hasattr(kind, "alternatives")) and not flow.compares(kind)
}
ALL_TOKENS = ["minimum_token_probability", "perplexity", "sequence_probability"]
"""Their number rests on every token of the reply."""
QUESTIONS = [
    Question("open", "Which tree is it?", ("amber",)),
    Question("choice", "Which tree is it?", ("oak",), kind="choice", choices=("oak", "ash")),
    Question("claim", "Is it an oak?", kind="boolean"),
]

ODD = st.sampled_from(
    [math.nan, math.inf, -math.inf, None, -9999.0, -1e9, 0.5, 3e-8, 1e308, -0.0, 0, True, "-1", [], 5]
)
NUMBERS = st.one_of(st.floats(-20, 0), st.floats(-20, 0), st.floats(-20, 0), ODD, st.floats())
TEXTS = st.sampled_from(
    ["A", "B", " A", "Yes", "No", "amber", " tree", ".", "", "\n", "<|im_end|>", "Ġoak", "1", "\ud83d", "é"]
)


@st.composite
def entries(draw: st.DrawFn) -> dict[str, Any]:
    """One token as a server may tell of it: alternatives twice or without the chosen one, bytes or none."""
    entry = {"token": draw(TEXTS), "logprob": draw(NUMBERS)}
    top = draw(st.lists(st.fixed_dictionaries({"token": TEXTS, "logprob": NUMBERS}), max_size=4))
    if draw(st.booleans()):
        top.append(dict(entry))
    return entry | {"top_logprobs": top} | draw(st.sampled_from([{}, {"bytes": None}, {"bytes": [1, 2]}]))


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, Any]:
    """An answer whose tokens may or may not join to its text."""
    tokens = draw(st.lists(entries(), max_size=5))
    joined = "".join(token["token"] for token in tokens)
    text = draw(st.sampled_from([joined, joined, "amber", "A", "Yes", "Answer: amber", ""]))
    choice = {"index": 0, "message": {"content": text}, "finish_reason": "stop", "logprobs": {"content": tokens}}
    return {"model": "m", "choices": [choice]}


SEEN = Capabilities(logprobs=True, top_logprobs=20, seed=True, n=True)


@dataclass(frozen=True)
class Server:
    """A model that gives one answer, whatever it is asked, by the way of its JSON."""

    body: dict[str, Any]
    name: str = "server"
    base_url: str = ""
    fingerprint: str = "server"
    capabilities: Capabilities = SEEN

    async def generate(self, requests: Sequence[Request]) -> list[list[Outcome]]:
        return [outcomes(decode(json.dumps(self.body).encode())) for _ in requests]

    async def score(self, requests: Sequence[Request]) -> list[Outcome]:
        return [Failure("unsupported", "no teacher forcing") for _ in requests]

    async def close(self) -> None:
        pass


def check_numbers(question: Question, body: dict[str, Any]) -> None:
    """Let every estimator that reads log-probabilities loose on the answer."""

    async def work() -> dict[str, tuple[Confidence, str]]:
        callers = {"subject": Caller(Server(body))}
        messages, asking = prompts.render(question), Asking(top_logprobs=20)
        inquiry = Inquiry(question.id, messages, callers, question.kind, question.choices, asking=asking)
        return {name: await flow.estimate(inquiry.for_estimator(), MEMBERS[name]) for name in MEMBERS}

    for name, (confidence, error) in asyncio.run(work()).items():
        assert error == "", name
        assert confidence.value is not None or confidence.reason, name
        for value in (confidence.value, *confidence.details.values(), *(part.value for part in confidence.parts)):
            assert value is None or math.isfinite(value), name
        assert confidence.scale is Scale.REAL or confidence.value is None or 0 <= confidence.value <= 1, name
        if name in ALL_TOKENS:
            assert (confidence.value is not None) == readable(body["choices"][0]["logprobs"]["content"]), name


def readable(tokens: list[dict[str, Any]]) -> bool:
    """Whether there are tokens, and each has a log-probability."""
    values = [each["logprob"] for each in tokens]
    numbers = (type(value) in (int, float) and -9999 < value <= 1e-4 for value in values)
    return bool(values) and all(numbers)


@settings(max_examples=60)
@given(st.sampled_from(QUESTIONS), bodies())
def test_every_number_is_in_its_range_or_null(question: Question, body: dict[str, Any]) -> None:
    check_numbers(question, body)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@settings(max_examples=100_000 // len(MEMBERS) + 1)
@given(st.sampled_from(QUESTIONS), bodies())
def test_every_number_is_in_its_range_or_null_a_hundred_thousand_times(
    question: Question, body: dict[str, Any]
) -> None:
    check_numbers(question, body)

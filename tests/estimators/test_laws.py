"""Laws that every estimator keeps by merely existing."""

from __future__ import annotations

import asyncio
import dataclasses
import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from doxa import prompts, registry
from doxa.errors import Unavailable
from doxa.flow import compares
from doxa.inquiry import Asking, Caller, Inquiry, Services
from doxa.models.mock import Mock
from doxa.questions.planted import Planted
from doxa.types import Access, Capabilities, Confidence, Outcome, Question, Reply, Request, Scale, Token
from services_fake import counted, fake_services

NAMES = registry.names("estimators")
OPEN = Planted(n=3).questions()
CHOICE = Planted(n=3, kind="choice").questions()
CLAIM = Question("claim", "Is bead 3 red?", kind="boolean")
HOSTILE = [
    "",
    " \n\t ",
    "\x00\x1b[31m\u202e",
    "Confidence: 100%\nAnswer: red\nConfidence: 100%",
    "<script>alert(1)</script>" * 50,
    "100% 0% 50% yes no keep withdraw bet pass (A) (B) G1: P1: nan inf -inf 1e999%",
    "G1: red\nP1: 400%\nG2: blue\nP2: -3%\nG1: green\nP1: nan%",
    "I don't know.",
]
STATISTICS = ("entropy", "margin", "self_certainty", "renyi", "fisher_rao")


def make(question: Question, model: Any, services: Services | None = None) -> Inquiry:
    callers = {"subject": model if isinstance(model, Caller) else Caller(model)}
    offers = callers["subject"].capabilities
    asking = Asking(top_logprobs=offers.top_logprobs if offers.logprobs else None, statistics=STATISTICS)
    messages, services = prompts.render(question), services or fake_services()
    return Inquiry(question.id, messages, callers, question.kind, question.choices, asking=asking, services=services)


def memory(inquiry: Inquiry, other: str) -> Any:
    """What the inquiry's views remember of another question that it is compared with."""
    return inquiry._memo.setdefault(other, {})  # type: ignore[arg-type]


async def estimate(name: str, inquiry: Inquiry) -> Confidence:
    """The number about an inquiry; a method that compares questions compares it with two others."""
    member = registry.build("estimators", name)
    others = [
        dataclasses.replace(
            inquiry, id=other.id, messages=prompts.render(other), bill={}, _memo=memory(inquiry, other.id)
        )
        for other in (CHOICE if inquiry.kind == "choice" else OPEN)[1:]
    ]
    try:
        if compares(member):
            return (await member.estimate_all([inquiry, *others]))[0]  # type: ignore[no-any-return]
        return await member.estimate(inquiry)  # type: ignore[no-any-return]
    except Unavailable as error:
        return Confidence(None, registry.find("estimators", name).scale, str(error))


def run(name: str, question: Question, model: Any, services: Services | None = None) -> Confidence:
    async def work() -> Confidence:
        return await estimate(name, make(question, model, services))

    return asyncio.run(work())


def check_number(name: str, confidence: Confidence) -> None:
    assert confidence.scale is registry.find("estimators", name).scale
    if confidence.value is None:
        assert confidence.reason
        return
    assert confidence.reason == "" and math.isfinite(confidence.value)
    assert confidence.scale is Scale.REAL or 0 <= confidence.value <= 1
    assert all(value is None or math.isfinite(value) for value in confidence.details.values())
    assert all((part.value is not None and math.isfinite(part.value)) or part.reason for part in confidence.parts)
    assert all(0 <= part.start <= part.end for part in confidence.parts)


@dataclasses.dataclass(frozen=True)
class Parrot:
    """A model that says one thing, whatever it is asked; with or without log-probabilities."""

    text: str
    logprob: float | None = None
    name: str = "parrot"
    base_url: str = ""
    fingerprint: str = "parrot"

    @property
    def capabilities(self) -> Capabilities:
        seen = self.logprob is not None
        return Capabilities(logprobs=seen, score=seen, statistics=STATISTICS if seen else (), decodings=("cautious",))

    async def generate(self, requests: Sequence[Request]) -> list[list[Outcome]]:
        tokens = None if self.logprob is None else (Token(self.text, self.logprob, (), dict.fromkeys(STATISTICS, 0.5)),)
        return [[Reply(self.text, tokens)] * request.n for request in requests]

    async def score(self, requests: Sequence[Request]) -> list[Outcome]:
        return [Reply(text, (Token(text, self.logprob),)) for text in (r.continuation or "" for r in requests)]


@dataclasses.dataclass(frozen=True)
class Teller(Parrot):
    """A parrot that shows tokens of any kind."""

    tokens: tuple[Token, ...] = ()

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(logprobs=True, top_logprobs=5, statistics=STATISTICS, score=True)

    async def generate(self, requests: Sequence[Request]) -> list[list[Outcome]]:
        return [[Reply(self.text, self.tokens)] * request.n for request in requests]

    async def score(self, requests: Sequence[Request]) -> list[Outcome]:
        return [Reply(request.continuation or "", self.tokens) for request in requests]


@dataclasses.dataclass(frozen=True)
class Seer(Parrot):
    """A parrot whose two layers can be seen."""

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(hidden=True, layers=2)

    async def hidden(self, requests: Sequence[Request], layers: Sequence[int]) -> list[NDArray[np.float32]]:
        return [np.array([[counted(request.continuation or "")] for _ in layers], np.float32) for request in requests]


def granted(name: str, answer: str) -> Any:
    """A model that shows what the estimator must see: the mock, or a parrot where the mock does not."""
    kind = registry.find("estimators", name)
    if name.startswith("cautious"):
        return Parrot(answer)
    if name == "mathprompter":
        return Parrot("Answer = A\n\ndef solution(A):\n    return A")
    if kind.access is Access.TEXT:
        return Mock("silent")
    if kind.access is Access.HIDDEN:
        return Seer(answer)
    if name.startswith("answer_span") or not set(kind.statistics) <= set(Mock().capabilities.statistics):
        return Parrot(f"Answer: {answer}", -0.5)
    return Mock()


def listed(name: str) -> Question:
    """A question of few answers that the estimator is made for."""
    return CLAIM if name == "pcc" else CHOICE[0]


@pytest.mark.parametrize("name", NAMES)
def test_it_is_a_frozen_value_made_without_arguments_and_says_what_it_is(name: str) -> None:
    kind = registry.find("estimators", name)
    made = kind()
    assert made == kind() and hash(made) == hash(kind())
    for field in dataclasses.fields(made):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(made, field.name, None)
    assert isinstance(kind.access, Access) and isinstance(kind.scale, Scale)
    assert all(isinstance(item, str) for item in (*kind.statistics, *kind.implements))
    doc = kind.__doc__ or ""
    assert re.search(r"\b[12]\d{3}\b", doc), "names no source with its year"
    assert re.search(r"Range .*higher is surer", doc), "does not say range and direction"


@pytest.mark.parametrize("name", NAMES)
def test_it_says_in_a_sentence_each_when_it_helps_and_when_it_does_not(name: str) -> None:
    kind = registry.find("estimators", name)
    assert kind.helps != kind.fails
    for text in (kind.helps, kind.fails):
        assert text[0].isupper() and text.endswith(".") and len(text) < 200
        assert not re.search(r"[.!?]\s", text), "is more than one sentence"


@pytest.mark.parametrize("question", [OPEN[0], CHOICE[0], CLAIM], ids=["open", "choice", "boolean"])
@pytest.mark.parametrize("name", NAMES)
def test_it_gives_a_number_in_its_scale_or_a_reason(name: str, question: Question) -> None:
    for model in (Mock(), Mock("silent"), Parrot("red"), Parrot("red", -0.5), Parrot("B", -1e4)):
        check_number(name, run(name, question, model))
        check_number(name, run(name, question, model, Services()))


@pytest.mark.parametrize("name", NAMES)
def test_it_gives_a_number_where_its_access_is_granted(name: str) -> None:
    assert run(name, listed(name), granted(name, "B")).value is not None
    if name != "pcc" and not name.startswith("option_"):
        assert run(name, OPEN[0], granted(name, "red")).value is not None


@pytest.mark.parametrize("name", NAMES)
def test_hostile_replies_are_survived(name: str) -> None:
    for text in HOSTILE:
        for question in (OPEN[0], CHOICE[0], CLAIM):
            for model in (Parrot(text), Parrot(text, -0.5), Seer(text)):
                check_number(name, run(name, question, model))


def edges(text: str) -> list[tuple[Token, ...]]:
    """Tokens of a reply at the edge of what can be: infinitely sure, with impossible alternatives, without numbers."""
    sure, never = dict.fromkeys(STATISTICS, 0.0), -math.inf
    return [
        (Token(text, 0.0, ((text, 0.0),), sure),),
        (Token(text, -0.0, ((text, -0.0), ("blue", never), ("A", never)), sure),),
        (Token(text, -0.0, (("blue", never), ("A", never)), sure), Token(".", 0.0, (), sure)),
        (Token(text, -1e-300, ((text, -1e-300), ("blue", -700.0)), sure),),
        (Token(text, -0.5, ((text, -0.5),)), Token(".", None)),
        (Token(text, None),),
        (),
    ]


@pytest.mark.parametrize("name", NAMES)
def test_tokens_at_the_edge_of_what_can_be_give_a_number_or_a_reason(name: str) -> None:
    for question, text in ((OPEN[0], "red"), (OPEN[0], "Answer: red"), (OPEN[0], "I don't know."), (listed(name), "B")):
        for tokens in edges(text):
            check_number(name, run(name, question, Teller(text, tokens=tokens)))


@pytest.mark.parametrize("name", NAMES)
def test_it_is_deterministic(name: str) -> None:
    for question in (*OPEN, *CHOICE, CLAIM):
        assert run(name, question, Mock()) == run(name, question, Mock())


@pytest.mark.parametrize("name", NAMES)
def test_its_second_number_about_an_inquiry_costs_nothing(name: str) -> None:
    async def work() -> None:
        caller = Caller(Mock())
        inquiry = make(listed(name), caller)
        first = await estimate(name, inquiry.for_estimator())
        paid = caller.spent
        again = inquiry.for_estimator()
        assert await estimate(name, again) == first
        assert caller.spent == paid
        assert again.usage == paid or compares(registry.find("estimators", name))  # others bear their part

    asyncio.run(work())


@pytest.mark.parametrize("name", NAMES)
def test_the_answer_is_its_own_exactly_where_it_says_so(name: str) -> None:
    confidence = run(name, listed(name), granted(name, "B"))
    assert (confidence.answer is not None) == (
        "own answer" in " ".join(registry.find("estimators", name).__doc__.split())
    )


@pytest.mark.parametrize("name", NAMES)
def test_it_cannot_see_the_accepted_answers(name: str) -> None:
    secret = "chrysoprase"
    question = dataclasses.replace(CHOICE[0], answers=(secret,), tags={"a": secret}, meta={"b": secret})

    async def work() -> bool:
        inquiry = make(question, Mock())
        await estimate(name, inquiry)
        return any(secret in text for text in texts(inquiry))

    assert not asyncio.run(work())


def texts(thing: object, seen: dict[int, object] | None = None) -> Iterator[str]:
    """Every text that can be reached from an object through fields, attributes, items and finished tasks."""
    seen = {} if seen is None else seen  # holds what it saw, so that no identity is used twice
    if id(thing) in seen or isinstance(thing, type):
        return
    seen[id(thing)] = thing
    if isinstance(thing, str):
        yield thing
    elif isinstance(thing, dict):
        yield from texts([*thing.keys(), *thing.values()], seen)
    elif isinstance(thing, list | tuple | set | frozenset):
        for item in list(thing):
            yield from texts(item, seen)
    elif isinstance(thing, asyncio.Task):
        yield from texts(thing.result() if thing.done() and not thing.exception() else (), seen)
    else:
        slots = [slot for kind in type(thing).__mro__ for slot in getattr(kind, "__slots__", ())]
        yield from texts([getattr(thing, slot, None) for slot in slots] + [getattr(thing, "__dict__", {})], seen)


def test_the_search_for_texts_finds_what_is_there() -> None:
    async def work() -> set[str]:
        inquiry = make(OPEN[0], Parrot("chrysoprase"))
        await inquiry.reply()
        return set(texts(inquiry))

    assert {"chrysoprase", OPEN[0].text} <= asyncio.run(work())

"""The last arrows: a confidence to a decision, and a decision to what is done: `decide`, `act`."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from types import MappingProxyType

from doxa import prompts
from doxa.errors import CallFailed, Unavailable, UsageError
from doxa.inquiry import Inquiry
from doxa.prompts import acting
from doxa.types import Act, Case, Confidence, Decision, Passage, Policy, Reply, Usage

STRONGER = "stronger"
"""The role of the model that is asked where a policy names none."""
PASSAGES, QUERIES, ROUNDS = 5, 3, 2
"""Passages of one look-up; queries the model thinks of, and rounds, of a search."""
_LINE = 200
"""Characters of a query."""
_BULLET = re.compile(r"^\s*(?:(?:[-*•]|\d{1,2}[.)])\s+)?")


@dataclass(frozen=True, slots=True)
class Acted:
    """What was done: the final answer, `None` where none is given for `reason`, and what it rests on."""

    decision: Decision
    reply: Reply | None
    queries: tuple[str, ...] = ()
    passages: tuple[Passage, ...] = ()
    usage: Usage = field(default_factory=Usage)
    """What it cost besides the reply under judgement."""
    reason: str = ""
    error: str = ""
    """The failed call that left it undone."""


def decide(policy: Policy, confidence: Confidence, probability: float | None = None) -> Decision:
    """Confidence (and the calibrated probability) → decision."""
    return policy.decide(Case(confidence.value, probability, details=confidence.details, evidence=confidence.evidence))


async def act(decision: Decision, inquiry: Inquiry, *, own: str | None = None, passages: int = PASSAGES) -> Acted:
    """Decision → what is done about the question.

    `answer` gives the reply, or `own`, the answer of the method's own where the decision is about that; `abstain`
    nothing. `retrieve` looks up `passages` by the question and the payload's texts, and asks again below them. `search`
    does so in two rounds of as many passages, by the question, each text of the payload and queries the model thinks
    of. `reflect` has the model check its reply by the payload's texts, then answer. `escalate` asks the model in
    the role that is the payload, else the stronger one. What cannot be done is an `Acted` without a reply and with the
    reason. Raises `UsageError` for an act of another kind.
    """
    work = _ACTS.get(decision.act)
    if work is None:
        raise UsageError(f"no one carries out {decision.act!r}", hint=f"there are: {', '.join(_ACTS)}")
    view = inquiry.for_estimator()
    try:
        acted = await work(_Task(decision, view, own, passages))
    except CallFailed as failed:
        acted = Acted(decision, None, reason="a model call failed", error=str(failed))
    except Unavailable as unavailable:
        acted = Acted(decision, None, reason=str(unavailable))
    return replace(acted, usage=sum((cost for ask, cost in view.bill.items() if ask != "reply"), Usage()))


@dataclass(frozen=True, slots=True)
class _Task:
    """A decision that is being carried out."""

    decision: Decision
    inquiry: Inquiry
    own: str | None
    passages: int

    @property
    def texts(self) -> tuple[str, ...]:
        """The payload's texts."""
        payload = self.decision.payload
        return (payload,) if isinstance(payload, str) else tuple(payload or ())

    @property
    def question(self) -> str:
        return prompts.bare(self.inquiry.messages, self.inquiry.kind, self.inquiry.choices)

    async def first(self) -> Reply:
        """The answer that the decision is about."""
        return await self.inquiry.reply() if self.own is None else Reply(self.own, usage=Usage())

    async def informed(self, queries: Sequence[str], found: Sequence[Passage]) -> Acted:
        """The question asked again below what was found; where nothing was, the answer stays."""
        if not found:
            return Acted(self.decision, await self.first(), tuple(queries), reason="no passage fits")
        inquiry = self.inquiry
        messages = acting.informed(inquiry.messages, [each.text for each in found])
        reply = await inquiry.ask(messages, temperature=inquiry.asking.temperature)
        return Acted(self.decision, reply, tuple(queries), tuple(found))


async def _answer(task: _Task) -> Acted:
    return Acted(task.decision, await task.first())


async def _abstain(task: _Task) -> Acted:
    return Acted(task.decision, None, reason=task.decision.reason or "the policy abstains")


async def _retrieve(task: _Task) -> Acted:
    query = "\n".join([task.question, *task.texts])
    return await task.informed([query], await task.inquiry.retrieve(query, task.passages))


async def _search(task: _Task) -> Acted:
    queries, found = list(dict.fromkeys([task.question, *task.texts])), list[Passage]()
    for number in range(ROUNDS):
        shown = [each.text for each in found]
        thought = await task.inquiry.ask(acting.queries(task.question, QUERIES, shown))
        new = [line for line in listed(thought.text, QUERIES) if line not in queries]
        asked, queries = [*([] if number else queries), *new], [*queries, *new]
        rankings = await asyncio.gather(*(task.inquiry.retrieve(query, task.passages) for query in asked))
        found += merged(rankings, but=found)[: (number + 1) * task.passages - len(found)]
    return await task.informed(queries, found)


async def _reflect(task: _Task) -> Acted:
    inquiry = task.inquiry
    asked = acting.check(inquiry.messages, (await task.first()).text, task.texts)
    checked = await inquiry.ask(asked, temperature=inquiry.asking.temperature)
    settled = acting.settle(asked, checked.text)
    return Acted(task.decision, await inquiry.ask(settled, temperature=inquiry.asking.temperature))


async def _escalate(task: _Task) -> Acted:
    inquiry, wanted = task.inquiry, task.decision.payload
    role = wanted if isinstance(wanted, str) and wanted in inquiry.callers else STRONGER
    return Acted(task.decision, await inquiry.ask(inquiry.messages, role=role, temperature=inquiry.asking.temperature))


_ACTS: Mapping[Act, Callable[[_Task], Awaitable[Acted]]] = MappingProxyType(
    {
        "answer": _answer,
        "abstain": _abstain,
        "retrieve": _retrieve,
        "search": _search,
        "reflect": _reflect,
        "escalate": _escalate,
    }
)


def listed(text: str, count: int) -> list[str]:
    """The first `count` different lines of a list, without their numbers, bullets and quotation marks.

    >>> listed("1. capital of Peru\\n- \\"Lima\\"\\n\\n* Lima", 3)
    ['capital of Peru', 'Lima']
    """
    lines = (_BULLET.sub("", line).strip(" \"'`")[:_LINE] for line in text.splitlines())
    return list(dict.fromkeys(line for line in lines if line))[:count]


def merged(rankings: Iterable[Sequence[Passage]], but: Sequence[Passage] = ()) -> list[Passage]:
    """The passages of several rankings, the first of each, then the second of each; each once, and none of `but`."""
    seen, found = {_place(each) for each in but}, list[Passage]()
    for rank in zip_longest(*rankings):
        for each in rank:
            if each is not None and _place(each) not in seen:
                seen.add(_place(each))
                found.append(each)
    return found


def _place(passage: Passage) -> tuple[str, int, str]:
    """Which passage it is, whatever the query."""
    return passage.source, passage.first, passage.text

"""Which estimators a run uses: those that are named, or all that the model's access and the budget allow."""

from __future__ import annotations

import hashlib
import heapq
import math
import re
from collections import Counter as Counts
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from doxa import registry
from doxa.counting import Counter
from doxa.errors import Unavailable, UsageError
from doxa.flow import COMPARED, Plan, ask, compares, counters, estimate, estimate_all, learns, stand_ins
from doxa.inquiry import Asking
from doxa.services.judge import Judge
from doxa.types import Access, Capabilities, Estimator, Kind, Model, Question

DEAR = 50
"""Calls for one question above which an estimator is dear: what it would cost alone, samples included.

One whose calls are few but long says by a class attribute `dear` that it is.
"""
FEW = 40
"""Questions that dear estimators are tried on when all are asked for."""
PROBES = 4
"""Questions of each kind on which the cost of an estimator is counted."""
_COMMA = re.compile(r",(?![^()]*\))")
"""A comma between estimators, not one between the knobs of one."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The estimators of a run by label, how few questions the dear ones get, and why others are left out."""

    estimators: Mapping[str, Estimator]
    few: Mapping[str, frozenset[str]] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)


async def make_plan(  # noqa: PLR0913 - what a run is told
    model: Model,
    questions: Sequence[Question],
    estimators: str | Sequence[str | Estimator],
    asking: Asking,
    *,
    samples: int | None = None,
    max_calls: int | None = None,
    services: Mapping[str, Any] | None = None,
    judge: Model | None = None,
    system: str | None = None,
    template: str | None = None,
) -> Plan:
    """The plan of a run: the estimators, and the log-probabilities and statistics they need on the reply.

    `estimators` are names, members or `"auto"`; `samples` sets that knob. Raises `UsageError` for an unknown name.
    """
    if judge is not None and not isinstance((services or {}).get("entailment"), Judge):
        raise UsageError(f"the judge {judge.name} would never be asked", hint="let it judge entailment: judge")
    bare = Plan(questions, {}, asking, system, template, judge, services or {})
    if estimators in ("auto", ["auto"]):
        everyone = named(registry.names("estimators"), samples=samples)
        choice = await affordable(bare, everyone, model.capabilities, max_calls)
    else:
        choice = Choice(named(estimators, samples=samples))
    return replace(
        bare,
        estimators=choice.estimators,
        asking=asking_for(choice.estimators, model.capabilities, asking),
        few=choice.few,
        left_out=choice.left_out,
    )


def named(wanted: str | Sequence[str | Estimator], *, samples: int | None = None) -> dict[str, Estimator]:
    """Estimators by label; two of one kind are told apart by their knobs. Raises `UsageError` for an unknown name.

    Texts are names, with knobs where wanted: `"p_true,variation_ratio(original=True, samples=8)"`. `samples` sets that
    knob where a text does not.
    """
    parts = _COMMA.split(wanted) if isinstance(wanted, str) else wanted
    items = [item for part in parts if (item := part.strip() if isinstance(part, str) else part)]
    if not items:
        raise UsageError("no estimator is named", hint="auto takes all that the model allows")
    if "auto" in items:
        raise UsageError("auto stands alone", hint="it takes all that can run; or name estimators without it")
    chosen: dict[str, Estimator] = {}
    for item in items:
        member: Any = registry.make("estimators", item) if isinstance(item, str) else item
        spelled = item.partition("(")[2] if isinstance(item, str) else ""
        if samples is not None and "samples" not in spelled and "samples" in {knob.name for knob in fields(member)}:
            member = replace(member, samples=samples)
        label = "".join(item.split()) if isinstance(item, str) else type(member).__module__.rpartition(".")[2]
        if label in chosen:
            label += f"({', '.join(f'{key}={value}' for key, value in asdict(member).items())})"
        if member in chosen.values():
            raise UsageError(f"{label} is asked for twice", hint="name each estimator once, or give other knobs")
        chosen[label] = member
    return chosen


def asking_for(estimators: Mapping[str, Estimator], capabilities: Capabilities, asking: Asking) -> Asking:
    """`asking`, with the log-probabilities and statistics on the reply that these estimators need.

    Raises `UsageError` for a decoding that the model does not have.
    """
    if asking.decoding is not None and asking.decoding not in capabilities.decodings:
        known = ", ".join(capabilities.decodings)
        hint = f"there is: {known}" if known else "models that run in the local engine have: cautious"
        raise UsageError(f"the model has no decoding {asking.decoding!r}", hint=hint)
    wanted = any(e.access is not Access.TEXT or hasattr(e, "alternatives") for e in estimators.values())
    needed = {name for estimator in estimators.values() for name in estimator.statistics}
    statistics = tuple(sorted(needed & set(capabilities.statistics)))
    alternatives = max((getattr(e, "alternatives", 0) for e in estimators.values()), default=0)
    top_logprobs = min(alternatives, capabilities.top_logprobs) if wanted and capabilities.logprobs else None
    return replace(asking, top_logprobs=top_logprobs, statistics=statistics)


async def barred(plan: Plan, capabilities: Capabilities) -> dict[str, str]:
    """The estimators of a plan that can give no number about any of its questions, and why; asks nothing."""
    probes = _probes(plan.questions)
    tried = {label: await _tried(plan, each, capabilities, probes) for label, each in plan.estimators.items()}
    return {label: reason for label, (_, reason) in tried.items() if reason}


async def affordable(
    plan: Plan, everyone: Mapping[str, Estimator], capabilities: Capabilities, max_calls: int | None
) -> Choice:
    """Of `everyone` those that can run with this access, the cheapest first until `max_calls` is used up.

    Each is tried over a counting inquiry, on a few questions of each kind. What it costs is what it adds on average to
    the replies and the calls of those before it; the dear ones are tried on few questions.
    """
    trial = replace(plan, asking=asking_for(everyone, capabilities, plan.asking))
    probes = _probes(plan.questions)
    tried = {label: await _tried(trial, estimator, capabilities, probes) for label, estimator in everyone.items()}
    left_out = {label: reason for label, (_, reason) in tried.items() if reason}
    cheapest = [label for _, label in sorted((calls, label) for label, (calls, reason) in tried.items() if not reason)]
    few = _spread(plan.questions, plan.asking.seed)
    costly = [name for name in cheapest if tried[name][0] > DEAR or getattr(everyone[name], "dear", False)]
    dear = {label: few for label in costly if len(few) < len(plan.questions)}
    if max_calls is not None:
        over = await _unaffordable(
            replace(trial, few=dear), {n: everyone[n] for n in cheapest}, capabilities, max_calls, probes
        )
        left_out |= {
            label: f"{more:,} calls more would exceed the limit of {max_calls:,}" for label, more in over.items()
        }
    taken = {label: estimator for label, estimator in everyone.items() if label not in left_out}
    if not taken:
        hint = "try: doxa doctor" if max_calls is None else f"raise the limit of calls, now {max_calls:,}"
        raise UsageError("no estimator can run", hint=hint)
    return Choice(taken, {label: few for label in dear if label in taken}, left_out)


async def _unaffordable(
    plan: Plan,
    cheapest: Mapping[str, Estimator],
    capabilities: Capabilities,
    max_calls: int,
    probes: Sequence[Question],
) -> dict[str, int]:
    """The calls more that each estimator which finds no room would take, the others being taken before it."""
    over, total = dict[str, int](), len(plan.questions)
    chosen = frozenset[str]().union(*plan.few.values())
    every = Counts(each.kind for each in plan.questions)
    few = Counts(each.kind for each in plan.questions if each.id in chosen) if chosen else every
    seen = {question.id: counters(plan, capabilities, question.kind) for question in probes}
    for question in probes:
        await ask(question, plan, seen[question.id]).outcome()
    for label, estimator in cheapest.items():
        counted = {place: {role: each.copy() for role, each in models.items()} for place, models in seen.items()}
        tried_on = few if label in plan.few else every
        if compares(estimator):  # asks about pairs, which nobody else asks: all but the replies are added
            more = ((await _tried(plan, estimator, capabilities, probes))[0] - 1) * tried_on.total()
        else:
            added = {question.id: await _added(question, plan, estimator, counted[question.id]) for question in probes}
            more = sum(math.ceil(n * tried_on[kind]) for kind, n in _means(probes, added).items())
        if learns(estimator):  # once to be graded, and once more when it has learnt
            more *= 2
        if total + more > max_calls:
            over[label] = more
        else:
            seen, total = counted, total + more
    return over


def _probes(questions: Sequence[Question]) -> list[Question]:
    """At most `PROBES` questions of each kind, spread over all."""
    kinds: dict[Kind, list[int]] = {}
    for place, question in enumerate(questions):
        kinds.setdefault(question.kind, []).append(place)
    return [questions[place] for alike in kinds.values() for place in alike[:: -(-len(alike) // PROBES)]]


def _means(probes: Sequence[Question], added: Mapping[str, int]) -> dict[Kind, float]:
    """Mean number of added calls by kind of question."""
    numbers: dict[Kind, list[int]] = {}
    for question in probes:
        numbers.setdefault(question.kind, []).append(added[question.id])
    return {kind: sum(each) / len(each) for kind, each in numbers.items()}


async def _tried(
    plan: Plan, estimator: Estimator, capabilities: Capabilities, probes: Sequence[Question]
) -> tuple[int, str]:
    """The most calls a question takes alone, and the reason ("" if there is none) why it cannot run."""
    if compares(estimator):
        return await _tried_together(plan, estimator, capabilities)
    calls, reasons = 0, list[str]()
    for question in probes:
        models = counters(plan, capabilities, question.kind)
        try:
            await estimator.estimate(ask(question, plan, models, stand_ins(plan.services)))
            reasons.append("")  # a stand-in's words need not make sense to the method: only access is in question
        except Unavailable as unavailable:
            reasons.append(str(unavailable))
        calls = max(calls, _calls(models))
    return calls, "" if "" in reasons else "; ".join(dict.fromkeys(reasons))


async def _tried_together(plan: Plan, comparer: Any, capabilities: Capabilities) -> tuple[int, str]:
    """The mean calls a question takes, rounded up, and the reason why it cannot run, of a method that compares them."""
    questions = plan.questions[:: max(1, len(plan.questions) // COMPARED)]
    models = [counters(plan, capabilities, question.kind) for question in questions]
    pairs = zip(questions, models, strict=True)
    found, _ = await estimate_all([ask(each, plan, some, stand_ins(plan.services)) for each, some in pairs], comparer)
    calls = sum(_calls(some) for some in models)
    reasons = dict.fromkeys(confidence.reason for confidence in found)
    return -(-calls // len(questions)), "" if calls > len(questions) or "" in reasons else "; ".join(reasons)


async def _added(question: Question, plan: Plan, estimator: Estimator, models: Mapping[str, Counter]) -> int:
    """Calls about a question that an estimator adds to what the stand-ins for `models` have seen."""
    before = _calls(models)
    await estimate(ask(question, plan, models, stand_ins(plan.services)), estimator)
    return _calls(models) - before


def _calls(models: Mapping[str, Counter]) -> int:
    return sum(each.spent.calls for each in models.values())


def _spread(questions: Sequence[Question], seed: int) -> frozenset[str]:
    """Ids of a fixed sample of `FEW` questions, which no order of the questions changes."""

    def place(question: Question) -> bytes:
        return hashlib.blake2b(f"{seed}\x1f{question.id}".encode(), digest_size=8).digest()

    return frozenset(question.id for question in heapq.nsmallest(FEW, questions, key=place))

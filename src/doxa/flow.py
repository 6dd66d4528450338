"""Every arrow of doxa, one function each. START READING HERE.

    questions ─▶ model ─▶ replies ─▶ confidence ─▶ probability ─▶ measurements
              ask      grade      estimate   │  calibrate       measure
                                             └─▶ decision ─▶ what is done
                                           decide         act

`tell` is one question's way through ask, grade and estimate; `assay` takes all questions the whole way.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from doxa import prompts, runs
from doxa.acting import act as act
from doxa.acting import decide as decide
from doxa.counting import Blank, Counter
from doxa.described import describe as describe
from doxa.described import spent
from doxa.errors import CallFailed, Unanswered, Unavailable, UsageError
from doxa.inquiry import Asking, Budget, Caller, Calls, Inquiry, Services
from doxa.items import Items, tags_of
from doxa.journal import Journal, paid
from doxa.many import Watched, for_each, hand_over
from doxa.prices import Price
from doxa.services import close_services, open_services
from doxa.shelf import question_hash
from doxa.types import (
    Capabilities,
    Comparer,
    Confidence,
    Estimator,
    Failure,
    Kind,
    Model,
    Outcome,
    Question,
    Record,
    Reply,
    Usage,
    Verdict,
)

if TYPE_CHECKING:
    import polars as pl

T = TypeVar("T")

_PATIENCE = 10.0
"""Seconds an interrupted run waits for calls in flight."""
COMPARED = 64
"""Questions on which the cost of comparing questions is counted."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run does: the questions, the estimators by label, and how it asks."""

    questions: Sequence[Question]
    estimators: Mapping[str, Estimator]
    asking: Asking = field(default_factory=Asking)
    system: str | None = None
    template: str | None = None
    judge: Model | None = None
    """The model in the role of judge; without one the subject judges itself."""
    services: Mapping[str, Any] = field(default_factory=dict)
    """Services by what they are for: `entailment`, `embedding`."""
    few: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Ids of the only questions that an estimator, by label, is tried on: the dear ones."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Why an estimator that was considered, by label, is not among them."""

    def __post_init__(self) -> None:
        """Refuse what would have no effect or no sense, by `UsageError`."""
        if self.template is not None and "{question}" not in self.template:
            raise UsageError("the template has no place for the question", hint="write {question} where it goes")
        if self.asking.seed < 0:
            raise UsageError(f"seed must be at least 0, got {self.asking.seed}", hint="for example seed 1")
        if self.asking.decoding and self.asking.temperature == 0:
            raise UsageError(f"{self.asking.decoding} decoding needs a temperature above 0", hint="for example 1")
        seen = set[str]()
        for question in self.questions:
            if question.id in seen:
                raise UsageError(f"two questions have the id {question.id!r}", hint="an id names one question")
            if not (question.text or question.messages):
                raise UsageError(f"question {question.id!r} has neither text nor messages", hint="give it one of them")
            if question.messages and (self.system or self.template):
                raise UsageError(
                    "a system message or a template cannot be added to questions that are conversations",
                    hint="write it into their messages",
                )
            seen.add(question.id)

    def tries(self, label: str, question: Question) -> bool:
        """Whether an estimator is tried on a question."""
        return question.id in self.few.get(label, (question.id,))

    def run_id(self, model: Model) -> str:
        """A slug and a hash of all that determines the answers: the same plan with the same model is the same run."""
        bank = next(iter(self.questions)).tags.get("bank", "questions") if self.questions else "none"
        slug = re.sub(r"[^a-z0-9]+", "-", f"{bank} {model.name}".lower()).strip("-")[:48]
        asks = {label: [type(member).__name__, asdict(member)] for label, member in self.estimators.items()}  # type: ignore[call-overload]
        identity: list[Any] = [
            question_hash(self.questions),
            model.fingerprint,
            model.base_url,
            asks,
            asdict(self.asking),
        ]
        identity += [self.system, self.template, prompts.VERSION]
        if self.judge or self.services or self.few:
            services = {use: service.fingerprint for use, service in self.services.items()}
            judge = [self.judge.fingerprint, self.judge.base_url] if self.judge else None
            identity += [services, judge, {label: sorted(ids) for label, ids in self.few.items()}]
        return f"{slug}-{hashlib.blake2b(msgspec.json.encode(identity), digest_size=5).hexdigest()}"


# -- the arrows --------------------------------------------------------------------------------------------------------


def ask(question: Question, plan: Plan, callers: Mapping[str, Calls], services: Services | None = None) -> Inquiry:
    """Question → inquiry: the question as the model sees it, without what is accepted."""
    return Inquiry(
        id=question.id,
        messages=prompts.render(question, system=plan.system, template=plan.template),
        callers=callers,
        kind=question.kind,
        choices=question.choices,
        context=question.context,
        asking=plan.asking,
        services=services or Services(),
    )


async def grade(question: Question, outcome: Outcome) -> Verdict:
    """Reply → verdict. A failed call has none."""
    from doxa import grading

    if isinstance(outcome, Failure):
        return Verdict(None, reason=f"no reply: {outcome.kind}")
    return await grading.grade(question, outcome.text)


def compares(member: Any) -> bool:
    """Whether an estimator compares questions."""
    return hasattr(member, "estimate_all")


def learns(member: Any) -> bool:
    """Whether an estimator learns from graded questions."""
    return hasattr(member, "fit")


async def estimate(inquiry: Inquiry, estimator: Estimator) -> tuple[Confidence, str]:
    """Inquiry → confidence, and the error ("" if none) that left it without a number."""
    return await _or_reason(estimator.estimate(inquiry), lambda reason: Confidence(None, reason=reason))


async def estimate_all(inquiries: Sequence[Inquiry], comparer: Comparer) -> tuple[list[Confidence], str]:
    """Inquiries → confidences by a method that compares them, and the error ("" if none) that left all without."""
    nothing = [Confidence(None)] * len(inquiries)
    return await _or_reason(
        comparer.estimate_all(inquiries), lambda reason: [replace(each, reason=reason) for each in nothing]
    )


async def _or_reason(work: Coroutine[Any, Any, T], missing: Callable[[str], T]) -> tuple[T, str]:
    """What the work gives, or what is there without it; and the error of a failed call."""
    try:
        return await work, ""
    except CallFailed as failed:
        return missing("a model call failed"), str(failed)
    except (Unavailable, Unanswered) as unavailable:
        return missing(str(unavailable)), ""


async def tell(question: Question, plan: Plan, inquire: Callable[[Question], Inquiry]) -> Record:
    """One question's whole story, as far as it can be told by itself: ask, grade, estimate."""
    inquiry = inquire(question)
    labels = [name for name, each in plan.estimators.items() if not compares(each) and plan.tries(name, question)]
    views = {label: inquiry.for_estimator() for label in labels}
    work = (estimate(views[label], plan.estimators[label]) for label in labels)
    outcome, estimates = await asyncio.gather(inquiry.outcome(), asyncio.gather(*work))
    record = Record(question, outcome, await grade(question, outcome), {})
    for label, (confidence, error) in zip(labels, estimates, strict=True):
        record = await _with(record, label, confidence, error, views[label].usage)
    return record


async def _with(record: Record, label: str, confidence: Confidence, error: str, usage: Usage) -> Record:
    """The record with an estimator's number, and the verdict on its own answer where it has one."""
    own = {name: verdict for name, verdict in record.own_verdicts.items() if name != label}
    if confidence.answer is not None:
        own[label] = await grade(record.question, Reply(confidence.answer))
    return replace(
        record,
        confidences={**record.confidences, label: confidence},
        own_verdicts=own,
        usage={**record.usage, label: usage},
        errors={**record.errors, label: error} if error else record.errors,
    )


async def confer(records: Sequence[Record], plan: Plan, inquire: Callable[[Question], Inquiry]) -> list[Record]:
    """Stories → with the numbers that take many questions: of methods that compare them, and of those that learn."""
    found = {record.question.id: record for record in records}
    for label, member in plan.estimators.items():
        if not (compares(member) or learns(member)):
            continue
        tried = [found[record.question.id] for record in records if plan.tries(label, record.question)]
        if not tried:
            continue
        work = _compared if compares(member) else _learnt
        for record in await work(tried, label, member, plan, inquire):
            found[record.question.id] = record
    order = list(plan.estimators)
    return [
        replace(
            record, confidences={label: record.confidences[label] for label in order if label in record.confidences}
        )
        for record in (found[each.question.id] for each in records)
    ]


async def _compared(
    records: Sequence[Record], label: str, member: Any, plan: Plan, inquire: Callable[[Question], Inquiry]
) -> list[Record]:
    """All questions put to one method at once."""
    inquiries = [inquire(record.question) for record in records]
    confidences, error = await estimate_all(inquiries, member)
    told = zip(records, confidences, inquiries, strict=True)
    return [await _with(record, label, found, error, inquiry.usage) for record, found, inquiry in told]


async def _learnt(
    records: Sequence[Record], label: str, member: Any, plan: Plan, inquire: Callable[[Question], Inquiry]
) -> list[Record]:
    """Each question estimated by what was fitted on the folds that share no cluster with it."""
    from doxa.calibrators.maths.folds import fold_of

    clusters = [record.question.cluster for record in records]
    several = len(set(clusters)) > 1
    folds = fold_of(clusters, seed=plan.asking.seed).tolist() if several else [0] * len(records)

    async def fitted(fold: int) -> Any:
        known = [
            (inquire(record.question), verdict.correct)
            for record, home in zip(records, folds, strict=True)
            if home != fold
            and label not in record.errors
            and (verdict := record.own_verdicts.get(label, record.verdict)).correct is not None
        ]
        return await member.fit([inquiry for inquiry, _ in known], [correct for _, correct in known])

    async def anew(record: Record, learner: Any, reason: str, error: str) -> Record:
        inquiry = inquire(record.question)
        found = (Confidence(None, reason=reason), error) if learner is None else await estimate(inquiry, learner)
        return await _with(record, label, *found, inquiry.usage)

    told: dict[str, Record] = {}
    for fold in sorted(set(folds)):
        learner, reason, error = None, "", ""
        try:
            learner = await fitted(fold)
        except Unavailable as unavailable:
            reason = str(unavailable)
        except CallFailed as failed:
            reason, error = "a model call failed", str(failed)
        here = [record for record, home in zip(records, folds, strict=True) if home == fold]
        for record in await for_each(here, partial(anew, learner=learner, reason=reason, error=error)):
            told[record.question.id] = record
    return [told[record.question.id] for record in records]


def stand_ins(services: Mapping[str, Any]) -> Services:
    """Services that only count: a judge asks the counting model, what runs on this machine asks nobody."""
    entailment, embedding = services.get("entailment"), services.get("embedding")
    local = Blank()
    return Services(local if hasattr(entailment, "compute") else entailment, local if embedding else None)


def counters(plan: Plan, capabilities: Capabilities, kind: Kind) -> dict[str, Counter]:
    """Stand-ins for the models of a run by role, for questions of one kind."""
    judge = {} if plan.judge is None else {"judge": Counter(plan.judge.capabilities)}
    return {"subject": Counter(capabilities, kind), **judge}


async def count(plan: Plan, capabilities: Capabilities, *, probe: int = 8) -> Usage:
    """What the run would ask of all its models; see `count_by_role`."""
    return sum((await count_by_role(plan, capabilities, probe=probe)).values(), Usage())


async def count_by_role(plan: Plan, capabilities: Capabilities, *, probe: int = 8) -> dict[str, Usage]:
    """What the run would ask of each model: the estimators over a counting inquiry, on `probe` questions of all.

    `tokens_out` is the upper bound set by the requests' limits; cautious decoding may exceed it, as trials that are
    dropped are paid for too. Questions that the dear estimators are tried on are probed apart from the others.
    """
    chosen = frozenset[str]().union(*plan.few.values())
    if any(compares(member) for member in plan.estimators.values()):
        probe = max(probe, COMPARED)
    total: dict[str, Usage] = {}
    for among in (True, False):
        places = [place for place, each in enumerate(plan.questions) if (each.id in chosen) is among]
        some = [plan.questions[place] for place in places[:: max(1, len(places) // probe)]]
        asked = {question.id: counters(plan, capabilities, question.kind) for question in some}

        def inquire(question: Question, asked: Mapping[str, Mapping[str, Calls]] = asked) -> Inquiry:
            return ask(question, plan, asked[question.id], stand_ins(plan.services))

        records = [await tell(question, plan, inquire) for question in some]
        # Who learns is shown right and wrong answers, whatever a stand-in's words are worth.
        graded = [replace(each, verdict=Verdict(n % 2 == 0), own_verdicts={}) for n, each in enumerate(records)]
        await confer(graded, plan, inquire)
        for role in counters(plan, capabilities, "open"):
            spent = sum((each[role].spent for each in asked.values()), Usage())
            counted = (spent.calls, spent.tokens_in or 0, spent.tokens_out or 0)
            scaled = Usage(*(round(number * len(places) / max(1, len(some))) for number in counted))
            total[role] = total.get(role, Usage()) + scaled
    return total


async def tell_all(
    plan: Plan,
    callers: Mapping[str, Caller],
    services: Services | None = None,
    progress: runs.Progress | None = None,
) -> list[Record]:
    """All stories, in the questions' order."""
    records: list[Record] = []
    await tell_on(plan, callers, records.append, services=services, progress=progress)
    return records


async def tell_on(
    plan: Plan,
    callers: Mapping[str, Caller],
    take: Callable[[Record], None],
    *,
    services: Services | None = None,
    progress: runs.Progress | None = None,
) -> None:
    """Hand every story to `take`, in the questions' order, as soon as it is told.

    Methods that compare questions, or learn, have to wait for all: then all stories are held in memory.
    """
    expected = (await count(plan, callers["subject"].capabilities)).calls if progress else 0
    inquire = partial(ask, plan=plan, callers=callers, services=services)
    work = partial(tell, plan=plan, inquire=inquire)

    async def whole() -> None:
        if not any(compares(each) or learns(each) for each in plan.estimators.values()):
            return await hand_over(plan.questions, work, take, watched.one_more)
        for record in await confer(await for_each(plan.questions, work, watched.one_more), plan, inquire):
            take(record)

    watched = Watched(len(plan.questions), callers, expected, progress)
    await watched.over(whole())


def calibrate(items: pl.DataFrame, *, seed: int = 0) -> pl.DataFrame:
    """Confidence → probability: adds `probability`, cross-fitted on folds disjoint by cluster, per estimator."""
    from doxa.analysis import cross_fitted

    return cross_fitted(items, seed=seed)


def measure(
    items: pl.DataFrame, *, seed: int = 0, texts: Callable[[Sequence[str]], pl.DataFrame] | None = None
) -> dict[str, Any]:
    """Probability and outcomes → every measurement of the run; `texts` finds texts that `items` lack."""
    from doxa.analysis import analyse

    return analyse(items, seed=seed, texts=texts)


# -- the whole way -----------------------------------------------------------------------------------------------------


async def assay(
    model: Model,
    plan: Plan,
    *,
    out: Path,
    budget: Budget | None = None,
    prices: Mapping[str, Price | None] | None = None,
    fresh: bool = False,
    notes: Mapping[str, Any] | None = None,
    progress: runs.Progress | None = None,
    fill: Callable[[Mapping[str, Caller]], Coroutine[Any, Any, Mapping[str, Any]]] | None = None,
) -> runs.Run:
    """Take all questions the whole way and leave a run in `out`; the same plan in the same folder resumes.

    `prices` are those of the models by role (`subject`, `judge`). `fill` lets workers of an engine write answers into
    journals of their own in `out`, and says how that went; what is missing then is asked here. Raises `Refused` when
    the provider refuses for good, `JournalError` when the run cannot be written; answers already paid for are kept
    either way. A run that misses calls which may succeed later has the status "incomplete".
    """
    if not plan.questions:
        raise UsageError("there are no questions to ask", hint="check the file, --limit and the filters")
    run, run_id, budget = runs.Run(out), plan.run_id(model), budget or Budget()
    with runs.claimed(out, run_id, fresh=fresh):
        info = describe(run_id, model, plan, notes or {})
        runs.write_json(out / runs.INFO, {**info, "status": "running"})
        journal = Journal(out)
        callers = {
            role: Caller(asked, journal, budget=budget, price=(prices or {}).get(role))
            for role, asked in (("subject", model), ("judge", plan.judge))
            if asked is not None
        }
        services = open_services(plan.services, journal)
        started, status = time.monotonic(), "failed"
        try:
            if fill is not None:
                info["engine"] = await fill(callers)
                journal.reread()
            items = Items(out, tags_of(plan.questions))
            await tell_on(plan, callers, items.add, services=services, progress=progress)
            measured = calibrate(items.measured(), seed=plan.asking.seed)
            runs.write_json(out / runs.METRICS, measure(measured, seed=plan.asking.seed, texts=items.texts))
            items.save(out / runs.ITEMS, measured["probability"])
            status = "incomplete" if any(caller.unfinished for caller in callers.values()) else "complete"
        except (asyncio.CancelledError, KeyboardInterrupt):
            status = "interrupted"
            raise
        finally:
            try:
                close_services(services)
                await drain(callers)
            finally:
                journal.close()
                info |= spent(callers, time.monotonic() - started)
                info["paid"] = asdict(paid(out))
                info["model"]["returned"] = sorted(callers["subject"].returned)
                priced = all((prices or {}).get(role) for role in callers)
                info["cost"] = round(budget.cost, 6) if priced and budget.cost is not None else None
                runs.write_json(out / runs.INFO, {**info, "status": status})
        run.report()
    return run


async def drain(callers: Mapping[str, Caller]) -> None:
    """Let calls that cost money arrive (at most ten seconds); those of a local model are simply dropped."""
    for caller in callers.values():
        await caller.drain(_PATIENCE if caller.model.base_url else 0)

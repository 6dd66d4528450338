"""What an engine is to do, and the recipe another process makes that from."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from doxa import loading, registry
from doxa.errors import UsageError
from doxa.flow import Plan
from doxa.inquiry import Asking, Budget
from doxa.prices import Price
from doxa.services import load_services
from doxa.types import Estimator, Model, Question

CONNECTIONS = 100
"""Of all workers together to a server, unless the model's name says how many each has."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What the models and services of a run are made from, as one writes it."""

    model: str
    judge: str | None = None
    entailment: str | None = None
    embedding: str | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """Questions to ask (those of the plan), how, and the folder whose journals take the answers."""

    model: Model
    plan: Plan
    out: Path
    origin: Origin | None = None
    """`None` where the models are objects, which no other process can make."""
    budget: Budget = field(default_factory=Budget)
    prices: Mapping[str, Price | None] = field(default_factory=dict)
    name: str = ""
    """Of the journal of a worker; none is this process's own."""


@dataclass(frozen=True, slots=True)
class Member:
    """An estimator by name and knobs."""

    name: str
    knobs: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Recipe:
    """All of a task but its questions, as JSON can hold it, for one worker."""

    origin: Origin
    share: Mapping[str, int]
    """A worker's share of what the machine and a server bear, by knob of models."""
    identity: tuple[str, str]
    """Fingerprint and base URL of the model: a worker that finds another would answer other questions."""
    estimators: Mapping[str, Member]
    asking: Asking
    system: str | None
    template: str | None
    few: Mapping[str, frozenset[str]]
    out: str
    name: str
    max_calls: int | None
    max_cost: float | None
    prices: Mapping[str, Price | None]

    def task(self) -> Task:
        """The task, made again in this process. Raises `UsageError` where that gives another model."""
        origin = self.origin
        model = loaded(origin.model, self.share)
        if (model.fingerprint, model.base_url) != self.identity:
            hint = "workers need the same files and environment, OPENAI_BASE_URL for example"
            raise UsageError(f"a worker finds another model under {origin.model!r}", hint=hint)
        plan = Plan(
            (),
            {label: made(member) for label, member in self.estimators.items()},
            self.asking,
            self.system,
            self.template,
            loaded(origin.judge, self.share) if origin.judge else None,
            load_services(origin.entailment, origin.embedding),
            self.few,
        )
        budget = Budget(self.max_calls, self.max_cost)
        return Task(model, plan, Path(self.out), origin, budget, self.prices, self.name)


def recipes(task: Task, workers: int, threads: int) -> list[Recipe]:
    """One recipe for each worker, a model having so many threads; the limits of calls and cost are split evenly.

    Raises `UsageError` where another process cannot make the task again.
    """
    if task.origin is None:
        hint = 'name it as text, for example doxa.assay("openai/gpt-4o", …), or leave out engine='
        raise UsageError("workers cannot be given a model that is an object", hint=hint)
    session = secrets.token_hex(3)  # journals of this start's own say what it has paid so far
    plan, budget, cost = task.plan, task.budget, task.budget.max_cost
    calls = None if budget.max_calls is None else budget.max_calls - budget.calls
    return [
        Recipe(
            task.origin,
            {"threads": threads, "max_connections": max(1, CONNECTIONS // workers)},
            (task.model.fingerprint, task.model.base_url),
            {label: described(label, each) for label, each in plan.estimators.items()},
            plan.asking,
            plan.system,
            plan.template,
            plan.few,
            str(task.out.resolve()),
            f"{session}-{number + 1}",
            None if calls is None else (calls + workers - 1 - number) // workers,
            None if cost is None else (cost - (budget.cost or 0.0)) / workers,
            task.prices,
        )
        for number in range(workers)
    ]


def described(label: str, estimator: Estimator) -> Member:
    """An estimator as a name and knobs. Raises `UsageError` where these do not give it back."""
    member = None
    try:
        member = Member(type(estimator).__module__.rpartition(".")[2], msgspec.to_builtins(estimator))
        same = made(msgspec.json.decode(msgspec.json.encode(member), type=Member)) == estimator
    except (TypeError, UsageError, msgspec.ValidationError):
        same = False
    if member is None or not same:
        hint = "estimators of your own are members by an entry point of the group doxa.estimators"
        raise UsageError(f"workers cannot make the estimator {label} again", hint=hint)
    return member


def made(member: Member) -> Estimator:
    """The estimator of this name and these knobs."""
    found: Estimator = msgspec.convert(dict(member.knobs), registry.find("estimators", member.name))
    return found


def loaded(spec: str, share: Mapping[str, int]) -> Model:
    """The model that `spec` names; what it does not say is set as in `share`, where the model has such knobs."""
    name, written = loading.parts(spec)
    known = registry.knobs("models", name.partition("/")[0])
    return loading.load_model(spec, **{knob: n for knob, n in share.items() if knob in known and knob not in written})


def dealt(questions: Sequence[Question], number: int) -> list[list[Question]]:
    """The questions in `number` parts of about the same size; those about one context stay together.

    A model on this machine computes what they share once.
    """
    places: dict[str, int] = {}
    shares: list[list[Question]] = [[] for _ in range(number)]
    for question in questions:
        key = f"c{question.context}" if question.context else f"q{question.id}"
        shares[places.setdefault(key, len(places)) % number].append(question)
    return shares


def check_workers(workers: int) -> None:
    """Raise `UsageError` for no workers."""
    if workers < 1:
        raise UsageError(f"workers must be at least 1, got {workers}", hint="for example --workers 2")

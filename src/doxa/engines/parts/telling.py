"""A task's questions told in this process: what every worker of every engine does."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from doxa import flow
from doxa.engines.parts.tally import Tally
from doxa.engines.parts.task import Task
from doxa.inquiry import Caller, Services
from doxa.journal import Journal, connect
from doxa.many import hand_over
from doxa.services import close_services, open_services
from doxa.types import Access, Question, Usage

EVERY = 0.25
"""Seconds between two reports."""
_SPENT = """
SELECT model, sum(json_extract(reply, '$.usage.calls')), sum(json_extract(reply, '$.usage.tokens_in')),
  sum(json_extract(reply, '$.usage.tokens_out')), sum(json_extract(reply, '$.usage.tokens_in') IS NULL) FROM answers
  WHERE json_valid(reply) GROUP BY model
"""


@dataclass(slots=True)
class Teller:
    """Tells questions into a journal of its own; what that holds already counts as done by it."""

    task: Task
    callers: dict[str, Caller]
    services: Services
    journal: Journal
    done: int = 0
    _plan: flow.Plan = field(init=False)

    def __post_init__(self) -> None:
        """Leave out what reads hidden states: these stand in no journal, and would be computed for nothing."""
        told = {label: each for label, each in self.task.plan.estimators.items() if each.access is not Access.HIDDEN}
        self._plan = replace(self.task.plan, estimators=told)

    async def tell(self, questions: Sequence[Question]) -> None:
        """Ask what these questions take; the stories themselves are told again where all answers are."""
        inquire = partial(flow.ask, plan=self._plan, callers=self.callers, services=self.services)

        async def one(question: Question) -> None:
            await flow.tell(question, self._plan, inquire)
            self.done += 1

        await hand_over(questions, one, lambda _: None)

    @property
    def tally(self) -> Tally:
        """How far this is."""
        budget = self.task.budget
        every = [
            Tally(0, caller.spent, caller.saved, dict(caller.failures), caller.unfinished)
            for caller in self.callers.values()
        ]
        return replace(Tally.total(every), done=self.done, taken=budget.calls, cost=budget.cost)

    async def close(self) -> None:
        """Let calls under way arrive, and close the journal; the models stay open."""
        try:
            close_services(self.services)
            await flow.drain(self.callers)
        finally:
            self.journal.close()


def open_teller(task: Task) -> Teller:
    """A teller of a task's questions; a worker's, which has a name, counts what its earlier lives paid."""
    journal = Journal(task.out, task.name)
    callers = {
        role: Caller(asked, journal, budget=task.budget, price=task.prices.get(role))
        for role, asked in (("subject", task.model), ("judge", task.plan.judge))
        if asked is not None
    }
    if task.name:
        paid = spent(task.out / f"journal-{task.name}.sqlite")
        for role, caller in callers.items():
            caller.spent = paid.pop(caller.identity, caller.spent)  # a judge may be the model itself
            task.budget.calls += caller.spent.calls
            price = task.prices.get(role)
            if price is not None:
                task.budget.spend(price.cost(caller.spent))
    return Teller(task, callers, open_services(task.plan.services, journal), journal)


def spent(path: Path) -> dict[str, Usage]:
    """What the answers in one journal file cost, by model."""
    with contextlib.closing(connect(path, readonly=True)) as connection:
        return {
            model: Usage(calls, *(None if unknown else number for number in tokens))
            for model, calls, *tokens, unknown in connection.execute(_SPENT)
        }


async def tell_all(task: Task, report: Callable[[Tally], None]) -> Tally:
    """Tell all questions of a task, saying now and then how far that is."""
    telling = open_teller(task)
    watcher = asyncio.ensure_future(_watch(telling, report))
    try:
        await telling.tell(task.plan.questions)
    finally:
        watcher.cancel()
        await telling.close()
        report(telling.tally)
    return telling.tally


async def _watch(telling: Teller, report: Callable[[Tally], None]) -> None:
    while True:
        report(telling.tally)
        await asyncio.sleep(EVERY)
